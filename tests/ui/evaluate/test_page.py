"""The page Evaluate: metrics, downloads and the matrix of all pairs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from vaead.data.datasets import load_dataset
from vaead.i18n.texts import Texts
from vaead.inference.tables import from_csv, to_csv
from vaead.metrics.baselines import MOST, Baselines
from vaead.metrics.class_pairs import pairs_file
from vaead.metrics.image import Evaluation, Interval, Metrics
from vaead.model.store import ModelStore
from vaead.recipe import ClassSource, Recipe
from vaead.ui.evaluate import downloads
from vaead.ui.evaluate.page import verdict
from vaead.ui.evaluate.test_scores import Sides, numbers_in_class

if TYPE_CHECKING:
    from tests.ui.conftest import OpenEvaluate

SCORES = ["old", "new", "calibrated"]


@pytest.fixture
def pairs(store: Path) -> Path:
    """A file of all pairs of the digits: new is 0.1 better than old, calibrated 0.2 better than new."""
    tables = {
        score: [[None if row == column else value for column in range(10)] for row in range(10)]
        for score, value in (("old", 0.6), ("new", 0.7), ("calibrated", 0.9))
    }
    file = store / pairs_file("digits", "article")
    file.write_text(json.dumps({"measured": "2026-01-02", "seeds": {"0": tables, "1": tables}}))
    return file


def result(auroc: float, low: float) -> Evaluation:
    return Evaluation(Metrics(auroc, auroc, 0.5), {"auroc": Interval(low, 1.0)})


def test_table_shows_the_metrics_of_the_three_scores(open_evaluate: OpenEvaluate, store: Path) -> None:
    page = open_evaluate()
    columns = page.table(0)
    dataset = load_dataset("digits")
    model = ModelStore(store).load(Recipe.from_preset("article", ClassSource("digits", 1)))
    normal, anomalous = (model.term_maps(dataset.test.of_class(number)) for number in (1, 9))
    assert list(columns)[1:] == SCORES
    for score in SCORES:
        auroc = Metrics.compute(normal.image_scores(score), anomalous.image_scores(score)).auroc
        assert columns[score][0].startswith(f"**{auroc:.3f}**")
    assert "46 normal (1), 45 anomalous (9)" in page.texts


def test_all_other_classes_can_be_anomalous(open_evaluate: OpenEvaluate) -> None:
    page = open_evaluate(against_all="true")
    assert "46 normal (1), 404 anomalous (all other classes)" in page.texts
    assert page.warnings == []


def test_simple_methods_stand_beside_the_scores_when_asked_for(open_evaluate: OpenEvaluate) -> None:
    page = open_evaluate(simple_methods="true")
    columns = page.table(0)
    assert list(columns)[1:] == [*SCORES, "Brightness", "Nearest patch", "Per place"]
    dataset = load_dataset("digits")
    baselines = Baselines.fit(dataset.train.of_class(1)[:MOST])
    low, high = (baselines.scores(dataset.test.of_class(number))["per_place"] for number in (1, 9))
    assert columns["Per place"][0].startswith(f"**{Metrics.compute(low, high).auroc:.3f}**")
    assert "the network adds nothing" in page.texts


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


def test_metrics_are_those_of_image_scores_under_both_rules(open_evaluate: OpenEvaluate) -> None:
    page = open_evaluate()
    before = page.table(0), page.figure("roc")["data"]
    page.segment("rule", "window")
    assert (page.table(0), page.figure("roc")["data"]) == before
    assert "All test images, by their image scores" in page.texts


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
    assert "`python -m vaead pretrain --dataset digits --preset article`" in info


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


def test_bad_values_fall_back_with_a_notice_each(open_evaluate: OpenEvaluate, pairs: Path) -> None:
    link = {"score": "best", "rule": "none", "threshold": "0", "matrix": "x", "against_all": "perhaps"}
    link |= {"false_alarms": "99", "normal": "12"}
    page = open_evaluate(**link)
    for key, value in link.items():
        (_,) = (each for each in page.warnings if each.startswith(f"The link asks for {key} = `{value}`"))
    assert len(page.warnings) == len(link)
    assert "46 normal (1)" in page.texts


@pytest.mark.parametrize(("control", "value"), [("dataset", "mnist"), ("normal", 2), ("anomalous", 4)])
def test_other_class_drops_the_images_of_a_link(
    open_evaluate: OpenEvaluate, control: str, value: object
) -> None:
    page = open_evaluate(normal_image="3", anomalous_image="4")
    assert (page.link["normal_image"], page.link["anomalous_image"]) == ("3", "4")
    page.select(control, value)
    assert not {"normal_image", "anomalous_image"} & set(page.link)


def test_scores_are_computed_once_for_all_visitors(
    open_evaluate: OpenEvaluate, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_evaluate()
    monkeypatch.setattr("vaead.ui.evaluate.test_scores._compute", lambda *_: pytest.fail("scored twice"))
    assert open_evaluate(anomalous="4").table(0)


def test_everything_can_be_downloaded(open_evaluate: OpenEvaluate, pairs: Path) -> None:
    buttons = open_evaluate().app.get("download_button")
    assert [button.proto.label for button in buttons] == ["Metrics (CSV)", "Scores (CSV)", "Matrix (CSV)"]


def test_scores_file_has_a_row_an_image(
    open_evaluate: OpenEvaluate, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: dict[str, str] = {}
    monkeypatch.setattr(
        downloads, "_button", lambda label, key, name, rows: made.update({key: to_csv(rows())})
    )
    open_evaluate()
    rows = from_csv(made["scores"])
    assert list(rows[0]) == ["class", "image", *SCORES, "calibrated_largest_window"]
    nines = [row for row in rows if row["class"] == "9"]
    assert (len(rows), len(nines)) == (450, 45)
    model = ModelStore(store).load(Recipe.from_preset("article", ClassSource("digits", 1)))
    terms = model.term_maps(load_dataset("digits").test.of_class(9))
    for column, values in (
        ("calibrated", terms.image_scores("calibrated")),
        ("calibrated_largest_window", terms.window_max("calibrated")),
    ):
        assert [float(row[column]) for row in nines] == pytest.approx(values.tolist(), rel=1e-4)


def test_numbers_count_within_a_class() -> None:
    assert numbers_in_class(np.array([3, 1, 3, 3, 1])).tolist() == [0, 0, 1, 2, 1]


def test_sides_of_one_class_and_of_all_others() -> None:
    labels = np.array([3, 1, 2, 3])
    assert Sides.from_labels(labels, 3, 1).anomalous.tolist() == [1]
    assert Sides.from_labels(labels, 3, None).anomalous.tolist() == [1, 2]
    assert Sides.from_labels(labels, 3, None).normal.tolist() == [0, 3]
