"""Scores and anomaly maps of images, from the terms of their windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaead.errors import InvalidInputError, UnknownNameError
from vaead.scoring.loss_terms import SCORES, TERMS
from vaead.scoring.patches import PatchGrid, average_windows, coverage, fold_scores


@dataclass(frozen=True)
class CalibratedScore:
    """Calibrated score of images, without a unit; about 1 for normal images.

    Attributes:
        image: Anomaly score of each image, (N,).
        map: Anomaly map, (N, H, W): for each pixel the mean of the windows over it.
        by_whole: (N,), True where the score comes from the image as a whole more than from any place in it.
    """

    image: NDArray[np.float32]
    map: NDArray[np.float32]
    by_whole: NDArray[np.bool_]

    @classmethod
    def concatenate(cls, parts: Sequence[CalibratedScore]) -> CalibratedScore:
        """The score of all images, from those of some of them."""
        image, maps, by_whole = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("image", "map", "by_whole")
        )
        return cls(image, maps, by_whole)

    @classmethod
    def average(cls, networks: Sequence[CalibratedScore]) -> CalibratedScore:
        """The mean over the networks of a model; the whole decides where it does in most of them."""
        image, maps, by_whole = (
            np.mean([getattr(network, name) for network in networks], axis=0, dtype=np.float32)
            for name in ("image", "map", "by_whole")
        )
        return cls(np.asarray(image), np.asarray(maps), np.asarray(by_whole > 0.5))


@dataclass(frozen=True)
class TermMaps:
    """D, A and M of every window of every image, each (N, rows, cols) in nats.

    Attributes:
        grid: Positions of the windows.
        calibrated: None where the images are not as large as those that the model has learned from.
    """

    kl: NDArray[np.float32]
    log_variance: NDArray[np.float32]
    mahalanobis: NDArray[np.float32]
    grid: PatchGrid
    calibrated: CalibratedScore | None = None

    @property
    def scores(self) -> tuple[str, ...]:
        """Names of the scores that there are."""
        return SCORES if self.calibrated is not None else SCORES[:2]

    def window_scores(self, score: str) -> NDArray[np.float32]:
        """Score of every window.

        Args:
            score: "old" (D + A + M), "new" (M), "calibrated", or the name of one term.

        Returns:
            (N, rows, cols), in nats. For calibrated, whose windows may have several sizes, its map (N, H, W).
            NaN for windows and pixels that are left out.

        Raises:
            UnknownNameError: There is no such score.
            InvalidInputError: There is nothing to calibrate with.
        """
        if score == "old":
            return self._kept(self.kl + self.log_variance + self.mahalanobis)
        if score == "new":
            return self._kept(self.mahalanobis)
        if score == "calibrated":
            return self._require_calibrated().map
        if score in TERMS:
            return self._kept(getattr(self, score))
        raise UnknownNameError(
            f"score must be one of {', '.join((*SCORES, *TERMS))}, got {score!r}; choose one of these"
        )

    def _kept(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        return windows if self.grid.ignored is None else np.where(self.grid.kept, windows, np.float32(np.nan))

    def _require_calibrated(self) -> CalibratedScore:
        if self.calibrated is None:
            raise InvalidInputError(
                "images must be as large as the training images for the calibrated score, got "
                f"{self.grid.height_px}x{self.grid.width_px}; use old or new, or images of that size"
            )
        return self.calibrated

    def sum_maps(self, score: str) -> NDArray[np.float32]:
        """Anomaly maps (N, H, W): for each pixel the sum of the scores of the windows over it, in nats.

        The mean for the calibrated score, see `CalibratedScore`.
        """
        windows = self.window_scores(score)
        return windows if score == "calibrated" else sum_map(windows, self.grid)

    def anomaly_maps(self, score: str) -> NDArray[np.float32]:
        """Anomaly maps (N, H, W): for each pixel the mean of the windows over it, in the unit of windows."""
        windows = self.window_scores(score)
        return windows if score == "calibrated" else mean_map(windows, self.grid)

    def mask_above(self, score: str, threshold: float) -> NDArray[np.bool_]:
        """Pixels (N, H, W) under a window whose score is above a threshold."""
        flagged = self.window_scores(score) > np.float64(threshold)
        if score == "calibrated":
            return flagged
        under = fold_scores(flagged, self.grid) > 0
        return under if self.grid.blank is None else under & ~self.grid.blank

    def image_scores(self, score: str) -> NDArray[np.float32]:
        """Anomaly scores (N,): the largest window of each image; calibrated is a distance of the whole image.

        Source: for old and new arXiv:1807.05800, section 4: an image is anomalous if one patch is.
        """
        return self._require_calibrated().image if score == "calibrated" else self.window_max(score)

    def window_max(self, score: str) -> NDArray[np.float32]:
        """The largest window of each image, or for calibrated the largest pixel of its map, (N,)."""
        windows = self.window_scores(score)
        largest: NDArray[np.float32] = np.fmax.reduce(windows.reshape(len(windows), -1), axis=1)
        return largest


def sum_map(windows: NDArray[np.float32], grid: PatchGrid) -> NDArray[np.float32]:
    """For each pixel (N, H, W) the sum of the windows or cells over it; NaN where all are left out."""
    if grid.blank is None:
        return fold_scores(windows, grid)
    kept = grid.kept.reshape(grid.shape + (1,) * (windows.ndim - 3))
    folded = fold_scores(np.where(kept, windows, np.float32(0)), grid)
    folded[:, grid.blank] = np.nan
    return folded


def mean_map(
    windows: NDArray[np.float32], grid: PatchGrid, shares: NDArray[np.floating] | None = None
) -> NDArray[np.float32]:
    """For each pixel (N, H, W) the mean of the windows or cells over it, as `fold_scores` takes them.

    With shares, see `Scan.shares`, each pixel of a window gets its share of the score.
    """
    if shares is None:
        return np.asarray(sum_map(windows, grid) / np.maximum(coverage(grid), 1), np.float32)
    return average_windows(windows[..., None, None] * shares, grid)


def mean_of_largest(values: NDArray[np.floating], share: float) -> NDArray[np.float32]:
    """Mean of the largest share of the values of each image, (N, values): (N,); at least one counts."""
    count = max(1, round(share * values.shape[1]))
    return np.asarray(np.partition(values, -count, axis=1)[:, -count:].mean(axis=1), np.float32)
