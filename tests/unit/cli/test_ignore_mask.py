"""`--ignore-mask` of train, score and evaluate."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.unit.cli.command_line import assert_refused, lines_of, run, write_normal_photos
from vaead.data.screws.generator import make_screw
from vaead.errors import TrainingError
from vaead.model.folder import load_card, save_model
from vaead.model.model import Model

Crops = list[NDArray[np.float32]]
STRETCHED = "drawn on 96x48 px; it is stretched over {} photos of another shape, such as "
SMALL = ["--patch-size", 16, "--stride", 8, "--epochs", 1, "--crops", 128]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Four normal photos of 128x96 pixels, and one of each kind to test."""
    folder = write_normal_photos(tmp_path / "photos")
    for kind, index in (("good", 7), ("stain", 9)):
        (folder / "test" / kind).mkdir(parents=True)
        image = make_screw(0, index, None if kind == "good" else kind, scale=0.2).image
        Image.fromarray(image).save(folder / "test" / kind / "a.png")
    (folder / "ground_truth" / "stain").mkdir(parents=True)
    mask = make_screw(0, 9, "stain", scale=0.2).mask
    Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "ground_truth" / "stain" / "a_mask.png")
    return folder


def write_mask(file: Path, size: tuple[int, int] = (96, 128), left_out: slice = np.s_[:40]) -> Path:
    mask = np.zeros(size, np.uint8)
    mask[left_out] = 255
    Image.fromarray(mask).save(file)
    return file


@pytest.mark.parametrize("aligned", ["--aligned", "--not-aligned"])
def test_region_is_kept_and_left_out_of_maps_and_metrics(
    dataset: Path, tmp_path: Path, no_arithmetic: Crops, aligned: str
) -> None:
    mask, out = write_mask(tmp_path / "mask.png"), tmp_path / "model"
    options = ["--ignore-mask", mask, "--scale", 0.5, aligned]
    lines_of(run("train", "--images", dataset, *SMALL, *options, "--out", out))
    ignored = load_card(out).recipe.source.ignored
    assert ignored is not None
    assert ignored.pixels((96, 128))[:40].all()
    scored = run("score", "--model", out, dataset / "test", "--maps", tmp_path / "maps", "--json")
    assert all("calibrated" in record for record in json.loads(scored.stdout))
    for name in ("old", "new", "calibrated"):
        anomaly_map = np.load(tmp_path / "maps" / "stain" / f"a.{name}.npy")
        assert np.isnan(anomaly_map[:20]).all()
        assert np.isfinite(anomaly_map[20:]).all()
    result = run("evaluate", "--model", out, "--images", dataset)
    assert "\tpixel auroc" in lines_of(result)[0]
    report = ["--report", tmp_path / "r.html", "--masks", tmp_path / "masks"]
    lines_of(run("score", "--model", out, dataset / "test", *report))


def test_region_can_be_left_out_of_a_model_that_does_not_know_it(
    dataset: Path, tmp_path: Path, no_arithmetic: Crops
) -> None:
    out = tmp_path / "model"
    lines_of(run("train", "--images", dataset, *SMALL, "--aligned", "--out", out))
    mask = write_mask(tmp_path / "mask.png")
    for jobs in (1, 2):
        maps = tmp_path / f"maps{jobs}"
        options = ["--ignore-mask", mask, "--maps", maps, "--jobs", jobs]
        lines_of(run("score", "--model", out, dataset / "test", *options))
        assert np.isnan(np.load(maps / "good" / "a.calibrated.npy")[:40]).all()
    lines_of(run("evaluate", "--model", out, "--images", dataset, "--ignore-mask", mask))
    other = write_mask(tmp_path / "other.png", (48, 64))
    result = run("score", "--model", out, dataset / "test", "--ignore-mask", other)
    assert_refused(result, "must be as large as the aligned photos, 128x96 px, got 64x48; draw it on one")


def test_bad_masks_are_refused_before_anything_is_trained(dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no image")
    refused = {
        write_mask(tmp_path / "nothing.png", left_out=np.s_[:0]): "must be a part of the photos, got nothing",
        write_mask(tmp_path / "all.png", left_out=np.s_[:]): "must be a part of the photos, got all",
        tmp_path / "missing.png": "must be an existing file",
        tmp_path / "text.png": "must be PNG, JPEG, BMP, TIFF or WebP",
    }
    train = ["train", "--images", dataset, *SMALL, "--out", tmp_path / "model"]
    for mask, message in refused.items():
        assert_refused(run(*train, "--ignore-mask", mask), message)
    small = write_mask(tmp_path / "small.png", (48, 64))
    result = run(*train, "--ignore-mask", small, "--aligned")
    assert result.exit_code == 2
    assert "must be as large as the aligned photos, 128x96 px, got 64x48; draw it on one" in result.stderr
    most = write_mask(tmp_path / "most.png", left_out=np.s_[:92])
    result = run(*train, "--ignore-mask", most)
    assert result.exit_code == 2
    assert "must leave a window of the image" in result.stderr
    assert not (tmp_path / "model").exists()


def test_mask_is_for_photos_alone(tmp_path: Path) -> None:
    mask = write_mask(tmp_path / "mask.png")
    for command in ("train", "evaluate"):
        result = run(command, "--dataset", "digits", "--normal", 1, "--ignore-mask", mask)
        assert_refused(result, "--dataset must stand without --ignore-mask, got both")


@pytest.fixture
def known(tmp_path: Path, photo_model: Model) -> Path:
    """A model of photos of 40x48 pixels or a little more, which leaves nothing out."""
    save_model(tmp_path / "known", photo_model)
    return tmp_path / "known"


def test_region_that_leaves_no_window_is_refused(known: Path, dataset: Path, tmp_path: Path) -> None:
    mask = write_mask(tmp_path / "mask.png", left_out=np.s_[:, 4:124])
    result = run("score", "--model", known, dataset / "test", "--ignore-mask", mask)
    assert_refused(result, "region to ignore must leave a window of the image")


def test_flags_of_a_model_that_does_not_know_the_region_are_told(
    known: Path, dataset: Path, tmp_path: Path
) -> None:
    wide = write_mask(tmp_path / "wide.png", (48, 96))
    for command in (["score", dataset / "test"], ["evaluate", "--images", dataset]):
        result = run(*command, "--model", known, "--ignore-mask", wide)
        assert "its flags do not keep to the false-alarm rate" in result.stderr
        assert STRETCHED.format(2) in result.stderr


def test_stretched_region_is_told_before_the_training(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise TrainingError("that is enough")

    monkeypatch.setattr("vaead.training.retry.train_sound", fail)
    wide = write_mask(tmp_path / "wide.png", (48, 96))
    result = run("train", "--images", dataset, *SMALL, "--ignore-mask", wide, "--out", tmp_path / "model")
    assert STRETCHED.format(4) in result.stderr
    assert result.stderr.endswith("Error: that is enough\n")


def test_aligned_photos_of_two_sizes_are_refused_before_the_training(dataset: Path, tmp_path: Path) -> None:
    Image.new("L", (130, 98)).save(dataset / "train" / "good" / "other.png")
    result = run(
        "train", "--images", dataset, *SMALL, "--aligned", "--scale", 0.5, "--out", tmp_path / "model"
    )
    assert result.exit_code == 2
    assert "Error: aligned photos must have one size, got 128x96 and 130x98 px" in result.stderr
    assert "Training on" not in result.stderr
