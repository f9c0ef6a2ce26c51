"""The calibrated score of photos in which the same thing need not lie at the same place.

Where a window lies says nothing then; what it shows does. A window is compared with held-out normal windows
of like content, which the network tells by z. A defect is often smaller than a window, so this is asked of
each of its cells: whether M is larger than theirs, or the signed error far from theirs. M finds what is
rough, the signed error what is a little too bright or too dark all over a cell, where a pixel may be noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vaead.config import NetworkConfig
from vaead.scoring.term_maps import Scan, logarithm

_BLOCK = 8192
"""Windows compared with all groups at a time, so that little memory is needed however many there are."""


@dataclass(frozen=True)
class ClusterReference:
    """Normal windows in groups of like content.

    Attributes:
        centers: Mean z of each group, (groups, latent_dim).
        median: Median of log M of each cell in each group, (groups, cells, cells).
        spread: How far above it the largest log M of each cell lies, (groups, cells, cells), above 0.
        signed_median: Median of the signed error of each cell in each group, (groups, cells, cells).
        signed_spread: How far from it the farthest one lies, (groups, cells, cells), above 0.
    """

    pooled: ClassVar[bool] = True
    above_0: ClassVar[tuple[str, ...]] = ("spread", "signed_spread")

    centers: NDArray[np.float32]
    median: NDArray[np.float32]
    spread: NDArray[np.float32]
    signed_median: NDArray[np.float32]
    signed_spread: NDArray[np.float32]

    def shapes(self, network: NetworkConfig) -> dict[str, tuple[int, ...]]:
        """The shapes that the arrays have for a network, by name."""
        groups, side = self.centers.shape[0], network.cells
        of_cells = ("median", "spread", "signed_median", "signed_spread")
        return {"centers": (groups, network.latent_dim)} | dict.fromkeys(of_cells, (groups, side, side))

    def window_scores(self, scan: Scan) -> NDArray[np.float32]:
        """How far log M lies above that of like normal windows, or the signed error from theirs.

        Returns:
            (N, rows, cols, cells, cells), squared spreads, of the two the larger; 1 is the largest known. M
            below the median does not count: a cell that is reproduced unusually well is no sign that those
            beside it are normal.
        """
        group = nearest(scan.z_mean, self.centers)
        above = (logarithm(scan.cells) - self.median[group]) / self.spread[group]
        aside = np.abs(scan.signed_cells - self.signed_median[group]) / self.signed_spread[group]
        shares: NDArray[np.float32] = np.square(np.maximum(above, aside))
        return shares


def nearest(z: NDArray[np.float32], centers: NDArray[np.float32]) -> NDArray[np.intp]:
    """Index of the center nearest to each z (..., latent_dim): (...)."""
    points = z.reshape(-1, z.shape[-1])
    offsets = 0.5 * np.square(centers).sum(axis=1)
    found = np.empty(len(points), np.intp)
    for start in range(0, len(points), _BLOCK):
        block = slice(start, start + _BLOCK)
        # |z - c|^2 without |z|^2, which is the same for all centers.
        found[block] = (points[block] @ centers.T - offsets).argmax(axis=1)
    return found.reshape(z.shape[:-1])
