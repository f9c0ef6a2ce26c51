"""The calibrated score of photos that are not aligned: their distance from normal windows of like content.

The position of a window says nothing here; its content does, as z describes it. Normal windows are grouped by
z (k-means). A defect is often smaller than a window, so each cell of a window is compared with those of its
group, score = max(a, b)^2 with
a = (log M - median) / (largest of the group - median), which finds rough cells, and
b = |signed error - median| / (largest of the group), which finds cells that are a little too bright or too
dark all over, where one pixel may be noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vaead.config import NetworkConfig
from vaead.scoring.scan import Scan, logarithm

_GROUPS = 512
_LEAST_IN_GROUP = 80
"""At most so many groups, with at least so many windows each on average."""
_MOST_GROUPED = 2**16
"""Groups are found among so many windows at most, drawn at random; with more they hardly change."""
_FEW = 20
"""A group with fewer windows than this takes the values of all windows."""
_SMALLEST_SCALE = 0.01
"""Smallest scale of log M and of the signed error: where images are identical, rounding is no anomaly."""
_BLOCK = 8192
"""Windows compared with all groups at a time, to bound the memory."""


@dataclass(frozen=True)
class ClusterReference:
    """Normal windows in groups of like content.

    Attributes:
        centers: Mean z of each group, (groups, latent_dim).
        median: Median of log M of each cell in each group, (groups, cells, cells).
        scale: Largest log M of each cell above that median, (groups, cells, cells), above 0.
        signed_median: Median of the signed error of each cell in each group, (groups, cells, cells).
        signed_scale: Largest distance from that median, (groups, cells, cells), above 0.
    """

    positive: ClassVar[tuple[str, ...]] = ("scale", "signed_scale")

    centers: NDArray[np.float32]
    median: NDArray[np.float32]
    scale: NDArray[np.float32]
    signed_median: NDArray[np.float32]
    signed_scale: NDArray[np.float32]

    @classmethod
    def fit(cls, scans: Sequence[Scan]) -> ClusterReference:
        """Group the windows of normal images, whose sizes may differ."""
        z = np.concatenate([scan.z_mean.reshape(-1, scan.z_mean.shape[-1]) for scan in scans])
        centers = _cluster(z)
        group, every = nearest(z, centers), np.arange(len(z))
        members = [np.flatnonzero(group == index) for index in range(len(centers))]
        members = [found if len(found) >= _FEW else every for found in members]
        log_m = _joined([logarithm(scan.cells) for scan in scans])
        signed = _joined([scan.signed_cells for scan in scans])
        median, signed_median = (
            np.array([np.median(values[found], axis=0) for found in members], np.float32)
            for values in (log_m, signed)
        )
        above = [(log_m[found] - middle).max(axis=0) for found, middle in zip(members, median, strict=True)]
        aside = [
            np.abs(signed[found] - middle).max(axis=0)
            for found, middle in zip(members, signed_median, strict=True)
        ]
        return cls(centers, median, _scale(above), signed_median, _scale(aside))

    def shapes(self, network: NetworkConfig) -> dict[str, tuple[int, ...]]:
        """See `NormalReference`."""
        groups, side = self.centers.shape[0], network.cells
        of_cells = ("median", "scale", "signed_median", "signed_scale")
        return {"centers": (groups, network.latent_dim)} | dict.fromkeys(of_cells, (groups, side, side))

    def window_scores(self, scan: Scan) -> NDArray[np.float32]:
        """Squared distance of each cell from normal windows of like content.

        Returns:
            (N, rows, cols, cells, cells); 1 is the largest normal one. M below the median does not count: a
            cell that is reproduced unusually well is no sign that those beside it are normal.
        """
        group = nearest(scan.z_mean, self.centers)
        above = (logarithm(scan.cells) - self.median[group]) / self.scale[group]
        aside = np.abs(scan.signed_cells - self.signed_median[group]) / self.signed_scale[group]
        scores: NDArray[np.float32] = np.square(np.maximum(above, aside))
        return scores

    @staticmethod
    def image_scores(windows: NDArray[np.float32], maps: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: ARG004
        """The largest pixel of each map, (N,)."""
        return np.asarray(maps.max(axis=(1, 2)), np.float32)


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
    from sklearn.cluster import KMeans

    groups = max(1, min(_GROUPS, len(z) // _LEAST_IN_GROUP, len(np.unique(z, axis=0))))
    some = z if len(z) <= _MOST_GROUPED else np.random.default_rng(0).choice(z, _MOST_GROUPED, replace=False)
    centers: NDArray[np.float32] = KMeans(groups, n_init=1, random_state=0).fit(some).cluster_centers_
    return centers.astype(np.float32)


def _joined(cells: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Cells of all windows of all images: (windows, cells, cells)."""
    return np.concatenate([each.reshape(-1, *each.shape[3:]) for each in cells])


def _scale(distances: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    scale = np.array(distances)
    least = max(0.1 * float(np.median(scale)), _SMALLEST_SCALE)
    return np.maximum(scale, least).astype(np.float32)
