"""What is shown of one image, in no more pixels than a screen has for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaead.scoring.term_maps import TermMaps

_LONGER_PX = 640
"""Of a panel. Three stand side by side, so that is some zoom, and what is sent stays far below the 50 MB that
Streamlit accepts, however large the image is."""


@dataclass(frozen=True)
class View:
    """What is to be shown of one image.

    Attributes:
        pixels: (H, W), or (H, W, 3) in colours, 0 to 1.
        terms: What the model says.
        score: The score of overlay and mask.
        mask: (H, W), what that score points at.
        true_mask: (H, W), what is known to be anomalous, if anything is.
        opacity: Of the overlay, 0 to 1.
    """

    pixels: NDArray[np.float32]
    terms: TermMaps
    score: str
    mask: NDArray[np.bool_]
    true_mask: NDArray[np.bool_] | None
    opacity: float

    def reduced(self) -> Reduced:
        """The same in squares of pixels: an image as their means, all else so that nothing small vanishes."""
        step = -(-max(self.mask.shape) // _LONGER_PX)
        return Reduced(
            step=step,
            pixels=np.round(255 * _means(self.pixels, step)).astype(np.uint8),
            maps={name: _largest(self.terms.anomaly_maps(name)[0], step) for name in self.terms.scores},
            mask=_any(self.mask, step),
            true_mask=None if self.true_mask is None else _any(self.true_mask, step),
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


def _means(values: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    if step == 1:
        return values
    starts = [np.arange(0, length, step) for length in values.shape[:2]]
    rows, columns = (
        np.diff(edges, append=length) for edges, length in zip(starts, values.shape[:2], strict=True)
    )
    sums = np.add.reduceat(np.add.reduceat(values, starts[0], axis=0), starts[1], axis=1)
    counts = np.multiply.outer(rows, columns).reshape(*sums.shape[:2], *(1 for _ in values.shape[2:]))
    return np.asarray(sums / counts, dtype=np.float32)


def _largest(values: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    rows, columns = (np.arange(0, length, step) for length in values.shape)
    return np.maximum.reduceat(np.maximum.reduceat(values, rows, axis=0), columns, axis=1)


def _any(values: NDArray[np.bool_], step: int) -> NDArray[np.bool_]:
    rows, columns = (np.arange(0, length, step) for length in values.shape)
    return np.logical_or.reduceat(np.logical_or.reduceat(values, rows, axis=0), columns, axis=1)
