"""Evidence of a photo as a whole: is it, taken all together, like normal photos?

Some defects change every window a little and none of them much, such as another material or a shift of focus.
A few statistics of a photo are compared with those of held-out normal photos: squared Mahalanobis distance,
divided by their number.

Source: the covariance is shrunk as in O. Ledoit and M. Wolf, "A well-conditioned estimator for
large-dimensional covariance matrices", 2004.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.distribution import Distribution
from vaead.calibration.robust import median_and_spread, standardise, with_least
from vaead.config import NetworkConfig
from vaead.scoring.scan import Scan

_TERMS = 4
"""The first features of a window: log M, log D, A and signed error; z follows, see `Scan.features`."""
_FEWEST = 3


@dataclass(frozen=True)
class WholeReference(Distribution):
    """Distribution of the statistics of normal photos.

    Attributes:
        center: Median of each statistic, (statistics,).
        scale: Robust standard deviation, (statistics,), above 0.
        mean: Mean of the standardised statistics, (statistics,).
        precision: Inverse of their covariance, (statistics, statistics).
    """

    positive: ClassVar[tuple[str, ...]] = ("scale",)

    center: NDArray[np.float32]
    scale: NDArray[np.float32]
    mean: NDArray[np.float32]
    precision: NDArray[np.float32]

    @classmethod
    def fit(cls, scans: Sequence[Scan]) -> Self:
        """Fit to normal photos, at least one."""
        found = np.concatenate([_statistics(scan) for scan in scans])
        center, spread = median_and_spread(found)
        scale = with_least(spread)
        z = standardise(found, center, scale)
        mean, precision = z.mean(axis=0), np.eye(z.shape[1])
        if len(z) >= _FEWEST and z.any():
            from sklearn.covariance import LedoitWolf

            precision = LedoitWolf().fit(z).precision_
        return cls(*(array.astype(np.float32) for array in (center, scale, mean, precision)))

    def shapes(self, network: NetworkConfig) -> dict[str, tuple[int, ...]]:
        """See `Distribution`."""
        size = self.n_statistics(network)
        return dict.fromkeys(("center", "scale", "mean"), (size,)) | {"precision": (size, size)}

    @staticmethod
    def n_statistics(network: NetworkConfig) -> int:
        """Number of statistics of a photo, for a network."""
        return 2 * (_TERMS + network.latent_dim) + 3 * _TERMS + 2

    def distances(self, scan: Scan) -> NDArray[np.float32]:
        """Squared distance of each photo from normal ones, (N,), at least 0; about 1 for normal photos."""
        z = standardise(_statistics(scan), self.center, self.scale) - self.mean
        distances = np.einsum("ni,ij,nj->n", z, self.precision, z) / z.shape[1]
        return np.asarray(np.maximum(distances, 0), np.float32)


def _statistics(scan: Scan) -> NDArray[np.float64]:
    """(N, statistics): of all features mean and spread, of the terms also their extremes; and the light."""
    features = scan.features[:, scan.grid.kept.ravel()].astype(np.float64)
    terms = features[:, :, :_TERMS]
    parts = [features.mean(axis=1), features.std(axis=1), np.quantile(terms, 0.99, axis=1)]
    return np.concatenate([*parts, terms.max(axis=1), terms.min(axis=1), np.log(scan.light)], axis=1)
