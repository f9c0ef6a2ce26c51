"""On the page Evaluate: the threshold, what it flags, and the worst images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead import shipped
from vaead.calibration.thresholds import RULES
from vaead.data.datasets import load_dataset
from vaead.metrics.image import Confusion, best_f1_threshold, recall_threshold
from vaead.model.model import Model
from vaead.model.store import ModelStore
from vaead.recipe import ClassSource, Recipe
from vaead.scoring.term_maps import TermMaps
from vaead.ui.shared.controls import THRESHOLDS

if TYPE_CHECKING:
    from tests.ui.conftest import EvaluatePage, OpenEvaluate


@dataclass(frozen=True)
class Terms:
    """The model of the first page, and what it says of the normal and the anomalous test images."""

    model: Model
    normal: TermMaps
    anomalous: TermMaps

    def sides(self, score: str, rule: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What decides about the images of the two sides."""
        if rule == "score":
            return self.normal.image_scores(score), self.anomalous.image_scores(score)
        return self.normal.window_max(score), self.anomalous.window_max(score)


@pytest.fixture(scope="module")
def terms() -> Terms:
    model = ModelStore(shipped.MODELS).load(Recipe.from_preset("article", ClassSource("digits", 1)))
    dataset = load_dataset("digits")
    return Terms(model, *(model.term_maps(dataset.test.of_class(number)) for number in (1, 9)))


def counts(page: EvaluatePage) -> list[list[str]]:
    """Flagged and not flagged, normal and anomalous."""
    return list(page.table(1).values())[1:]


def test_threshold_follows_the_false_alarm_rate(open_evaluate: OpenEvaluate) -> None:
    page = open_evaluate(score="old")
    before = counts(page)
    assert "**Threshold " in page.texts
    page.app.slider(key="false_alarms").set_value(50)
    page.run()
    after = counts(page)
    assert int(after[0][0]) > int(before[0][0])
    assert "50 % of" in page.texts


@pytest.mark.parametrize(
    ("source", "words"),
    [("best F1", "the best F1 on these test images"), ("95 % recall", "still finds 95 %")],
)
def test_threshold_of_labels_says_so(open_evaluate: OpenEvaluate, source: str, words: str) -> None:
    page = open_evaluate(threshold=source)
    assert words in page.texts
    assert "It uses their labels" in page.texts


@pytest.mark.parametrize("rule", RULES)
def test_recall_of_95_percent_is_reached(open_evaluate: OpenEvaluate, rule: str) -> None:
    page = open_evaluate(threshold="95 % recall", rule=rule)
    assert int(counts(page)[0][1]) == 43  # of 45


@pytest.mark.parametrize("source", THRESHOLDS)
@pytest.mark.parametrize("rule", RULES)
def test_counts_follow_the_rule(open_evaluate: OpenEvaluate, terms: Terms, rule: str, source: str) -> None:
    page = open_evaluate(rule=rule, threshold=source)
    normal, anomalous = terms.sides("calibrated", rule)
    threshold = {
        "false alarms": terms.model.card.normal_scores.threshold_value("calibrated", 0.05, rule),
        "best F1": best_f1_threshold(normal, anomalous),
        "95 % recall": recall_threshold(anomalous),
    }[source]
    expected = Confusion.at(threshold, normal, anomalous)
    assert counts(page)[0] == [str(expected.false_positives), str(expected.true_positives)]
    name = {"score": "calibrated score", "window": "largest window of the calibrated score"}[rule]
    assert f"**Threshold {threshold:.3g}** for the {name}" in page.texts
    figure = page.figure("histogram")
    unit = {"score": " (about 1 for normal)", "window": ""}[rule]
    assert figure["layout"]["xaxis"]["title"]["text"] == name + unit
    assert figure["layout"]["shapes"][0]["x0"] == pytest.approx(threshold)
    assert figure["alt"].startswith(f"How the {name} is spread")


def test_worst_images_follow_the_rule(open_evaluate: OpenEvaluate, terms: Terms) -> None:
    page = open_evaluate(rule="window")
    normal, anomalous = terms.sides("calibrated", "window")
    first = {key: page.figure(key)["data"][1]["text"][0] for key in ("misses", "false_alarm_images")}
    assert first["misses"].endswith(f"largest window of the calibrated score {anomalous.min():.3g}")
    assert first["false_alarm_images"].endswith(f"largest window of the calibrated score {normal.max():.3g}")


@pytest.mark.parametrize("score", ["old", "new"])
def test_both_rules_are_the_same_for_the_scores_of_the_paper(open_evaluate: OpenEvaluate, score: str) -> None:
    page = open_evaluate(score=score)
    before = counts(page)
    page.segment("rule", "window")
    assert counts(page) == before


def test_another_score_draws_its_own_histogram(open_evaluate: OpenEvaluate) -> None:
    page = open_evaluate()
    assert page.figure("histogram")["layout"]["xaxis"]["title"]["text"].startswith("calibrated score")
    page.segment("score", "old")
    assert page.figure("histogram")["layout"]["xaxis"]["title"]["text"] == "old score (nats)"


def test_worst_images_come_first(open_evaluate: OpenEvaluate) -> None:
    def shown(key: str) -> list[float]:
        return [float(text.rsplit(" ", 1)[1]) for text in page.figure(key)["data"][1]["text"]]

    page = open_evaluate(against_all="true", score="new")
    assert shown("misses") == sorted(shown("misses"))
    assert shown("false_alarm_images") == sorted(shown("false_alarm_images"), reverse=True)
