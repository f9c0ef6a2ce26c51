import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.unit.cli.command_line import assert_refused, lines_of, run
from vaead.model.folder import load_model, save_model
from vaead.model.model import Model

Photos = list[NDArray[np.uint8]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, photo_model: Model, photos: Photos) -> Path:
    """A model, the photos that it was trained on, and one that it flags; no test may change them."""
    folder = tmp_path_factory.mktemp("made")
    save_model(folder / "model", photo_model)
    for name in ("train", "flagged"):
        (folder / name).mkdir()
    for number, photo in enumerate(photos):
        Image.fromarray(photo).save(folder / "train" / f"{number:02d}.png")
    noise = np.random.default_rng(1).normal(0, 8, photos[0].shape)
    noisy = np.clip(photos[0] + noise, 0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(folder / "flagged" / "noisy.png")
    return folder


def command(made: Path, out: Path, normal: object) -> list[object]:
    given = ["--model", made / "model", "--images", made / "train"]
    return ["recalibrate", *given, "--normal", normal, "--out", out]


@pytest.mark.parametrize("normal", ["flagged", "flagged/noisy.png"])
def test_model_is_calibrated_with_a_photo_or_a_folder(made: Path, tmp_path: Path, normal: str) -> None:
    result = run(*command(made, tmp_path / "new", made / normal), "--even-if-unusual")
    assert lines_of(result) == [str(tmp_path / "new")]
    first, *thresholds, found, photo = result.stderr.splitlines()
    assert first.startswith("Calibrated with 7 photos, 1 of them new, in ")
    assert [line.split(":")[0] for line in thresholds] == ["old", "new", "calibrated"]
    assert found.startswith("made-up defects found: ")
    assert re.search(r"noisy\.png: calibrated [\d.]+, flagged before; [\d.]+, (not )?flagged now", photo)
    assert photo.endswith("; it stood above all 6 normal photos, so make sure that it is normal")
    new, old = (load_model(folder).card.normal_scores for folder in (tmp_path / "new", made / "model"))
    assert new.threshold_value("new", 0.05) > old.threshold_value("new", 0.05)


def test_unreadable_photo_is_skipped(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "flagged", tmp_path / "flagged")
    (tmp_path / "flagged" / "bad.png").write_bytes(b"no image")
    result = run(*command(made, tmp_path / "new", tmp_path / "flagged"), "--even-if-unusual")
    assert lines_of(result) == [str(tmp_path / "new")]
    assert "bad.png' must be PNG, JPEG" in result.stderr
    assert "Skipped 1 of 14 files" in result.stderr


def test_what_cannot_be_calibrated_with_is_refused_and_nothing_written(made: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no image")
    (tmp_path / "defect").mkdir()
    Image.fromarray(np.full((40, 48), 255, np.uint8)).save(tmp_path / "defect" / "a.png")
    (tmp_path / "empty").mkdir()
    refused = {
        tmp_path / "defect": "images must be normal photos, got the folder 'defect'",
        tmp_path / "defect" / "a.png": "must not stand far above all others, got 1, such as",
        tmp_path / "empty": "",
        made / "train" / "00.png": "",
    }
    for normal, message in refused.items():
        assert_refused(run(*command(made, tmp_path / "new", normal)), message)
    result = run(*command(made, tmp_path / "new", tmp_path / "bad.png"))
    assert result.exit_code == 2
    assert "--normal must name a photo that can be read, got none in" in result.stderr
    assert not (tmp_path / "new").exists()


def test_other_photos_than_those_of_the_training_are_refused(made: Path, tmp_path: Path) -> None:
    other = ["--images", made / "flagged", "--normal", made / "train", "--out", tmp_path / "new"]
    result = run("recalibrate", "--model", made / "model", *other)
    assert_refused(result, "photos must hold all 6 that the model was calibrated with, got 0 of them")


def test_model_of_a_class_and_a_folder_in_use_are_refused(made: Path, tmp_path: Path, folder: Path) -> None:
    options = ["--images", made / "train", "--normal", made / "flagged"]
    result = run("recalibrate", "--model", folder, *options, "--out", tmp_path / "new")
    assert_refused(result, "--model must be of photos, got one of digits; train that again instead")
    result = run("recalibrate", "--model", made / "model", *options, "--out", made / "train")
    assert_refused(result, "--out must be new, empty, or a model to replace")


def test_photo_of_the_first_time_is_named_singly_the_second_time(made: Path, tmp_path: Path) -> None:
    first, flagged = made / "flagged" / "noisy.png", tmp_path / "flagged"
    shutil.copytree(made / "flagged", flagged)
    Image.open(first).transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(flagged / "later.png")
    lines_of(run(*command(made, tmp_path / "new", first), "--even-if-unusual"))
    again = ["--model", tmp_path / "new", "--images", made / "train", "--images"]
    rest = ["--normal", flagged / "later.png", "--out", tmp_path / "newer", "--even-if-unusual"]
    assert_refused(run("recalibrate", *again, flagged, *rest), "if it is new, leave it out of those")
    assert lines_of(run("recalibrate", *again, first, *rest)) == [str(tmp_path / "newer")]


@pytest.mark.parametrize("out", ["train/../model", "model/inside"])
def test_model_is_not_replaced_by_its_successor(made: Path, out: str) -> None:
    result = run(*command(made, made / out, made / "flagged"))
    assert_refused(result, "outputs must lie outside the folder of the model")
