"""Evidence of places in aligned images: their distance from held-out normal images, window by window.

Every feature of every window (see `Scan.features`) is compared with held-out normal images at the same
position: z = (feature - median) / scale. Neighbouring windows vary together, so the score is the squared
Mahalanobis distance of all z of an image, d2 = z^T S^-1 z. It counts little where normal images differ from
each other anyway, and much where they never do. It splits exactly into windows:
d2 = sum over windows w of z_w (S^-1 z)_w, so that one figure is both the evidence of the image and its map.

Source: S is shrunk as in O. Ledoit and M. Wolf, "A well-conditioned estimator for large-dimensional
covariance matrices", 2004, and its small eigenvalues are replaced by their mean, as in probabilistic PCA
(M. Tipping and C. Bishop, 1999).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.distribution import Distribution
from vaead.calibration.robust import median_and_spread, standardise, with_least
from vaead.config import NetworkConfig
from vaead.scoring.scan import Scan

_COMPONENTS = 128


@dataclass(frozen=True)
class GaussianReference(Distribution):
    """A Gaussian distribution of the standardised features of aligned normal images.

    Attributes:
        median: (windows, features).
        scale: Robust standard deviation, (windows, features), above 0.
        mean: Mean of z, (windows * features,).
        components: Directions of largest variance, (k, windows * features), orthonormal.
        explained_variance: Variance along each component, (k,).
        noise_variance: Variance along every other direction, an array without dimensions.
    """

    positive: ClassVar[tuple[str, ...]] = ("scale", "explained_variance", "noise_variance")

    median: NDArray[np.float32]
    scale: NDArray[np.float32]
    mean: NDArray[np.float32]
    components: NDArray[np.float16]
    explained_variance: NDArray[np.float32]
    noise_variance: NDArray[np.float32]

    @classmethod
    def fit(cls, scans: Sequence[Scan]) -> Self:
        """Fit to aligned normal images of one size, at least one."""
        kept = scans[0].grid.kept.ravel()
        return cls.fit_features(np.concatenate([scan.features for scan in scans]), kept)

    @classmethod
    def fit_features(cls, features: NDArray[np.float32], kept: NDArray[np.bool_] | None = None) -> Self:
        """Fit to the features of normal images, (N, windows, features); see `feature_scores`."""
        counts = _counts(features, kept)
        median, scale = median_and_spread(features)
        scale = with_least(scale, counts.reshape(scale.shape))
        return cls(
            median.astype(np.float32),
            scale.astype(np.float32),
            **_spread_out(_covariance(_standardised(features, median, scale)[:, counts]), counts),
        )

    def shapes(self, network: NetworkConfig) -> dict[str, tuple[int, ...]]:
        """See `Distribution`."""
        windows, features, kept = self.median.shape[0], 4 + network.latent_dim, self.components.shape[0]
        return {
            "median": (windows, features),
            "scale": (windows, features),
            "mean": (windows * features,),
            "components": (kept, windows * features),
            "explained_variance": (kept,),
            "noise_variance": (),
        }

    def window_scores(self, scan: Scan) -> NDArray[np.float32]:
        """Contribution of each window to the distance, (N, rows, cols); see `feature_scores`."""
        return self.feature_scores(scan.features, scan.grid.kept.ravel()).reshape(scan.kl.shape)

    def feature_scores(
        self, features: NDArray[np.float32], kept: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float32]:
        """Contribution of each window to the squared distance of its image from normal ones.

        Args:
            features: (N, windows, features).
            kept: (windows,), False for those that are left out, whose score is 0; all count if not given.

        Returns:
            (N, windows), some below 0. Their mean is d2 divided by the number of its dimensions, about 1 for
            normal images.
        """
        z = _standardised(features, self.median, self.scale) - self.mean
        z[:, ~_counts(features, kept)] = 0
        components = self.components.astype(np.float32)
        # S^-1 is 1 / noise_variance, but along the components.
        along = (z @ components.T) * (1 / self.explained_variance - 1 / self.noise_variance)
        weighed = along @ components + z / self.noise_variance
        scores = (z * weighed).reshape(features.shape).mean(axis=-1)
        return np.asarray(scores, dtype=np.float32)


def _counts(features: NDArray[np.float32], kept: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """(windows * features,), True for the features of windows that count."""
    _, windows, size = features.shape
    return np.repeat(np.ones(windows, np.bool_) if kept is None else kept, size)


def _spread_out(found: dict[str, Any], counts: NDArray[np.bool_]) -> dict[str, Any]:
    """What `_covariance` has found of the features that count, with 0 for all others."""
    for name in ("mean", "components"):
        values = np.zeros((*found[name].shape[:-1], len(counts)), found[name].dtype)
        values[..., counts] = found[name]
        found[name] = values
    return found


def _standardised(
    features: NDArray[np.float32], median: NDArray[np.float32], scale: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Z of every feature, clipped: (N, windows * features)."""
    return standardise(features, median, scale).reshape(len(features), -1)


def _covariance(z: NDArray[np.float32]) -> dict[str, Any]:
    """Mean and covariance of z (N, size): the last four arrays of `GaussianReference`."""
    count, size = z.shape
    # Of the directions that are not kept, enough must be left to estimate their variance.
    kept = min(_COMPONENTS, count // 2, size // 2)
    if count < 3 or not z.any():
        mean, components, variance, noise = z.mean(axis=0), np.empty((0, size)), np.empty(0), 1.0
    else:
        from sklearn.decomposition import PCA

        pca = PCA(kept, svd_solver="randomized", random_state=0).fit(z)
        shrinkage = _shrinkage(z - z.mean(axis=0))
        total = float(z.var(axis=0, ddof=1).sum())
        mean, components = pca.mean_, pca.components_
        variance = (1 - shrinkage) * pca.explained_variance_ + shrinkage * total / size
        noise = max((total - float(variance.sum())) / (size - kept), 1e-6 * total / size)
        # Where images are copies of a few, there is no variance along some of the components.
        variance = np.maximum(variance, noise)
    return {
        "mean": mean.astype(np.float32),
        "components": components.astype(np.float16),
        "explained_variance": variance.astype(np.float32),
        "noise_variance": np.array(noise, np.float32),
    }


def _shrinkage(centred: NDArray[np.float32]) -> float:
    """Ledoit-Wolf shrinkage of the covariance of centred values (N, size), 0 to 1.

    As `sklearn.covariance.ledoit_wolf_shrinkage`, which sums over all pairs of values, of which there are
    10^8 in a photo. All that is needed of them are two sums of squares, and these are also sums over images.
    """
    count, size = centred.shape
    squared_norms = np.square(centred, dtype=np.float64).sum(axis=1)
    product = centred @ centred.T if count < size else centred.T @ centred
    squared = float(np.square(product, dtype=np.float64).sum()) / count**2
    mean = float(squared_norms.sum()) / (count * size)
    distance = squared / size - mean**2
    error = (float(np.square(squared_norms).sum()) / count - squared) / (size * count)
    return min(error, distance) / distance if distance > 0 and error > 0 else 0.0
