"""The page Evaluate: metrics, threshold, worst images and the matrix of all pairs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from vaead.datasets import load_dataset
from vaead.evaluation import Evaluation, Interval, Metrics
from vaead.pairs import pairs_file
from vaead.recipe import Recipe
from vaead.store import ModelStore
from vaead.ui.evaluate import verdict
from vaead.ui.scores import Sides, numbers_in_class
from vaead.ui.texts import Texts

if TYPE_CHECKING:
    from tests.ui.conftest import EvaluatePage, OpenEvaluate

SCORES = ["old", "new", "calibrated"]


@pytest.fixture
def pairs(store: Path) -> Path:
    """A file of all pairs of the digits: new is 0.1 better than old, calibrated 0.2 better than new."""
    tables = {
        score: [[None if row == column else value for column in range(10)] for row in range(10)]
        for score, value in (("old", 0.6), ("new", 0.7), ("calibrated", 0.9))
    }
    file = pairs_file(store, "digits", "article")
    file.write_text(json.dumps({"measured": "2026-01-02", "seeds": {"0": tables, "1": tables}}))
    return file


def counts(page: EvaluatePage) -> list[list[str]]:
    """Flagged and not flagged, normal and anomalous."""
    return list(page.table(1).values())[1:]


def result(auroc: float, low: float) -> Evaluation:
    return Evaluation(Metrics(auroc, auroc, 0.5), {"auroc": Interval(low, 1.0)})


def test_table_shows_the_metrics_of_the_three_scores(open_evaluate: OpenEvaluate, store: Path) -> None:
    page = open_evaluate()
    columns = page.table(0)
    dataset = load_dataset("digits")
    model = ModelStore(store).load(Recipe.from_preset("digits", 1))
    normal, anomalous = (model.term_maps(dataset.test_images(number)) for number in (1, 9))
    assert list(columns)[1:] == SCORES
    for score in SCORES:
        auroc = Metrics.of(normal.image_scores(score), anomalous.image_scores(score)).auroc
        assert columns[score][0].startswith(f"**{auroc:.3f}**")
    assert "46 normal (1), 45 anomalous (9)" in page.texts


def test_all_other_classes_can_be_anomalous(open_evaluate: OpenEvaluate) -> None:
    page = open_evaluate(against_all="true")
    assert "46 normal (1), 404 anomalous (all other classes)" in page.texts
    assert page.warnings == []


@pytest.mark.parametrize(
    ("auroc", "sentence"),
    [
        ((0.7, 0.8, 0.95), "**calibrated wins** with AUROC 0.950, before new 0.800, old 0.700."),
        ((0.9, 0.8, 0.7), "**old wins** with AUROC 0.900, before new 0.800, calibrated 0.700."),
        ((0.93, 0.8, 0.95), "**No clear winner**: calibrated 0.950, old 0.930, all within"),
        ((0.5, 0.4, 0.55), "**Near chance**: no score tells these images apart (calibrated 0.550, old 0.500"),
        ((0.7, 0.8, 0.95), "**new beats old** here"),
        ((0.8, 0.7, 0.95), "**old beats new** here"),
        ((0.8001, 0.8002, 0.95), "old and new, do equally well here"),
    ],
)
def test_verdict_is_honest(auroc: tuple[float, float, float], sentence: str) -> None:
    results = {score: result(value, value - 0.03) for score, value in zip(SCORES, auroc, strict=True)}
    assert sentence in verdict(results, Texts("en"))


def test_roc_has_a_curve_a_score(open_evaluate: OpenEvaluate) -> None:
    figure = open_evaluate().figure("roc")
    assert [trace.get("name") for trace in figure["data"]] == [*SCORES, None]
    assert figure["alt"].startswith("ROC curves. AUROC: old ")


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
    ("rule", "words"), [("best F1", "the best F1 on these test images"), ("95 % recall", "still finds 95 %")]
)
def test_threshold_of_labels_says_so(open_evaluate: OpenEvaluate, rule: str, words: str) -> None:
    page = open_evaluate(threshold=rule)
    assert words in page.texts
    assert "It uses their labels" in page.texts


def test_recall_of_95_percent_is_reached(open_evaluate: OpenEvaluate) -> None:
    page = open_evaluate(threshold="95 % recall", score="new")
    assert int(counts(page)[0][1]) >= 0.95 * 45


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


def test_matrix_shows_the_mean_of_the_seeds(open_evaluate: OpenEvaluate, pairs: Path) -> None:
    page = open_evaluate(matrix="calibrated")
    texts = page.figure("matrix_figure")["data"][0]["text"]
    assert texts[0][:2] == ["", "0.90"]
    assert "mean of the model seeds 0, 1" in page.texts
    assert "Measured on 2026-01-02" in page.texts


def test_matrix_shows_differences(open_evaluate: OpenEvaluate, pairs: Path) -> None:
    page = open_evaluate()
    page.segment("matrix", "calibrated - new")
    assert page.figure("matrix_figure")["data"][0]["text"][0][1] == "+0.20"


def test_differences_are_said_over_all_pairs_and_seeds(open_evaluate: OpenEvaluate, pairs: Path) -> None:
    texts = open_evaluate().texts
    assert "**new against old**: over 180 pairs" in texts
    assert "new has the higher AUROC in 180, old in 0; mean difference +0.100." in texts
    assert "calibrated has the higher AUROC in 180, new in 0; mean difference +0.200." in texts


def test_without_a_file_the_command_is_named(open_evaluate: OpenEvaluate) -> None:
    (info,) = open_evaluate().infos
    assert "`python -m vaead pretrain`" in info


def test_damaged_file_is_told(open_evaluate: OpenEvaluate, pairs: Path) -> None:
    pairs.write_text("{")
    (error,) = open_evaluate().errors
    assert error.startswith("article.pairs.json must be a table of all pairs")


def test_model_that_is_not_there_can_be_trained(open_evaluate: OpenEvaluate, pairs: Path) -> None:
    page = open_evaluate(epochs="3")
    assert page.has_button("train")
    assert page.figure("matrix_figure")


def test_without_the_dataset_the_digits_are_shown(open_evaluate: OpenEvaluate, no_data: Path) -> None:
    page = open_evaluate(dataset="MNIST")
    assert page.warnings[0].startswith("MNIST could not be had")
    assert "46 normal (1)" in page.texts


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("score", "best"),
        ("threshold", "0"),
        ("matrix", "x"),
        ("against_all", "perhaps"),
        ("false_alarms", "99"),
        ("normal", "12"),
    ],
)
def test_bad_value_falls_back_with_a_notice(
    open_evaluate: OpenEvaluate, pairs: Path, key: str, value: str
) -> None:
    page = open_evaluate(**{key: value})
    (warning,) = page.warnings
    assert warning.startswith(f"The link asks for {key} = `{value}`")
    assert "46 normal (1)" in page.texts


def test_scores_are_computed_once_for_all_visitors(
    open_evaluate: OpenEvaluate, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_evaluate()
    monkeypatch.setattr("vaead.ui.scores._compute", lambda *_: pytest.fail("scored twice"))
    assert open_evaluate(anomalous="4").table(0)


def test_everything_can_be_downloaded(open_evaluate: OpenEvaluate, pairs: Path) -> None:
    buttons = open_evaluate().app.get("download_button")
    assert [button.proto.label for button in buttons] == ["Metrics (CSV)", "Scores (CSV)", "Matrix (CSV)"]


def test_numbers_count_within_a_class() -> None:
    assert numbers_in_class(np.array([3, 1, 3, 3, 1])).tolist() == [0, 0, 1, 2, 1]


def test_sides_of_one_class_and_of_all_others() -> None:
    labels = np.array([3, 1, 2, 3])
    assert Sides.of(labels, 3, 1).anomalous.tolist() == [1]
    assert Sides.of(labels, 3, None).anomalous.tolist() == [1, 2]
    assert Sides.of(labels, 3, None).normal.tolist() == [0, 3]
