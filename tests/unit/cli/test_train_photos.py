import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.cli.command_line import assert_refused, lines_of, run, write_normal_photos
from vaead.data.photos.made_defects import KINDS
from vaead.model.files import CARD
from vaead.model.folder import load_model
from vaead.recipe import PhotoSource, Recipe

Crops = list[NDArray[np.float32]]
SMALL = ["--patch-size", 16, "--stride", 8, "--epochs", 1, "--crops", 128, "--seed", 5]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Four normal photos of 128x96 pixels."""
    return write_normal_photos(tmp_path / "photos")


def test_photos_are_trained_on(photos: Path, tmp_path: Path, no_arithmetic: Crops) -> None:
    result = run("train", "--images", photos, *SMALL, "--out", tmp_path / "new" / "model")
    assert lines_of(result) == [str(tmp_path / "new" / "model")]
    folders, sizes, scale, color, light, aligned, start = result.stderr.splitlines()[:7]
    assert (folders, sizes) == ("To train on: 4 photos in train/good/ (4)", "Sizes: 128x96 px, grey")
    assert start.startswith(
        "Training on 4 photos, scaled to 128x96 px (scale 1), in patches of 16x16 every 8 px: 128 crops"
    )
    assert scale == "Scale 1, patches of 32 px: the longer side of the images becomes 128 of 128 px."
    assert color.startswith("Luminance: all normal images are grey")
    assert light.startswith("Light as it is: ")
    assert aligned.startswith("Not aligned: ")
    card = load_model(tmp_path / "new" / "model").card
    assert card.recipe == Recipe.from_preset(
        "industrial", PhotoSource(), patch_size=16, stride=8, epochs=1, crops=128, seed=5
    )
    assert card.image_shape is None
    assert card.longer_side_px == (128, 128)
    assert {trial.kind for trial in card.trials} == set(KINDS) - {"hue"}


def test_options_of_photos_are_heeded(photos: Path, tmp_path: Path, no_arithmetic: Crops) -> None:
    options = ["--scale", 0.5, "--color", "rgb", "--aligned", "--keep-light"]
    options += ["--preset", "industrial", "--progress", "json"]
    result = run("train", "--images", photos / "train", *SMALL, *options, "--out", tmp_path / "model")
    start, epoch, *calibration, done = (json.loads(line) for line in lines_of(result))
    shares = [each["share"] for each in calibration]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert (start["event"], start["epochs"], start["crops"]) == ("start", 1, 128)
    assert (epoch["event"], done["event"], done["model"]) == ("epoch", "done", str(tmp_path / "model"))
    card = load_model(tmp_path / "model").card
    assert card.recipe.source == PhotoSource("rgb", 0.5, aligned=True)
    assert card.image_shape == (48, 64)


def test_bad_photo_is_skipped_and_an_older_model_replaced(
    photos: Path, tmp_path: Path, no_arithmetic: Crops
) -> None:
    (photos / "train/good/bad one.png").write_text("no image")
    out = tmp_path / "model"
    for seed in (1, 2):
        result = run("train", "--images", photos, *SMALL[:-1], seed, "--out", out)
        skipped, *_, summary = result.stderr.partition("Training")[0].splitlines()
        assert skipped.startswith("Skipped: image '")
        assert "bad one.png' must be PNG" in skipped
        assert summary == "Skipped 1 of 5 files"
        assert lines_of(result) == [str(out)]
    assert load_model(out).card.recipe.train.seed == 2


def test_same_photo_again_and_again_is_refused(photos: Path, tmp_path: Path) -> None:
    first, *others = sorted((photos / "train/good").iterdir())
    for other in others:
        other.write_bytes(first.read_bytes())
    result = run("train", "--images", photos, *SMALL, "--out", tmp_path / "model")
    assert_refused(result, "normal images must differ, got 4 with the same pixels; add photos")


def test_one_photo_is_refused(photos: Path, tmp_path: Path) -> None:
    for other in sorted((photos / "train/good").iterdir())[1:]:
        other.unlink()
    result = run("train", "--images", photos, *SMALL, "--out", tmp_path / "model")
    assert_refused(result, "normal images must be at least 2, got 1; add photos")


def test_photos_smaller_than_a_patch_are_named(photos: Path, tmp_path: Path) -> None:
    result = run(
        "train", "--images", photos, "--patch-size", 32, "--scale", 0.25, "--out", tmp_path / "model"
    )
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("must be at least 32x32 px at scale 0.25, got 32x24 px; use larger") == 4
    assert not (tmp_path / "model").exists()


def test_dataset_without_normal_photos_is_refused(photos: Path, tmp_path: Path) -> None:
    (photos / "train").rename(photos / "test")
    result = run("train", "--images", photos, "--out", tmp_path / "model")
    assert_refused(
        result,
        "images must be a folder of normal photos, or a dataset in which a folder says which are normal",
    )


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_is_no_model_is_never_replaced(photos: Path, tmp_path: Path, what: str) -> None:
    mine = tmp_path / "mine" / "thesis.txt"
    mine.parent.mkdir()
    mine.write_text("all my work")
    out = mine if what == "file" else mine.parent
    assert_refused(run("train", "--images", photos, "--out", out), "--out must be new, empty, or a model to")
    assert mine.read_text() == "all my work"


def test_folder_that_cannot_be_written_is_refused(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("train", "--images", photos, "--out", tmp_path / "file" / "model")
    assert_refused(result, "--out must be a folder that can be written, got .*; free some space")


def test_the_folder_one_is_in_can_hold_the_model(
    photos: Path, tmp_path: Path, no_arithmetic: Crops, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert lines_of(run("train", "--images", photos, *SMALL, "--out", ".")) == ["."]
    assert (tmp_path / "here" / CARD).is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--out must be given with --images, got none; name a folder for the model"),
        (["--dataset", "digits"], "--images must stand without --dataset, got both; leave one of them out"),
        (["--latent", "3"], "--images must stand without --latent, got both"),
        (["--store", "models"], "--images must stand without --store, got both"),
        (
            ["--out", "m", "--preset", "article"],
            "preset must be one of industrial, got 'article'",
        ),
        (["--out", "m", "--scale", "2"], "scale must be "),
        (["--out", "m", "--patch-size", "9"], "patch_size must be "),
        (["--out", "m", "--color", "hsv"], "Invalid value for '--color'"),
        (["--out", "m", "--epochs", "0"], "epochs must be a whole number from 1 to 1,000, got 0"),
    ],
)
def test_bad_options_are_refused(photos: Path, arguments: list[str], message: str) -> None:
    assert_refused(run("train", "--images", photos, *arguments), message)


def test_absent_folder_is_refused(tmp_path: Path) -> None:
    result = run("train", "--images", tmp_path / "nowhere", "--out", tmp_path / "model")
    assert_refused(result, "folder must be an existing folder, got nothing at '.*nowhere'; check its name")
