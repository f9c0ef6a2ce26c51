"""The same measures for every group of anomalous images: a class, or a kind of defect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vaead.errors import InvalidInputError
from vaead.metrics.pixel import PixelCounts
from vaead.scoring.loss_terms import SCORES

if TYPE_CHECKING:
    from vaead.metrics.image import Confusion

ALL = "all"
"""Name of the group of all anomalous images."""
MEASURES = ("auroc", "aupr", "fpr95", "best_f1", "pixel_auroc", "aupro")
"""Names of the measures in `GroupMetrics`."""

Values = dict[str, float | None]
"""A measure by name of the score or baseline; None where it cannot be computed."""


@dataclass(frozen=True)
class GroupMetrics:
    """Normal images against those of one group.

    Attributes:
        group: Name of the group, or `ALL`.
        n_normal: Number of normal images.
        n_anomalous: Number of images in the group.
        auroc: See `vaead.metrics.image.Metrics`.
        aupr: See `Metrics`.
        fpr95: See `Metrics`.
        best_f1: F1 at the threshold that is best for these very images.
        pixel_auroc: See `vaead.metrics.pixel.PixelMetrics`; None without masks.
        aupro: See `PixelMetrics`.
        confusion: Counts of decisions at the thresholds asked for, by name of the score; None as in measures.
    """

    group: str
    n_normal: int
    n_anomalous: int
    auroc: Values
    aupr: Values
    fpr95: Values
    best_f1: Values
    pixel_auroc: Values
    aupro: Values
    confusion: dict[str, Confusion | None] = field(default_factory=dict)

    def measure(self, name: str) -> Values:
        """One of `MEASURES`."""
        values: Values = getattr(self, name)
        return values

    def with_scores_of(self, other: GroupMetrics) -> GroupMetrics:
        """The same with measures of other scores of the same images."""
        both: dict[str, Any] = {name: other.measure(name) | self.measure(name) for name in MEASURES}
        return replace(self, **both)


class GroupEvaluator:
    """Gathers images one after another and computes the metrics of each group.

    Of each image its scores are kept, and of the pixels only their counts in the group.
    """

    def __init__(self, normal: str, groups: Iterable[str] = ()) -> None:
        """Begin without images.

        Args:
            normal: Name of the group of normal images.
            groups: Groups that are listed first, also without images.
        """
        self._normal = normal
        self._groups = {name: _Group() for name in (normal, *groups)}

    def add(
        self, group: str, scores: dict[str, float], pixels: Mapping[str, PixelCounts] | None = None
    ) -> None:
        """Add an image.

        Args:
            group: Name of its group.
            scores: Anomaly score by name of the score or baseline.
            pixels: Counts of the pixels of its maps by name of the score, if its mask is known.
        """
        self._groups.setdefault(group, _Group()).add(scores, pixels or {})

    def remove(
        self, group: str, scores: dict[str, float], pixels: Mapping[str, PixelCounts] | None = None
    ) -> None:
        """Take out an image that was added with these values; its group goes with its last image."""
        self._groups[group].remove(scores, pixels or {})
        if not self._groups[group].scores and group != self._normal:
            del self._groups[group]

    def normal(self, score: str) -> NDArray[np.float64]:
        """A score of the normal images that have it."""
        found = self._groups[self._normal].scores
        return np.array([scores[score] for scores in found if score in scores])

    def evaluate(self, thresholds: Mapping[str, float] | None = None) -> list[GroupMetrics]:
        """The metrics of each group, and last those of all groups together.

        Args:
            thresholds: By name of the score; images above are flagged.
        """
        normal = self._groups[self._normal]
        groups = {name: [group] for name, group in self._groups.items() if name != self._normal}
        groups[ALL] = [group for members in groups.values() for group in members]
        return [_metrics(name, normal, members, thresholds or {}) for name, members in groups.items()]


class _Group:
    """Scores of images, and counts of their pixels."""

    def __init__(self) -> None:
        self.scores: list[dict[str, float]] = []
        self.pixels: dict[str, PixelCounts] = {}

    def add(self, scores: dict[str, float], pixels: Mapping[str, PixelCounts]) -> None:
        self.scores.append(scores)
        for name, counts in pixels.items():
            self.pixels.setdefault(name, PixelCounts()).include(counts)

    def remove(self, scores: dict[str, float], pixels: Mapping[str, PixelCounts]) -> None:
        self.scores.remove(scores)
        for name, counts in pixels.items():
            self.pixels[name].exclude(counts)


def _metrics(
    name: str, normal: _Group, anomalous: Sequence[_Group], thresholds: Mapping[str, float]
) -> GroupMetrics:
    # Imports scikit-learn, which takes a second.
    from vaead.metrics.image import METRICS, Confusion, Metrics, best_f1_threshold

    sides = normal.scores, [scores for group in anomalous for scores in group.scores]
    names = dict.fromkeys((*SCORES, *(name for side in sides for scores in side for name in scores)))
    values: dict[str, Values] = {measure: dict.fromkeys(names) for measure in MEASURES}
    confusion: dict[str, Confusion | None] = dict.fromkeys(thresholds)
    # A score that some images do not have, because of their size, could not be compared fairly.
    for score in (each for each in names if all(each in scores for side in sides for scores in side)):
        low, high = (np.array([scores[score] for scores in side]) for side in sides)
        found = _pixel_metrics(score, [normal, *anomalous])
        if len(low) and len(high):
            metrics = Metrics.compute(low, high)
            found |= {name: getattr(metrics, name) for name in METRICS}
            found["best_f1"] = Confusion.at(best_f1_threshold(low, high), low, high).f1
        for measure, value in found.items():
            values[measure][score] = value
        if score in thresholds:
            confusion[score] = Confusion.at(thresholds[score], low, high)
    return GroupMetrics(name, len(sides[0]), len(sides[1]), **values, confusion=confusion)


def _pixel_metrics(score: str, groups: Sequence[_Group]) -> dict[str, float]:
    counts = PixelCounts()
    for group in groups:
        if score in group.pixels:
            counts.include(group.pixels[score])
    try:
        found = counts.metrics()
    except InvalidInputError:  # no mask, or none with an anomalous pixel
        return {}
    return {"pixel_auroc": found.auroc, "aupro": found.aupro}
