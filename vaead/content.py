"""The calibrated score of photos in which the same thing need not lie at the same place.

Where a window lies says nothing then; what it shows does. A window is compared with held-out normal windows
of like content, which the network tells by z: whether M is larger than theirs. A defect is often smaller than
a window, so this is asked of each of its cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vaead.maps import Scan, logarithm


@dataclass(frozen=True)
class ContentDeviation:
    """Normal windows in groups of like content.

    Attributes:
        centers: Mean z of each group, (groups, latent_dim).
        median: Median of log M of each cell in each group, (groups, cells, cells).
        spread: How far above it the largest log M of each cell lies, (groups, cells, cells), above 0.
    """

    pooled: ClassVar[bool] = True

    centers: NDArray[np.float32]
    median: NDArray[np.float32]
    spread: NDArray[np.float32]

    def shares(self, scan: Scan) -> NDArray[np.float32]:
        """How far log M lies above that of like normal windows.

        Returns:
            (N, rows, cols, cells, cells), squared spreads above the median, and 0 below it: a cell that is
            reproduced unusually well is no sign that those beside it are normal. 1 is the largest known.
        """
        group = nearest(scan.z_mean, self.centers)
        above = (logarithm(scan.cells) - self.median[group]) / self.spread[group]
        shares: NDArray[np.float32] = np.square(np.maximum(above, 0))
        return shares


def nearest(z: NDArray[np.float32], centers: NDArray[np.float32]) -> NDArray[np.intp]:
    """Index of the center nearest to each z (..., latent_dim): (...)."""
    # |z - c|^2 without |z|^2, which is the same for all centers.
    nearness: NDArray[np.float32] = z @ centers.T - 0.5 * np.square(centers).sum(axis=1)
    found: NDArray[np.intp] = nearness.argmax(axis=-1)
    return found
