"""Metrics of a score on normal and anomalous images. Higher scores are more anomalous, always.

Metrics come from scikit-learn. Only the bootstrap is our own: it draws thousands of test sets, and as counts
of images that were sorted once, each costs a few sums instead of a sort.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from vaead.errors import InvalidInputError

METRICS = ("auroc", "aupr", "fpr95")
"""Names of the metrics, as in `Metrics`."""

_RECALL = 0.95
_RESAMPLES = 1000

Scores = NDArray[np.floating]


class Interval(NamedTuple):
    """A range that holds the true value with the confidence asked for."""

    low: float
    high: float


@dataclass(frozen=True)
class Metrics:
    """Separation of two sets of images by a score; each from 0 to 1.

    Attributes:
        auroc: Probability that an anomalous image scores above a normal one; 0.5 is chance, 1 is perfect.
        aupr: Average precision, with anomalous images as the positive ones; chance is their share.
        fpr95: Share of normal images flagged at the threshold that flags 95 % of the anomalous ones.
    """

    auroc: float
    aupr: float
    fpr95: float

    @classmethod
    def compute(cls, normal: Scores, anomalous: Scores) -> Metrics:
        """Compare the scores of normal and anomalous images, (n,) and (m,).

        Raises:
            InvalidInputError: One of them is empty or holds something that is not a number.

        >>> Metrics.compute(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
        Metrics(auroc=1.0, aupr=1.0, fpr95=0.0)
        """
        labels, scores = _labelled(normal, anomalous)
        return cls(
            auroc=float(roc_auc_score(labels, scores)),
            aupr=float(average_precision_score(labels, scores)),
            fpr95=float(np.mean(normal >= _last_found(anomalous, _RECALL))),
        )


@dataclass(frozen=True)
class Evaluation:
    """A score on a test set.

    Attributes:
        metrics: On the test set as it is.
        intervals: For each metric, where it lies in 95 % of the test sets drawn from this one
            with replacement.
    """

    metrics: Metrics
    intervals: dict[str, Interval]

    @classmethod
    def compute(cls, normal: Scores, anomalous: Scores, seed: int = 0) -> Evaluation:
        """Compute the metrics and their bootstrap intervals; see `Metrics.compute`."""
        metrics = Metrics.compute(normal, anomalous)
        low, high = np.quantile(_bootstrap(normal, anomalous, seed), (0.025, 0.975), axis=0)
        intervals = {name: Interval(float(low[i]), float(high[i])) for i, name in enumerate(METRICS)}
        return cls(metrics, intervals)


def class_aurocs(scores: Scores, labels: NDArray[np.integer], normal: int) -> dict[str, float]:
    """AUROC of a normal class against each other class, by its number, and against "all" of them.

    Args:
        scores: (N,), of test images.
        labels: (N,), their classes.
        normal: The normal class.

    Raises:
        InvalidInputError: There is no image of the normal class, or none of another.
    """
    others = [int(label) for label in np.unique(labels) if label != normal]
    sides = {str(label): labels == label for label in others} | {"all": labels != normal}
    inside = scores[labels == normal]
    return {name: Metrics.compute(inside, scores[side]).auroc for name, side in sides.items()}


def _bootstrap(normal: Scores, anomalous: Scores, seed: int) -> NDArray[np.float64]:
    """Metrics of resampled test sets, (resamples, len(METRICS))."""
    # Equal scores share a rank, highest first; a resampled test set is a number of images at each rank.
    values, ascending = np.unique(np.concatenate([normal, anomalous]), return_inverse=True)
    ranks = len(values) - 1 - ascending
    rng = np.random.default_rng(seed)
    results = np.empty((_RESAMPLES, len(METRICS)))
    for row in results:
        counts = (
            np.bincount(rng.choice(side, len(side)), minlength=len(values))
            for side in (ranks[: len(normal)], ranks[len(normal) :])
        )
        row[:] = _metrics_of_counts(*counts)
    return results


def _metrics_of_counts(normal: NDArray[np.intp], anomalous: NDArray[np.intp]) -> tuple[float, float, float]:
    """AUROC, AUPR and FPR95 from the numbers of images at each rank, highest first."""
    flagged, found = np.cumsum(normal), np.cumsum(anomalous)
    # A normal image loses to the anomalous ones above it, and to half of those at its own rank.
    auroc = (normal @ (2 * found - anomalous)) / (2 * flagged[-1] * found[-1])
    # At ranks above all images, nothing is flagged.
    precision = found / np.maximum(flagged + found, 1)
    reached = np.searchsorted(found, _needed(_RECALL, int(found[-1])))
    return float(auroc), float(anomalous @ precision / found[-1]), float(flagged[reached] / flagged[-1])


class Curve(NamedTuple):
    """A ROC curve: shares of images that score at each threshold or above; each (k,), from infinity down."""

    false_alarm_rate: NDArray[np.float64]
    recall: NDArray[np.float64]
    threshold: NDArray[np.float64]


def roc(normal: Scores, anomalous: Scores) -> Curve:
    """The ROC curve of a score, without the points on straight lines."""
    return Curve(*roc_curve(*_labelled(normal, anomalous), drop_intermediate=True))


@dataclass(frozen=True)
class Confusion:
    """Counts of decisions at a threshold; an image is flagged if its score is above it."""

    false_positives: int
    true_negatives: int
    true_positives: int
    false_negatives: int

    @classmethod
    def at(cls, threshold: float, normal: Scores, anomalous: Scores) -> Confusion:
        """Count decisions.

        >>> Confusion.at(2.5, np.array([1.0, 2.0, 3.0]), np.array([3.0, 4.0]))
        Confusion(false_positives=1, true_negatives=2, true_positives=2, false_negatives=0)
        """
        # A plain float would be rounded to the precision of the scores.
        exact = np.float64(threshold)
        false, true = (int(np.count_nonzero(side > exact)) for side in (normal, anomalous))
        return cls(false, len(normal) - false, true, len(anomalous) - true)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall of the anomalous images, 0 to 1."""
        right, wrong = 2 * self.true_positives, self.false_positives + self.false_negatives
        return right / (right + wrong) if right + wrong else 0.0


def recall_threshold(anomalous: Scores, recall: float = _RECALL) -> float:
    """The largest threshold above which at least this share of anomalous images scores.

    Raises:
        InvalidInputError: The share is not above 0 and at most 1, or `anomalous` is empty or holds something
            that is not a number.
    """
    if not 0 < recall <= 1:
        raise InvalidInputError(f"recall must be above 0 and at most 1, got {recall}; choose a share")
    _check("anomalous", anomalous)
    return _just_below(_last_found(anomalous, recall))


def best_f1_threshold(normal: Scores, anomalous: Scores) -> float:
    """The threshold with the best F1 on labelled images."""
    precision, recall, threshold = precision_recall_curve(*_labelled(normal, anomalous))
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)[:-1]
    # scikit-learn flags what lies at the threshold or above.
    return _just_below(threshold[int(np.argmax(f1))])


def _needed(recall: float, anomalous: int) -> int:
    """Number of anomalous images that make up at least this fraction, never none."""
    # The product may come out a hair above a whole number.
    return max(1, int(np.ceil(recall * anomalous - 1e-9)))


def _last_found(anomalous: Scores, recall: float) -> np.floating:
    """The score of the last image that must be found to find this share."""
    score: np.floating = np.sort(anomalous)[-_needed(recall, len(anomalous))]
    return score


def _just_below(score: np.floating) -> float:
    """The next number below a score, in the score's own precision."""
    return float(np.nextafter(score, -np.inf))


def _labelled(normal: Scores, anomalous: Scores) -> tuple[NDArray[np.bool_], Scores]:
    """Labels (True for anomalous) and scores of both sets in one row."""
    _check("normal", normal)
    _check("anomalous", anomalous)
    return np.repeat([False, True], [len(normal), len(anomalous)]), np.concatenate([normal, anomalous])


def _check(name: str, scores: Scores) -> None:
    if scores.ndim != 1 or len(scores) == 0:
        raise InvalidInputError(
            f"{name} must be a row of at least one score, got shape {scores.shape}; give one score an image"
        )
    strange = np.count_nonzero(~np.isfinite(scores))
    if strange:
        raise InvalidInputError(
            f"{name} must be finite scores, got {strange} of {len(scores)} that are not; "
            "leave these images out"
        )
