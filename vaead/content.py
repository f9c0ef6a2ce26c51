"""The calibrated score of photos in which the same thing need not lie at the same place.

Where a window lies says nothing then; what it shows does. A window is compared with held-out normal windows
of like content, which the network tells by z: whether M is larger than theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vaead.maps import LOG_MAHALANOBIS, Z_MEAN


@dataclass(frozen=True)
class ContentDeviation:
    """Normal windows in groups of like content.

    Attributes:
        centers: Mean z of each group, (groups, latent_dim).
        median: Median of log M in each group, (groups,).
        spread: Spread of log M in each group, (groups,), above 0.
    """

    pooled: ClassVar[bool] = True

    centers: NDArray[np.float32]
    median: NDArray[np.float32]
    spread: NDArray[np.float32]

    def windows(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """How many spreads log M lies above the median of like normal windows.

        Args:
            features: (..., features), see `Scan.features`.

        Returns:
            (...), 0 for a usual normal window.
        """
        group = nearest(features[..., Z_MEAN], self.centers)
        above: NDArray[np.float32] = features[..., LOG_MAHALANOBIS] - self.median[group]
        return above / self.spread[group]


def nearest(z: NDArray[np.float32], centers: NDArray[np.float32]) -> NDArray[np.intp]:
    """Index of the center nearest to each z (..., latent_dim): (...)."""
    # |z - c|^2 without |z|^2, which is the same for all centers.
    nearness: NDArray[np.float32] = z @ centers.T - 0.5 * np.square(centers).sum(axis=1)
    found: NDArray[np.intp] = nearness.argmax(axis=-1)
    return found
