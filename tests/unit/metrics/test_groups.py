from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vaead.data.datasets import Dataset
from vaead.data.photos import Rejected, find_photos
from vaead.inference.predict import PredictSettings, summarize_each
from vaead.inference.prediction import Prediction, Thresholds
from vaead.metrics.groups import ALL, GroupEvaluator, GroupMetrics
from vaead.metrics.image import Confusion, Metrics, best_f1_threshold
from vaead.metrics.pixel import PixelMetrics
from vaead.model.model import Model
from vaead.scoring.loss_terms import SCORES

Pixels = NDArray[np.uint8]
NONE: dict[str, float | None] = dict.fromkeys(SCORES)


def save(pixels: NDArray[np.uint8], file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)


@pytest.fixture
def sets(digits: Dataset) -> dict[str, Pixels]:
    """Images by defect, (n, 28, 28)."""
    return {
        "good": digits.test.of_class(1)[:4],
        "nine": digits.test.of_class(9)[:3],
        "two": digits.test.of_class(2)[:2],
    }


@pytest.fixture
def folder(sets: dict[str, Pixels], tmp_path: Path) -> Path:
    """A dataset in which nines have masks, twos have none, and the ink of a nine is what is anomalous."""
    for defect, images in sets.items():
        for number, pixels in enumerate(images):
            save(pixels, tmp_path / "test" / defect / f"{number}.png")
            if defect == "nine":
                mask = np.where(pixels > 127, 255, 0).astype(np.uint8)
                save(mask, tmp_path / "ground_truth" / defect / f"{number}_mask.png")
    return tmp_path


def evaluate(
    model: Model, folder: Path, thresholds: dict[str, float] | None = None
) -> tuple[dict[str, GroupMetrics], list[Rejected]]:
    """The metrics of each defect, and what was left out."""
    evaluator, rejected = GroupEvaluator("good", ["nine", "two"]), []
    settings = PredictSettings(Thresholds.from_rate(model.card.normal_scores, 0.05), true_masks=True)
    for each in summarize_each(model, find_photos(folder).test, settings):
        if isinstance(each, Prediction):
            evaluator.add(str(each.photo.defect), each.scores, each.pixel_counts)
        left_out = each.rejected_mask if isinstance(each, Prediction) else each
        rejected += [left_out] if left_out else []
    return {result.group: result for result in evaluator.evaluate(thresholds)}, rejected


def test_images_are_compared_by_defect_and_together(
    folder: Path, model: Model, sets: dict[str, Pixels]
) -> None:
    results, _ = evaluate(model, folder)
    assert [(each.group, each.n_normal, each.n_anomalous) for each in results.values()] == [
        ("nine", 4, 3),
        ("two", 4, 2),
        (ALL, 4, 5),
    ]
    sides = {"nine": sets["nine"], "two": sets["two"], ALL: np.concatenate([sets["nine"], sets["two"]])}
    for result in results.values():
        for score in SCORES:
            normal, anomalous = (
                model.anomaly_score(images, score) for images in (sets["good"], sides[result.group])
            )
            metrics = Metrics.compute(normal, anomalous)
            found = [result.measure(name)[score] for name in ("auroc", "aupr", "fpr95")]
            assert found == pytest.approx([metrics.auroc, metrics.aupr, metrics.fpr95])
            best = Confusion.at(best_f1_threshold(normal, anomalous), normal, anomalous)
            assert result.best_f1[score] == pytest.approx(best.f1)


def test_pixels_are_compared_where_there_are_masks(
    folder: Path, model: Model, sets: dict[str, Pixels]
) -> None:
    results, _ = evaluate(model, folder)
    assert (results["two"].pixel_auroc, results["two"].aupro) == (NONE, NONE)
    images = np.concatenate([sets["good"], sets["nine"]])
    masks = [*np.zeros((4, 28, 28), np.bool_), *(sets["nine"] > 127)]
    terms = model.term_maps(images)
    for score in SCORES:
        expected = PixelMetrics.compute(list(terms.anomaly_maps(score)), masks)
        for defect in ("nine", ALL):
            assert results[defect].pixel_auroc[score] == pytest.approx(expected.auroc, abs=1e-3)
            assert results[defect].aupro[score] == pytest.approx(expected.aupro, abs=1e-3)


def test_photos_above_the_threshold_are_counted(folder: Path, model: Model, sets: dict[str, Pixels]) -> None:
    scores = {defect: model.anomaly_score(images, "calibrated") for defect, images in sets.items()}
    limit = float(np.concatenate(list(scores.values())).mean())
    results, _ = evaluate(model, folder, {"calibrated": limit})
    above = {defect: int((found > np.float64(limit)).sum()) for defect, found in scores.items()}
    assert 0 < sum(above.values()) < 9, scores
    above[ALL] = above["nine"] + above["two"]
    for defect, result in results.items():
        assert result.confusion == {
            "calibrated": Confusion(
                above["good"], 4 - above["good"], above[defect], result.n_anomalous - above[defect]
            )
        }


def test_bad_image_is_left_out(folder: Path, model: Model) -> None:
    (folder / "test/nine/0.png").write_text("no image")
    results, rejected = evaluate(model, folder)
    assert [each.name for each in rejected] == ["test/nine/0.png"]
    assert (results["nine"].n_anomalous, results[ALL].n_anomalous) == (2, 4)


def test_image_with_a_bad_mask_counts_as_one_without(folder: Path, model: Model) -> None:
    mask = folder / "ground_truth/nine/1_mask.png"
    mask.unlink()
    without, _ = evaluate(model, folder)
    save(np.zeros((9, 9), np.uint8), mask)
    results, rejected = evaluate(model, folder)
    assert results == without
    assert (without["nine"].n_anomalous, without[ALL].n_anomalous) == (3, 5)
    assert [each.name for each in rejected] == [str(mask)]
    assert "1_mask.png' must be as large as its image" in rejected[0].reason


def test_defect_of_which_nothing_can_be_read_has_no_metrics(folder: Path, model: Model) -> None:
    for file in (folder / "test/nine").iterdir():
        file.write_bytes(b"")
    results, _ = evaluate(model, folder)
    assert results["nine"] == GroupMetrics("nine", 4, 0, NONE, NONE, NONE, NONE, NONE, NONE)


def test_score_that_some_images_lack_is_left_out(folder: Path, model: Model) -> None:
    save(np.zeros((40, 28), np.uint8), folder / "test/two/9.png")
    thresholds = dict.fromkeys(SCORES, 0.0)
    results, _ = evaluate(model, folder, thresholds)
    assert results["nine"].auroc["calibrated"] is not None
    assert results["two"].auroc["calibrated"] is None
    assert results["two"].auroc["new"] is not None
    assert results["two"].confusion["calibrated"] is None
    assert results["nine"].confusion["calibrated"] is not None
