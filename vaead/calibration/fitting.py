"""Learn from held-out normal images what the calibrated score compares with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.decomposition import PCA
from sklearn.model_selection import KFold

from vaead.calibration.clusters import ClusterReference, nearest
from vaead.calibration.gaussian import GaussianReference, deviations_of
from vaead.calibration.thresholds import NormalScores
from vaead.scoring.term_maps import Calibrated, Scan, TermMaps, logarithm

_AXES = 128
"""Directions in which normal images vary that are kept; along all others they vary equally little."""
_SPREAD_QUANTILES = (0.16, 0.84)
"""Half their distance is the standard deviation of a normal distribution, and outliers do not move it."""
_FOLDS = 4
_GROUPS = 512
_LEAST_IN_GROUP = 80
"""Groups of like content: at most so many, with at least so many windows each on average."""
_MOST_GROUPED = 2**16
"""Groups are found among so many windows at most, drawn at random; with more they hardly change."""
_FEW = 20
"""With fewer windows than this a group takes what holds for all."""
_LEAST_SPREAD = 0.01
"""Of log M and of the signed error: a hundredth is no deviation, even where all images are the same."""


def calibrate(held_out: Sequence[Scan]) -> tuple[list[GaussianReference], NormalScores]:
    """Learn how held-out normal images vary and which scores they get.

    Args:
        held_out: What each network of the model says about them, the main one first.
    """
    main = held_out[0]
    shares = [(cross_fitted(scan.features).reshape(-1, *scan.grid.shape), scan.grid) for scan in held_out]
    terms = TermMaps(main.kl, main.log_variance, main.mahalanobis, main.grid, Calibrated.of(shares))
    return [fit_deviation(scan.features) for scan in held_out], NormalScores.of(terms)


def calibrate_pooled(held_out: Sequence[Sequence[Scan]]) -> tuple[list[ClusterReference], NormalScores]:
    """As `calibrate`, for images in which the same thing need not lie at the same place.

    Args:
        held_out: What each network says about each of them, one scan an image; their sizes may differ.
    """
    shares = [
        [(share, scan.grid) for share, scan in zip(_cross_fitted_images(scans), scans, strict=True)]
        for scans in held_out
    ]
    terms = [
        TermMaps(scan.kl, scan.log_variance, scan.mahalanobis, scan.grid, Calibrated.of(image, pooled=True))
        for scan, image in zip(held_out[0], zip(*shares, strict=True), strict=True)
    ]
    return [fit_content(scans) for scans in held_out], NormalScores.of(*terms)


def _cross_fitted_images(scans: Sequence[Scan]) -> list[NDArray[np.float32]]:
    """Shares of the cells of each image, judged by the windows of other images."""
    if len(scans) < 2:
        return [fit_content(scans).window_scores(own) for own in scans]
    shares: dict[int, NDArray[np.float32]] = {}
    folds = KFold(min(_FOLDS, len(scans)), shuffle=True, random_state=0)
    for others, judged in folds.split(scans):
        deviation = fit_content([scans[index] for index in others])
        shares |= {index: deviation.window_scores(scans[index]) for index in judged}
    return [shares[index] for index in range(len(scans))]


def fit_content(scans: Sequence[Scan]) -> ClusterReference:
    """Group normal windows by their content and learn the usual errors of the cells of each group.

    Args:
        scans: What the network says about each held-out normal image; their sizes may differ.
    """
    z = np.concatenate([scan.z_mean.reshape(-1, scan.z_mean.shape[-1]) for scan in scans])
    log_m, signed = (
        np.concatenate([values.reshape(-1, *values.shape[3:]) for values in of_scans])
        for of_scans in ([logarithm(scan.cells) for scan in scans], [scan.signed_cells for scan in scans])
    )
    groups = max(1, min(_GROUPS, len(z) // _LEAST_IN_GROUP, len(np.unique(z, axis=0))))
    some = z if len(z) <= _MOST_GROUPED else np.random.default_rng(0).choice(z, _MOST_GROUPED, replace=False)
    centers = KMeans(groups, n_init=1, random_state=0).fit(some).cluster_centers_.astype(np.float32)
    group = nearest(z, centers)
    everywhere = np.arange(len(z))
    members = [np.flatnonzero(group == index) for index in range(groups)]
    members = [found if len(found) >= _FEW else everywhere for found in members]
    median, signed_median = (
        np.array([np.median(values[found], axis=0) for found in members], np.float32)
        for values in (log_m, signed)
    )
    above = [(log_m[found] - middle).max(axis=0) for found, middle in zip(members, median, strict=True)]
    aside = [
        np.abs(signed[found] - middle).max(axis=0)
        for found, middle in zip(members, signed_median, strict=True)
    ]
    return ClusterReference(
        centers=centers,
        median=median,
        spread=_above_0(np.array(above)),
        signed_median=signed_median,
        signed_spread=_above_0(np.array(aside)),
    )


def _above_0(spread: NDArray[np.float32]) -> NDArray[np.float32]:
    least = max(0.1 * float(np.median(spread)), _LEAST_SPREAD)
    return np.maximum(spread, least).astype(np.float32)


def fit_deviation(features: NDArray[np.float32]) -> GaussianReference:
    """Learn how normal images vary.

    Args:
        features: (N, windows, features) of held-out normal images, N at least 1.

    Source: covariance shrunk as in O. Ledoit and M. Wolf, "A well-conditioned estimator for
    large-dimensional covariance matrices", 2004; its small eigenvalues replaced by their mean, as in
    probabilistic PCA.
    """
    center = np.median(features, axis=0)
    low, high = np.quantile(features, _SPREAD_QUANTILES, axis=0)
    spread = (high - low) / 2
    # A feature that hardly varies must not turn rounding into a deviation.
    spread = np.maximum(spread, 1e-3 * np.median(spread) + 1e-6)
    deviations = deviations_of(features, center, spread)
    count, size = deviations.shape
    # Of the directions that are not kept, enough must be left to tell their variance.
    kept = min(_AXES, count // 2, size // 2)
    if count < 3 or not deviations.any():
        mean, axes, variance, rest = deviations.mean(axis=0), np.empty((size, 0)), np.empty(0), 1.0
    else:
        pca = PCA(kept, svd_solver="randomized", random_state=0).fit(deviations)
        shrinkage = ledoit_wolf_shrinkage(deviations)
        total = float(deviations.var(axis=0, ddof=1).sum())
        mean, axes = pca.mean_, pca.components_.T
        variance = (1 - shrinkage) * pca.explained_variance_ + shrinkage * total / size
        rest = max((total - float(variance.sum())) / (size - kept), 1e-6 * total / size)
        # Where images are copies of a few, there is no variance along some of the axes.
        variance = np.maximum(variance, rest)
    return GaussianReference(
        center=center.astype(np.float32),
        spread=spread.astype(np.float32),
        mean=mean.astype(np.float32),
        axes=axes.astype(np.float16),
        variance=variance.astype(np.float32),
        rest=np.array(rest, np.float32),
    )


def cross_fitted(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shares of windows as `GaussianReference.windows`, each image by a reference fitted without it.

    Thresholds come from these: an image that helped to learn what is normal looks more normal than a new one.
    """
    if len(features) < 2:
        return fit_deviation(features).windows(features)
    shares = np.empty(features.shape[:2], np.float32)
    folds = KFold(min(_FOLDS, len(features)), shuffle=True, random_state=0)
    for others, judged in folds.split(features):
        shares[judged] = fit_deviation(features[others]).windows(features[judged])
    return shares
