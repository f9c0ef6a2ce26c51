"""Light of photos: brightness and contrast of each, and how photos are brought to the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vaead.config import Record, require_number
from vaead.ignored import IgnoredRegion
from vaead.scoring.patches import unit

_LEAST_SPREAD = 0.02
"""Five grey levels: a photo with less contrast is empty, and would become noise."""


class Light(Record, frozen=True):
    """Mean and standard deviation of brightness to which photos are brought, in [0, 1]."""

    mean: float
    spread: float

    def __post_init__(self) -> None:
        # A card may come from anywhere.
        require_number("mean", self.mean, 0, 1.000001)
        require_number("spread", self.spread, _LEAST_SPREAD, 1)

    @classmethod
    def usual(cls, photos: Sequence[NDArray[np.generic]], ignored: IgnoredRegion | None = None) -> Light:
        """The median of photos (H, W) or (H, W, 3)."""
        mean, spread = np.median([measure_light(photo[None], ignored)[0] for photo in photos], axis=0)
        return cls(float(mean), float(spread))

    def even(self, photos: NDArray[np.generic], ignored: IgnoredRegion | None = None) -> NDArray[np.float32]:
        """Bring photos (N, H, W[, channels]) to this mean and spread; what leaves [0, 1] is cut off."""
        mean, spread = measure_light(photos, ignored).T.reshape(2, -1, *(1,) * (photos.ndim - 1))
        evened = (unit(photos) - mean) * (np.float32(self.spread) / spread) + np.float32(self.mean)
        return np.asarray(np.clip(evened, 0, 1))


def measure_light(photos: NDArray[np.generic], ignored: IgnoredRegion | None = None) -> NDArray[np.float32]:
    """Mean and standard deviation of the brightness of photos (N, H, W[, channels]): (N, 2), above 0."""
    grey = _grey(photos)
    if ignored is not None:
        grey = grey[:, None, ~ignored.pixels((grey.shape[1], grey.shape[2]))]
    mean, spread = grey.mean(axis=(1, 2), dtype=np.float64), grey.std(axis=(1, 2), dtype=np.float64)
    light = np.maximum(np.stack([mean, spread], axis=1), (1 / 255, _LEAST_SPREAD))
    return np.asarray(light, np.float32)


def _grey(photos: NDArray[np.generic]) -> NDArray[np.float32]:
    pixels = unit(photos)
    return pixels if pixels.ndim == 3 else pixels.mean(axis=3, dtype=np.float32)
