"""One image with maps and masks, in no more pixels than a screen has for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaead.inference.prediction import Prediction

_LONGER_PX = 640
"""Of a panel. Three stand side by side, so that is some zoom, and what is sent stays far below the 50 MB that
Streamlit accepts, however large the image is."""


@dataclass(frozen=True)
class View:
    """One image as it is to be shown.

    Attributes:
        prediction: The prediction, with its arrays.
        score: The score of overlay and mask.
        mask: (H, W), the mask of this score.
        opacity: Opacity of the overlay, 0 to 1.
    """

    prediction: Prediction
    score: str
    mask: NDArray[np.bool_]
    opacity: float

    @classmethod
    def from_prediction(cls, prediction: Prediction, score: str, opacity: float) -> View:
        """Take the mask of the prediction."""
        return cls(prediction, score, prediction.mask(score), opacity)

    def reduced(self) -> Reduced:
        """The same in squares of pixels: an image as their means, all else so that nothing small vanishes."""
        shown = self.prediction
        assert shown.image is not None, "arrays were dropped"
        step = -(-max(shown.shape) // _LONGER_PX)
        return Reduced(
            step=step,
            pixels=np.round(255 * _means(shown.image, step)).astype(np.uint8),
            maps={name: _largest(shown.anomaly_map(name), step) for name in shown.scores},
            mask=_any(self.mask, step),
            true_mask=None if shown.true_mask is None else _any(shown.true_mask, step),
        )


@dataclass(frozen=True)
class Reduced:
    """A view with one value for each square of pixels; those at the far borders may be smaller.

    Attributes:
        step: Side of a square in pixels.
        pixels: (h, w), or (h, w, 3) in colours, 0 to 255.
        maps: (h, w), by score.
        mask: (h, w).
        true_mask: (h, w), if there is one.
    """

    step: int
    pixels: NDArray[np.uint8]
    maps: dict[str, NDArray[np.float32]]
    mask: NDArray[np.bool_]
    true_mask: NDArray[np.bool_] | None


def _means(values: NDArray[np.generic], step: int) -> NDArray[np.float32]:
    if step == 1:
        return values.astype(np.float32)
    starts = [np.arange(0, length, step) for length in values.shape[:2]]
    rows, columns = (
        np.diff(edges, append=length) for edges, length in zip(starts, values.shape[:2], strict=True)
    )
    sums = np.add.reduceat(np.add.reduceat(values, starts[0], axis=0), starts[1], axis=1)
    counts = np.multiply.outer(rows, columns).reshape(*sums.shape[:2], *(1 for _ in values.shape[2:]))
    return np.asarray(sums / counts, dtype=np.float32)


def _largest(values: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    rows, columns = (np.arange(0, length, step) for length in values.shape)
    return np.fmax.reduceat(np.fmax.reduceat(values, rows, axis=0), columns, axis=1)


def _any(values: NDArray[np.bool_], step: int) -> NDArray[np.bool_]:
    rows, columns = (np.arange(0, length, step) for length in values.shape)
    return np.logical_or.reduceat(np.logical_or.reduceat(values, rows, axis=0), columns, axis=1)
