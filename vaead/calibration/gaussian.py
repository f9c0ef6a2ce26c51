"""The calibrated score: how far an image is from held-out normal images, window by window.

Every feature of every window (see `Scan.features`) is compared with what held-out normal images show at the
same place. Neighbouring windows vary together, so deviations are judged together: the score is the squared
Mahalanobis distance of all of them. It counts little where normal images differ from each other anyway, and
much where they never do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vaead.config import NetworkConfig
from vaead.scoring.term_maps import Scan

_LIMIT = 8.0
"""Largest deviation in spreads, so that one feature cannot decide alone."""


@dataclass(frozen=True)
class GaussianReference:
    """The distribution of held-out normal images.

    Attributes:
        center: Median of each feature, (windows, features).
        spread: Spread of each feature, (windows, features), above 0.
        mean: Mean of the deviations, (windows * features,).
        axes: Directions of largest variance, as columns, (windows * features, k), orthonormal.
        variance: Along each axis, (k,).
        rest: Variance along every other direction.
    """

    pooled: ClassVar[bool] = False
    above_0: ClassVar[tuple[str, ...]] = ("spread", "variance", "rest")

    center: NDArray[np.float32]
    spread: NDArray[np.float32]
    mean: NDArray[np.float32]
    axes: NDArray[np.float16]
    variance: NDArray[np.float32]
    rest: NDArray[np.float32]  # an array without dimensions, to be stored with the others

    def shapes(self, network: NetworkConfig) -> dict[str, tuple[int, ...]]:
        """The shapes that the arrays have for a network, by name."""
        windows, features, kept = self.center.shape[0], 4 + network.latent_dim, self.axes.shape[1]
        return {
            "center": (windows, features),
            "spread": (windows, features),
            "mean": (windows * features,),
            "axes": (windows * features, kept),
            "variance": (kept,),
            "rest": (),
        }

    def window_scores(self, scan: Scan) -> NDArray[np.float32]:
        """What each window (N, rows, cols) adds to the distance; see `windows`."""
        return self.windows(scan.features).reshape(scan.kl.shape)

    def windows(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Split the squared distance of images from normal ones into their windows.

        Args:
            features: (N, windows, features).

        Returns:
            (N, windows), shares that may be below 0. Their mean is the squared distance divided by the number
            of its dimensions, about 1 for normal images.
        """
        deviations = deviations_of(features, self.center, self.spread) - self.mean
        axes = self.axes.astype(np.float32)
        # The inverse covariance is 1 / rest, and something else along the axes.
        along = (deviations @ axes) * (1 / self.variance - 1 / self.rest)
        weighed = along @ axes.T + deviations / self.rest
        shares = (deviations * weighed).reshape(features.shape).mean(axis=-1)
        return np.asarray(shares, dtype=np.float32)


def deviations_of(
    features: NDArray[np.float32], center: NDArray[np.float32], spread: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Deviations in spreads, (N, windows * features); the arguments as in `GaussianReference`."""
    deviations: NDArray[np.float32] = np.clip((features - center) / spread, -_LIMIT, _LIMIT)
    return deviations.reshape(len(features), -1)
