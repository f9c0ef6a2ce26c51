import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace
from PIL import Image

from tests.unit.cli.command_line import assert_refused
from vaead import load_dataset
from vaead.cli import main
from vaead.metrics.baselines import BASELINES
from vaead.metrics.groups import MEASURES
from vaead.metrics.image import Metrics
from vaead.model.model import Model
from vaead.model.store import ModelStore
from vaead.recipe import ClassSource, Recipe
from vaead.scoring.loss_terms import SCORES

NUMBERS = r"old \d\.\d{3} new \d\.\d{3} calibrated \d\.\d{3}"
DIGITS = ("--dataset", "digits", "--normal", "1")


@pytest.fixture
def shelf(model: Model, tmp_path: Path) -> Path:
    """A store where the small model stands for the preset's own."""
    card = replace(model.card, recipe=Recipe.from_preset("article", ClassSource("digits", 1)))
    ModelStore(tmp_path).save(Model(card, model.networks))
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)], prog_name="vaead")


def results_of(result: Result) -> list[dict[str, Any]]:
    assert (result.exit_code, result.exception) == (0, None), result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_one_anomalous_class_is_judged_on_all_test_images(shelf: Path, model: Model) -> None:
    (result,) = results_of(run(*DIGITS, "--anomaly", "9", "--store", shelf, "--json"))
    dataset = load_dataset("digits")
    normal, anomalous = dataset.test.of_class(1), dataset.test.of_class(9)
    fixed = {"dataset": "digits", "normal": 1, "anomaly": 9, "preset": "article"}
    fixed |= {"n_normal": len(normal), "n_anomalous": len(anomalous)}
    assert {name: result[name] for name in fixed} == fixed
    for score in SCORES:
        metrics = Metrics.compute(model.anomaly_score(normal, score), model.anomaly_score(anomalous, score))
        found = [result[metric][score] for metric in ("auroc", "aupr", "fpr95")]
        np.testing.assert_allclose(found, [metrics.auroc, metrics.aupr, metrics.fpr95], atol=1e-6)


def test_all_gives_each_other_class_and_then_all_of_them(shelf: Path) -> None:
    results = results_of(run(*DIGITS, "--store", shelf, "--json"))
    assert [result["anomaly"] for result in results] == [0, *range(2, 10), "all"]
    assert results[-1]["n_anomalous"] == sum(result["n_anomalous"] for result in results[:-1])


def test_text_names_both_classes_and_all_scores(shelf: Path) -> None:
    result = run(*DIGITS, "--anomaly", "9", "--store", shelf)
    numbers = " ".join([NUMBERS, *(rf"{name} \d\.\d{{3}}" for name in BASELINES)])
    columns = "\t".join(f"{name} {numbers}" for name in ("auroc", "aupr", "fpr95", "best f1"))
    assert re.fullmatch(f"1 against 9\t{columns}\n", result.stdout)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*DIGITS, "--anomaly", "1"], "anomaly must be another class than the normal one, got 1 for both"),
        ([*DIGITS, "--anomaly", "ten"], "class must be one of .*, got 'ten'"),
        ([*DIGITS, "--preset", "best"], "preset must be one of article.*, got 'best'"),
        ([*DIGITS, "--store", "no such store"], "model must be a folder with a card.json"),
        ([], "--model with --images must be given, or --dataset and --normal, got neither"),
        (["--dataset", "digits"], "--model with --images must be given, .*, got only one of these two"),
        (["--images", "x"], "--model and --images must be given together, got only --images; add the other"),
        (["--model", "x"], "--model and --images must be given together, got only --model; add the other"),
        (["--images", "x", *DIGITS], "--images must stand without --dataset, got both"),
        (["--images", "x", "--anomaly", "1"], "--images must stand without --anomaly, got both"),
        ([*DIGITS, "--false-alarm-rate", "0.1"], "--dataset must stand without --false-alarm-rate, got both"),
        (["--images", "x", "--model", "no such model"], "model must be a folder with a card.json"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.fullmatch(f"Error: .*{message}.*\n", result.stderr), result.stderr


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A dataset of two normal images and two with a defect, of which one has a mask."""
    digits = load_dataset("digits")
    for defect, label in (("good", 1), ("nine", 9)):
        for number in range(2):
            file = tmp_path / "photos" / "test" / defect / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(digits.test.of_class(label)[number]).save(file)
    mask = tmp_path / "photos" / "ground_truth" / "nine" / "0_mask.png"
    mask.parent.mkdir(parents=True)
    shutil.copy(file, mask)
    return tmp_path / "photos"


def evaluate_folder(store: ModelStore, recipe: Recipe, photos: Path, *options: object) -> Result:
    return run("--model", store.folder(recipe), "--images", photos, *options)


def test_folder_gives_each_defect_and_then_all(store: ModelStore, recipe: Recipe, photos: Path) -> None:
    results = results_of(evaluate_folder(store, recipe, photos, "--json"))
    assert [result["defect"] for result in results] == ["nine", "all"]
    for result in results:
        assert list(result) == ["defect", "n_normal", "n_anomalous", *MEASURES, "flagged"]
        assert (result["n_normal"], result["n_anomalous"]) == (2, 2)
        assert all(0 <= result["pixel_auroc"][score] <= 1 for score in SCORES)


def test_folder_as_text(store: ModelStore, recipe: Recipe, photos: Path) -> None:
    shutil.rmtree(photos / "ground_truth")
    line = evaluate_folder(store, recipe, photos).stdout.splitlines()[0]
    whole = r"old \d new \d calibrated \d"
    columns = [f"{name} {NUMBERS}" for name in ("auroc", "aupr", "fpr95", "best f1")]
    columns += [f"{name} {whole}" for name in ("found", "missed", "false alarms")]
    assert re.fullmatch("\t".join(["nine\t2 normal, 2 anomalous", *columns]), line)


@pytest.mark.parametrize(("options", "rate"), [([], 0.05), (["--false-alarm-rate", 0.6], 0.6)])
def test_flagged_are_those_above_the_threshold(
    store: ModelStore, recipe: Recipe, photos: Path, model: Model, options: list[object], rate: float
) -> None:
    dataset, threshold = load_dataset("digits"), model.card.normal_scores.threshold_value
    above = {}
    for score in SCORES:
        sides = (model.anomaly_score(dataset.test.of_class(label)[:2], score) for label in (1, 9))
        normal, anomalous = (int((scores > threshold(score, rate)).sum()) for scores in sides)
        above[score] = {"normal": normal, "anomalous": anomalous}
    for result in results_of(evaluate_folder(store, recipe, photos, "--json", *options)):
        assert result["flagged"] == above
    line = evaluate_folder(store, recipe, photos, *options).stdout.splitlines()[0]
    found, missed, false_alarms = line.split("\t")[-3:]
    counts = above.items()
    assert found == " ".join(["found", *(f"{name} {each['anomalous']}" for name, each in counts)])
    assert missed == " ".join(["missed", *(f"{name} {2 - each['anomalous']}" for name, each in counts)])
    assert false_alarms == " ".join(["false alarms", *(f"{name} {each['normal']}" for name, each in counts)])


def test_image_with_a_bad_mask_is_judged_without(store: ModelStore, recipe: Recipe, photos: Path) -> None:
    (photos / "ground_truth/nine/0_mask.png").write_bytes(b"")
    result = evaluate_folder(store, recipe, photos, "--json")
    assert result.exit_code == 1
    assert [json.loads(line)["n_anomalous"] for line in result.stdout.splitlines()] == [2, 2]
    assert re.search(
        "Skipped: image '.*0_mask.png' must hold data, .*\nSkipped 1 of 5 files\n$", result.stderr
    )


def test_bad_image_of_a_folder_is_skipped(store: ModelStore, recipe: Recipe, photos: Path) -> None:
    (photos / "test/nine/0.png").write_bytes(b"")
    result = evaluate_folder(store, recipe, photos, "--json")
    assert result.exit_code == 1
    assert [json.loads(line)["n_anomalous"] for line in result.stdout.splitlines()] == [1, 1]
    assert "0.png' must hold data, got 0 bytes" in result.stderr
    assert result.stderr.endswith("Skipped 1 of 4 files\n")


def test_false_alarm_rate_out_of_range_is_refused(store: ModelStore, recipe: Recipe, photos: Path) -> None:
    result = evaluate_folder(store, recipe, photos, "--false-alarm-rate", 5)
    assert_refused(result, "false_alarm_rate must be above 0 and below 1, got 5.0; try 0.05")


@pytest.mark.parametrize(("gone", "missing"), [("good", "test/good"), ("nine", "test/<defect>")])
def test_both_sides_are_needed(
    store: ModelStore, recipe: Recipe, photos: Path, gone: str, missing: str
) -> None:
    shutil.rmtree(photos / "test" / gone)
    message = f"dataset must hold images .*, got none in {missing}; add some"
    assert_refused(evaluate_folder(store, recipe, photos), message)


def test_plain_folder_is_refused(store: ModelStore, recipe: Recipe, photos: Path) -> None:
    result = evaluate_folder(store, recipe, photos / "test" / "good")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "images must be a dataset with test/good and test/<defect>, got a plain folder" in result.stderr
