"""Evidence of windows in photos: their distance from normal windows of like content.

The position of a window says nothing here; its content does, as z describes it. Normal windows are grouped by
z (k-means). A defect is often smaller than a window, so each cell of a window is compared with those of its
group, score = max(a, b)^2 with
a = (log M - median) / (largest of the group - median), which finds rough cells, and
b = |C^(-1/2) (signed error - median)| / (largest of the group), which finds cells that are a little too
bright, too dark or of another colour all over, where one pixel may be noise.

C is the correlation of the signed errors of red, green and blue in normal cells (1 if there is but grey).
What the network cannot redraw, such as grain, is brighter or darker in all three alike. Beside that, another
colour is a small error in each, though no normal cell has it. The hue that a whole image has does not count
(`Scan.shifts`).

Source: C^(-1/2) is the symmetric whitening (ZCA) of A. Bell and T. Sejnowski, "The 'independent components'
of natural scenes are edge filters", 1997.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.distribution import Distribution
from vaead.config import NetworkConfig
from vaead.scoring.scan import Scan, logarithm

_GROUPS = 256
_LEAST_IN_GROUP = 80
"""At most so many groups, with at least so many windows each on average."""
_MOST_WINDOWS = 2**16
"""References are fitted to so many windows at most, drawn at random; with more they hardly change."""
_FIRST_WINDOWS = 2**13
"""Windows among which the search for groups begins. It takes as long as the rest if these are all."""
_FEW = 10
"""A group with fewer windows than this takes the values of all windows."""
_LEVEL = 1.0
"""Quantile of a group that is its scale. On made-up defects in four sets of photos the largest value finds
more than the 99 % quantile, see `benchmarks/choices.py`."""
_PRIOR_WINDOWS = (0, 100, 500)
"""The scale of all windows counts as much in each group as so many windows of its own. No number is best for
all photos: on made-up defects groups alone are best for screws, and 500 for hazelnuts."""
_SMALLEST_SCALE = 0.01
"""Smallest scale of log M and of the signed error: where images are identical, rounding is no anomaly."""
_LEAST_EIGENVALUE = 1e-3
"""Of C: where colours are copies of each other, rounding is no other colour."""
_BLOCK = 8192
"""Windows compared with all groups at a time, to bound the memory."""


@dataclass(frozen=True)
class ClusterReference(Distribution):
    """Normal windows in groups of like content.

    Attributes:
        centers: Mean z of each group, (groups, latent_dim).
        median: Median of log M of each cell in each group, (groups, cells, cells).
        scale: Largest log M of each cell above that median, (groups, cells, cells), above 0.
        signed_median: Median of the signed errors of each cell in each group, (groups, cells, cells,
            channels).
        signed_scale: Largest distance from that median, (groups, cells, cells), above 0.
        whitening: C^(-1/2), (channels, channels).
    """

    positive: ClassVar[tuple[str, ...]] = ("scale", "signed_scale")

    centers: NDArray[np.float32]
    median: NDArray[np.float32]
    scale: NDArray[np.float32]
    signed_median: NDArray[np.float32]
    signed_scale: NDArray[np.float32]
    whitening: NDArray[np.float32]

    @classmethod
    def fit(cls, scans: Sequence[Scan]) -> Self:
        """The first of `fit_variants`."""
        return cls.fit_variants(scans)[0]

    @classmethod
    def fit_variants(cls, scans: Sequence[Scan]) -> list[Self]:
        """Group the windows of normal images, whose sizes may differ; see `_PRIOR_WINDOWS`."""
        z, log_m, signed = _draw_windows(scans)
        centers = _cluster(z)
        group, every = nearest(z, centers), np.arange(len(z))
        members = [np.flatnonzero(group == index) for index in range(len(centers))]
        members = [found if len(found) >= _FEW else every for found in members]
        median, signed_median = (
            np.array([np.median(values[found], axis=0) for found in members], np.float32)
            for values in (log_m, signed)
        )
        whitening = _whitening(signed[found] - signed_median[index] for index, found in enumerate(members))
        largest, signed_largest = (
            np.array([np.quantile(far(found, index), _LEVEL, axis=0) for index, found in enumerate(members)])
            for far in (
                lambda found, index: log_m[found] - median[index],
                lambda found, index: _length(signed[found] - signed_median[index], whitening),
            )
        )
        sizes = np.array([len(found) for found in members])[:, None, None]
        return [
            cls(
                centers,
                median,
                _scale(largest, sizes, prior),
                signed_median,
                _scale(signed_largest, sizes, prior),
                whitening,
            )
            for prior in _PRIOR_WINDOWS
        ]

    def shapes(self, network: NetworkConfig) -> dict[str, tuple[int, ...]]:
        """See `Distribution`."""
        groups, side = max(1, self.centers.shape[0]), network.cells
        of_cells = ("median", "scale", "signed_scale")
        return dict.fromkeys(of_cells, (groups, side, side)) | {
            "centers": (groups, network.latent_dim),
            "signed_median": (groups, side, side, network.channels),
            "whitening": (network.channels, network.channels),
        }

    def cell_scores(self, scan: Scan, group: NDArray[np.intp]) -> NDArray[np.float32]:
        """Squared distance of each cell from normal windows of like content.

        Args:
            scan: Outputs of the network.
            group: Index of the group of each window, (N, rows, cols), from `nearest`.

        Returns:
            (N, rows, cols, cells, cells); 1 is the largest of normal ones. M below the median does not count:
            a cell that is reproduced unusually well is no sign that those beside it are normal.
        """
        above = (logarithm(scan.cells) - self.median[group]) / self.scale[group]
        shift = _length(scan.shifts - self.signed_median[group], self.whitening)
        aside = shift / self.signed_scale[group]
        scores: NDArray[np.float32] = np.square(np.maximum(above, aside))
        return scores


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


def _cluster(z: NDArray[np.float32]) -> NDArray[np.float32]:
    """Centers of groups of like z (windows, latent_dim): (groups, latent_dim)."""
    from sklearn.cluster import KMeans, kmeans_plusplus

    # The first centers are well spread among some of the windows, which are in no order.
    some = z[np.random.default_rng(1).permutation(len(z))[:_FIRST_WINDOWS]]
    groups = max(1, min(_GROUPS, len(z) // _LEAST_IN_GROUP, len(np.unique(some, axis=0))))
    first, _ = kmeans_plusplus(some.astype(np.float64), groups, random_state=0)
    means = KMeans(groups, init=first.astype(np.float32), n_init=1, max_iter=30).fit(z)
    return np.asarray(means.cluster_centers_, np.float32)


def _draw_windows(
    scans: Sequence[Scan],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Of some windows z (windows, latent_dim), and of their cells log M and `Scan.shifts`."""
    counts = [len(scan) * int(scan.grid.kept.sum()) for scan in scans]
    total, rng = sum(counts), np.random.default_rng(0)
    chosen = np.arange(total) if total <= _MOST_WINDOWS else np.sort(rng.permutation(total)[:_MOST_WINDOWS])
    ends = np.cumsum(counts)
    parts = [
        chosen[np.searchsorted(chosen, end - count) : np.searchsorted(chosen, end)] - (end - count)
        for count, end in zip(counts, ends, strict=True)
    ]

    def join(arrays: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        return np.concatenate(
            [array.reshape(-1, *array.shape[2:])[part] for array, part in zip(arrays, parts, strict=True)]
        )

    z, cells, signed = (
        join([scan.of_kept(getattr(scan, name)) for scan in scans]) for name in ("z_mean", "cells", "shifts")
    )
    return z, logarithm(cells), signed


def _whitening(of_groups: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
    """C^(-1/2) of signed errors of cells (..., channels), less the medians of their groups."""
    flat = (shifts.reshape(-1, shifts.shape[-1]).astype(np.float64) for shifts in of_groups)
    products = np.sum([shifts.T @ shifts for shifts in flat], axis=0)
    size = np.sqrt(np.maximum(np.diag(products), 1e-12))
    correlation = products / np.outer(size, size)
    np.fill_diagonal(correlation, 1)  # also of a colour without any error
    values, axes = np.linalg.eigh(correlation)
    return np.asarray(axes / np.sqrt(np.maximum(values, _LEAST_EIGENVALUE)) @ axes.T, np.float32)


def _length(shifts: NDArray[np.float32], whitening: NDArray[np.float32]) -> NDArray[np.float32]:
    """Length of whitened signed errors (..., channels): (...)."""
    if shifts.shape[-1] == 1:
        return np.abs(shifts[..., 0])
    white = shifts @ whitening
    return np.asarray(np.sqrt(np.einsum("...c,...c->...", white, white)))


def _scale(largest: NDArray[np.float32], sizes: NDArray[np.intp], prior: int) -> NDArray[np.float32]:
    """Largest distances in each group, drawn towards their mean over all groups."""
    shared = (sizes * largest).sum(axis=0) / sizes.sum()
    scale = (sizes * largest + prior * shared) / (sizes + prior)
    least = max(0.1 * float(np.median(scale)), _SMALLEST_SCALE)
    return np.asarray(np.maximum(scale, least), np.float32)
