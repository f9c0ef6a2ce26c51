"""What is known of every window of every image, and the scores and maps made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaead.errors import InvalidInputError, UnknownNameError
from vaead.scoring.loss_terms import SCORES, TERMS
from vaead.scoring.patches import PatchGrid, coverage, fold_scores

_LEAST = 1e-3
"""D and M below this, in nats, differ by rounding alone; their logarithms must not."""


@dataclass(frozen=True)
class Scan:
    """What the network says about windows; each (N, rows, cols), in nats where it is a term.

    Attributes:
        signed_error: See `vaead.scoring.loss_terms.signed_error_term`.
        z_mean: (N, rows, cols, latent_dim).
        cells: M of each of the square cells into which a window is split, (N, rows, cols, cells, cells); of
            a network that does not split its windows, that of the whole window.
        signed_cells: The signed error of each of them, of the same shape.
    """

    kl: NDArray[np.float32]
    log_variance: NDArray[np.float32]
    mahalanobis: NDArray[np.float32]
    signed_error: NDArray[np.float32]
    z_mean: NDArray[np.float32]
    cells: NDArray[np.float32]
    signed_cells: NDArray[np.float32]
    grid: PatchGrid

    @property
    def features(self) -> NDArray[np.float32]:
        """What the calibrated score compares: (N, windows, 4 + latent_dim).

        A, signed error and z as they are; M and D, which are sums of squares, as logarithms.
        """
        logs = [logarithm(term) for term in (self.mahalanobis, self.kl)]
        columns = np.stack([*logs, self.log_variance, self.signed_error], axis=-1)
        features = np.concatenate([columns, self.z_mean], axis=-1)
        return features.reshape(len(features), -1, features.shape[-1])


@dataclass(frozen=True)
class Calibrated:
    """The calibrated score of images, without a unit; about 1 for normal images.

    Attributes:
        score: (N,).
        map: (N, H, W), for each pixel the mean share of the windows over it.
    """

    score: NDArray[np.float32]
    map: NDArray[np.float32]

    @classmethod
    def of(cls, shares: Sequence[tuple[NDArray[np.float32], PatchGrid]], pooled: bool = False) -> Calibrated:
        """Put together what windows of one or more networks add to the score.

        Args:
            shares: For each network those of its windows or cells, as `fold_scores` takes them, and where its
                windows lie.
            pooled: Whether each was judged by itself, wherever it lies. There is no distance of the whole
                image then, and its score is the largest value of its map.
        """
        maps = [mean_map(each, grid) for each, grid in shares]
        joint: NDArray[np.float32] = np.asarray(np.mean(maps, axis=0, dtype=np.float32))
        if pooled:
            return cls(joint.max(axis=(1, 2)), joint)
        scores = [each.reshape(len(each), -1).mean(axis=1) for each, _ in shares]
        return cls(np.asarray(np.mean(scores, axis=0, dtype=np.float32)), joint)


@dataclass(frozen=True)
class TermMaps:
    """D, A and M of every window of every image, each (N, rows, cols) in nats.

    Attributes:
        grid: Where the windows lie.
        calibrated: None where the images are not as large as those that the model has learned from.
    """

    kl: NDArray[np.float32]
    log_variance: NDArray[np.float32]
    mahalanobis: NDArray[np.float32]
    grid: PatchGrid
    calibrated: Calibrated | None = None

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

        Raises:
            UnknownNameError: There is no such score.
            InvalidInputError: There is nothing to calibrate with.
        """
        if score == "old":
            return self.kl + self.log_variance + self.mahalanobis
        if score == "new":
            return self.mahalanobis
        if score == "calibrated":
            return self._require_calibrated().map
        if score in TERMS:
            term: NDArray[np.float32] = getattr(self, score)
            return term
        raise UnknownNameError(
            f"score must be one of {', '.join((*SCORES, *TERMS))}, got {score!r}; choose one of these"
        )

    def _require_calibrated(self) -> Calibrated:
        if self.calibrated is None:
            raise InvalidInputError(
                "images must be as large as the training images for the calibrated score, got "
                f"{self.grid.height_px}x{self.grid.width_px}; use old or new, or images of that size"
            )
        return self.calibrated

    def sum_maps(self, score: str) -> NDArray[np.float32]:
        """Anomaly maps (N, H, W): for each pixel the sum of the scores of the windows over it, in nats.

        Of the calibrated score, the mean; see `Calibrated`.
        """
        windows = self.window_scores(score)
        return windows if score == "calibrated" else fold_scores(windows, self.grid)

    def anomaly_maps(self, score: str) -> NDArray[np.float32]:
        """Anomaly maps (N, H, W): for each pixel the mean of the windows over it, in the unit of windows."""
        windows = self.window_scores(score)
        return windows if score == "calibrated" else mean_map(windows, self.grid)

    def mask_above(self, score: str, threshold: float) -> NDArray[np.bool_]:
        """Pixels (N, H, W) under a window whose score is above a threshold."""
        flagged = self.window_scores(score) > np.float64(threshold)
        return flagged if score == "calibrated" else fold_scores(flagged, self.grid) > 0

    def image_scores(self, score: str) -> NDArray[np.float32]:
        """Anomaly scores (N,): the largest window of each image; calibrated is a distance of the whole image.

        Source: for old and new arXiv:1807.05800, section 4: an image is anomalous if one patch is.
        """
        return self._require_calibrated().score if score == "calibrated" else self.window_max(score)

    def window_max(self, score: str) -> NDArray[np.float32]:
        """The largest window of each image, or for calibrated the largest pixel of its map, (N,)."""
        largest: NDArray[np.float32] = self.window_scores(score).max(axis=(1, 2))
        return largest


def logarithm(term: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logarithm of D or M, of which next to nothing counts as a little."""
    return np.log(np.maximum(term, _LEAST))


def mean_map(windows: NDArray[np.float32], grid: PatchGrid) -> NDArray[np.float32]:
    """For each pixel (N, H, W) the mean of the windows or cells over it, as `fold_scores` takes them."""
    return fold_scores(windows, grid) / coverage(grid)
