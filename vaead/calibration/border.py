"""Anomaly maps of photos on the scale of normal photos, also near the border.

Few windows reach the pixels near the border, so their mean varies more there, and the largest pixel of a
normal photo would lie there more often than not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_LEVEL = 0.99
MOST_MAPS = 64
"""Maps from which the quantiles are taken at most, the first ones: more change them little."""


def fit_border(maps: Sequence[NDArray[np.float32]], reach_px: int) -> NDArray[np.float32]:
    """99 % quantile of the pixels of normal maps by their distance from the border.

    Never below the quantile of all pixels: that a normal border is quiet is no reason to see more in it.

    Args:
        maps: Maps (N, H, W) of normal photos, NaN where left out; sizes may differ from array to array.
        reach_px: Pixels farther from the border are all alike.

    Returns:
        (reach_px + 1,), above 0.
    """
    some = [one for each in maps for one in each][:MOST_MAPS]
    pixels = np.concatenate([one.ravel() for one in some])
    distances = np.concatenate([_distances(one.shape, reach_px).ravel() for one in some])
    seen = np.isfinite(pixels)
    pixels, distances = pixels[seen], distances[seen]
    overall = max(float(np.quantile(pixels, _LEVEL)), 1e-6)
    border = np.full(reach_px + 1, overall, np.float32)
    for distance in np.unique(distances):
        border[distance] = max(overall, float(np.quantile(pixels[distances == distance], _LEVEL)))
    return border


def divide_by_border(maps: NDArray[np.float32], border: NDArray[np.float32]) -> NDArray[np.float32]:
    """Maps (N, H, W) in units of what `fit_border` found: 1 is the 99 % quantile of normal pixels."""
    scaled: NDArray[np.float32] = maps / border[_distances(maps.shape[1:], len(border) - 1)]
    return scaled


def _distances(shape: tuple[int, ...], most: int) -> NDArray[np.intp]:
    """Distance of each pixel (H, W) from the border, at most a limit."""
    rows, columns = (np.minimum(np.arange(length), np.arange(length)[::-1]) for length in shape)
    return np.minimum(np.minimum.outer(rows, columns), most)
