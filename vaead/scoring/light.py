"""Light of photos: brightness and contrast of each, and how photos are brought to the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vaead.config import Record, require_number
from vaead.scoring.patches import unit

_LEAST_SPREAD = 0.02
"""Five grey levels: a photo with less contrast is empty, and would become noise."""
_GRID = 8


class Light(Record, frozen=True):
    """Mean and standard deviation of brightness to which photos are brought, in [0, 1]."""

    mean: float
    spread: float

    def __post_init__(self) -> None:
        # A card may come from anywhere.
        require_number("mean", self.mean, 0, 1.000001)
        require_number("spread", self.spread, _LEAST_SPREAD, 1)

    @classmethod
    def usual(cls, photos: Sequence[NDArray[np.generic]]) -> Light:
        """The median of photos (H, W) or (H, W, 3)."""
        mean, spread = np.median([measure_light(photo[None])[0] for photo in photos], axis=0)
        return cls(float(mean), float(spread))

    def even(self, photos: NDArray[np.generic]) -> NDArray[np.float32]:
        """Bring photos (N, H, W[, channels]) to this mean and spread; what leaves [0, 1] is cut off."""
        mean, spread = measure_light(photos).T.reshape(2, -1, *(1,) * (photos.ndim - 1))
        evened = (unit(photos) - mean) * (np.float32(self.spread) / spread) + np.float32(self.mean)
        return np.asarray(np.clip(evened, 0, 1))


def measure_light(photos: NDArray[np.generic]) -> NDArray[np.float32]:
    """Mean and standard deviation of the brightness of photos (N, H, W[, channels]): (N, 2), above 0."""
    grey = _grey(photos)
    mean, spread = grey.mean(axis=(1, 2), dtype=np.float64), grey.std(axis=(1, 2), dtype=np.float64)
    light = np.maximum(np.stack([mean, spread], axis=1), (1 / 255, _LEAST_SPREAD))
    return np.asarray(light, np.float32)


def common_variation(photos: Sequence[NDArray[np.generic]]) -> float:
    """How much of the difference between photos is that whole photos are brighter or darker.

    Each photo is reduced to the brightness of 8x8 fields. Variance between photos that is shared by all
    fields, divided by all variance between photos: near 1 where light or exposure changes from photo to
    photo, near 0 where parts move or differ. 0 for a single photo.

    Args:
        photos: (H, W) or (H, W, channels); sizes may differ.
    """
    fields = np.array([_fields(_grey(photo[None])[0]) for photo in photos], np.float64)
    centered = fields - np.median(fields, axis=0)
    shared = centered.mean(axis=1)
    total = float(np.square(centered).mean())
    own = float(np.square(centered - shared[:, None]).mean())
    return (float(np.square(shared).mean()) - own / centered.shape[1]) / total if total > 0 else 0.0


def _grey(photos: NDArray[np.generic]) -> NDArray[np.float32]:
    pixels = unit(photos)
    return pixels if pixels.ndim == 3 else pixels.mean(axis=3, dtype=np.float32)


def _fields(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = (np.arange(_GRID) * length // _GRID for length in grey.shape)
    sums = np.add.reduceat(np.add.reduceat(grey, rows, axis=0, dtype=np.float64), columns, axis=1)
    height, width = (
        np.diff(starts, append=length) for starts, length in zip((rows, columns), grey.shape, strict=True)
    )
    return np.asarray(sums / np.multiply.outer(height, width), np.float32).ravel()
