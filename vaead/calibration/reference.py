"""The distribution of normal windows that the calibrated score compares with: protocol and cross-fitting.

Source: thresholds from scores that were computed without the image itself, as in cross-conformal prediction;
V. Vovk, "Cross-conformal predictors", 2015.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from vaead.config import NetworkConfig
from vaead.scoring.scan import Scan
from vaead.scoring.term_maps import CalibratedScore, mean_map

_FOLDS = 4


class NormalReference(Protocol):
    """A distribution fitted to the windows of normal images; its attributes are the fitted arrays.

    Attributes:
        positive: Names of the arrays whose values are above 0.
    """

    positive: ClassVar[tuple[str, ...]]

    @classmethod
    def fit(cls, scans: Sequence[Scan]) -> Self:
        """Fit to normal images, at least one."""

    def shapes(self, network: NetworkConfig) -> dict[str, tuple[int, ...]]:
        """Shapes of the arrays for a network, by name."""

    def window_scores(self, scan: Scan) -> NDArray[np.float32]:
        """Calibrated score of each window (N, rows, cols), or of each of its cells (..., cells, cells)."""

    @staticmethod
    def image_scores(windows: NDArray[np.float32], maps: NDArray[np.float32]) -> NDArray[np.float32]:
        """Calibrated score of each image (N,), from those of its windows and from its map (N, H, W)."""


def calibrated_score(reference: NormalReference, windows: NDArray[np.float32], scan: Scan) -> CalibratedScore:
    """Scores and maps of images.

    Args:
        reference: Any of the kind that gave the scores.
        windows: Scores of the windows, see `NormalReference.window_scores`.
        scan: The images.
    """
    maps = mean_map(windows, scan.grid)
    return CalibratedScore(reference.image_scores(windows, maps), maps)


def cross_fit(kind: type[NormalReference], scans: Sequence[Scan]) -> list[NDArray[np.float32]]:
    """Window scores of normal images, each image by a reference that was fitted without it.

    Thresholds come from these: an image that helped to fit a reference looks more normal than a new one.

    Args:
        kind: Kind of the reference.
        scans: Normal images, one or more a scan. A single image is scored by itself.

    Returns:
        As `NormalReference.window_scores`, one array a scan.
    """
    from sklearn.model_selection import KFold

    count = sum(map(len, scans))
    if count < 2:
        return [kind.fit(scans).window_scores(scan) for scan in scans]
    scores: list[NDArray[np.float32] | None] = [None] * len(scans)
    folds = KFold(min(_FOLDS, count), shuffle=True, random_state=0)
    for others, tested in folds.split(np.arange(count)):
        reference = kind.fit([part for _, _, part in _select(scans, others)])
        for index, images, part in _select(scans, tested):
            found = reference.window_scores(part)
            total = scores[index]
            if total is None:
                total = scores[index] = np.empty((len(scans[index]), *found.shape[1:]), np.float32)
            total[images] = found
    return [each for each in scores if each is not None]


def _select(scans: Sequence[Scan], images: NDArray[np.intp]) -> Iterator[tuple[int, NDArray[np.intp], Scan]]:
    """Images numbered through all scans: index of the scan, indices in it, and a scan of these alone."""
    start = 0
    for index, scan in enumerate(scans):
        inside = images[(start <= images) & (images < start + len(scan))] - start
        if len(inside):
            yield index, inside, scan.take(inside)
        start += len(scan)
