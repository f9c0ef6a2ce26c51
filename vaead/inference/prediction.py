"""Scores, anomaly maps, masks and the decision for one photo."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.thresholds import NormalScores
from vaead.data.photos import Photo, Rejected
from vaead.data.photos.reasons import Reason, refusal
from vaead.metrics.pixel import PixelCounts
from vaead.model.model import Model
from vaead.scoring.regions import Region, find_regions
from vaead.scoring.term_maps import TermMaps

if TYPE_CHECKING:
    from vaead.inference.html_report import Drawing


@dataclass(frozen=True)
class Thresholds:
    """Thresholds at one false-alarm rate, by name of the score.

    Attributes:
        image: Above it, an image is flagged.
        window: Above it, the pixels under a window belong to the mask. As many normal images have any such
            pixel as the false-alarm rate says.
    """

    image: dict[str, float]
    window: dict[str, float]

    @classmethod
    def from_rate(cls, normal_scores: NormalScores, false_alarm_rate: float) -> Thresholds:
        """Take the thresholds from held-out normal images.

        Args:
            normal_scores: Scores of these images.
            false_alarm_rate: Share of normal images that may be flagged, above 0 and below 1.

        Raises:
            InvalidInputError: The rate is out of range.
        """

        def values(rule: str) -> dict[str, float]:
            names = normal_scores.image
            return {name: normal_scores.threshold_value(name, false_alarm_rate, rule) for name in names}

        return cls(values("score"), values("window"))


@dataclass(frozen=True, eq=False)
class Prediction:
    """Scores and decision for one photo, and until they are dropped, the arrays behind them.

    Attributes:
        photo: The photo.
        shape: (H, W) of the photo as the model sees it.
        scores: Anomaly score by name of the score; higher is more anomalous. Calibrated is missing where
            the photo is not as large as the model needs.
        thresholds: Thresholds of the decision and of the masks.
        by_whole: True if the photo as a whole decides calibrated, see `CalibratedScore`.
        baselines: Score by name of the baseline, if asked for; see `vaead.metrics.baselines`.
        image: (H, W) or (H, W, 3), the photo as the model sees it; None once dropped.
        terms: Outputs per window; None once dropped.
        true_mask: (H, W), True on anomalous pixels; None if dropped, not asked for, or unknown.
        rejected_mask: The true mask, if it cannot be read.
        notes: Choices that were made in reading the true mask.
        pixel_counts: Counts of the pixels of the maps by name of the score, for pixel metrics.
        drawing: Pictures for a report.
        regions: Regions that stand out by the main score, in pixels of `shape`; None if not asked for.
    """

    photo: Photo
    shape: tuple[int, int]
    scores: dict[str, float]
    thresholds: Thresholds
    by_whole: bool = False
    baselines: dict[str, float] = field(default_factory=dict)
    image: NDArray[np.generic] | None = None
    terms: TermMaps | None = None
    true_mask: NDArray[np.bool_] | None = None
    rejected_mask: Rejected | None = None
    notes: tuple[Reason, ...] = ()
    pixel_counts: dict[str, PixelCounts] = field(default_factory=dict)
    drawing: Drawing | None = None
    regions: tuple[Region, ...] | None = None

    @classmethod
    def from_terms(
        cls, photo: Photo, image: NDArray[np.generic], terms: TermMaps, thresholds: Thresholds
    ) -> Prediction:
        """The prediction for one photo, from the outputs of a model for its pixels."""
        scores = {name: float(terms.image_scores(name)[0]) for name in terms.scores}
        by_whole = terms.calibrated is not None and bool(terms.calibrated.by_whole[0])
        shape = image.shape[0], image.shape[1]
        return cls(photo, shape, scores, thresholds, by_whole, image=image, terms=terms)

    @property
    def flagged(self) -> dict[str, bool]:
        """Decision by name of the score: whether it is above its threshold."""
        return {name: value > self.thresholds.image[name] for name, value in self.scores.items()}

    @property
    def main_score(self) -> str:
        """The name of the score that decides: calibrated, or new for a photo that has no such score."""
        return "calibrated" if "calibrated" in self.scores else "new"

    def anomaly_map(self, score: str) -> NDArray[np.float32]:
        """(H, W), for each pixel the mean of the windows over it, NaN where left out.

        Arrays must not be dropped yet.
        """
        assert self.terms is not None, "terms were dropped"
        anomaly_map: NDArray[np.float32] = self.terms.anomaly_maps(score)[0]
        return anomaly_map

    def mask(self, score: str) -> NDArray[np.bool_]:
        """(H, W), pixels under a window above its threshold. Arrays must not be dropped yet."""
        assert self.terms is not None, "terms were dropped"
        mask: NDArray[np.bool_] = self.terms.mask_above(score, self.thresholds.window[score])[0]
        return mask

    def find_regions(self, score: str, normal_scores: NormalScores) -> tuple[Region, ...]:
        """The regions of the mask of a score. Arrays must not be dropped yet."""
        return find_regions(
            self.mask(score), self.anomaly_map(score), partial(normal_scores.window_ranks, score)
        )

    def count_pixels(self) -> dict[str, PixelCounts]:
        """Counts of the pixels of each map, for pixel metrics; empty without a true mask."""
        counts = {} if self.true_mask is None else {name: PixelCounts() for name in self.scores}
        for name, each in counts.items():
            assert self.true_mask is not None
            assert self.terms is not None
            each.add(self.anomaly_map(name), self.true_mask, self.terms.grid.blank)
        return counts

    @property
    def n_bytes(self) -> int:
        """Size of the arrays."""
        arrays = [self.image, self.true_mask]
        if self.terms is not None:
            arrays += [self.terms.kl, self.terms.log_variance, self.terms.mahalanobis]
            arrays += [] if self.terms.calibrated is None else [self.terms.calibrated.map]
        return sum(each.nbytes for each in arrays if each is not None)

    def without_arrays(self) -> Prediction:
        """The same without image, terms and true mask: small enough to keep or to send."""
        return replace(self, image=None, terms=None, true_mask=None)


def predict(model: Model, photo: Photo, image: NDArray[np.generic], thresholds: Thresholds) -> Prediction:
    """Predict one photo.

    Args:
        model: A model of photos, or of a dataset with classes.
        photo: The photo.
        image: Its pixels (H, W), or (H, W, 3) for a model with colours, scaled as the model's recipe says;
            uint8, or 0 to 1.
        thresholds: Thresholds of the decision and of the masks.

    Raises:
        InvalidInputError: The image is not as described, or a score is not a finite number.
    """
    found = Prediction.from_terms(photo, image, model.term_maps(image[None]), thresholds)
    if not np.isfinite(list(found.scores.values())).all():
        raise refusal("not_finite", name=photo.label, found=found.scores)
    return found
