"""`vaead score --why`: one picture an image."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.unit.cli.command_line import assert_refused, lines_of, run
from vaead.data.photos import Photo
from vaead.inference.explain import explain, worst_window
from vaead.inference.prediction import Thresholds, predict
from vaead.inference.why_picture import draw_why
from vaead.model.folder import save_model
from vaead.model.model import Model


@pytest.fixture
def own(photo_model: Model, tmp_path: Path) -> Path:
    """A model of photos."""
    save_model(tmp_path / "model", photo_model)
    return tmp_path / "model"


@pytest.fixture
def tree(photos: list[NDArray[np.uint8]], tmp_path: Path) -> Path:
    """Two photos of one name in two folders."""
    for name, photo in zip(("a/x.png", "b/x.png"), photos, strict=False):
        (tmp_path / "tree" / name).parent.mkdir(parents=True)
        Image.fromarray(photo).save(tmp_path / "tree" / name)
    return tmp_path / "tree"


@pytest.mark.parametrize("given", [[], ["--jobs", 2]])
def test_each_image_has_a_picture(own: Path, tree: Path, tmp_path: Path, given: list[object]) -> None:
    assert len(lines_of(run("score", "--model", own, tree, "--why", tmp_path / "なぜ", *given))) == 2
    files = sorted(path for path in (tmp_path / "なぜ").rglob("*") if path.is_file())
    names = [path.relative_to(tmp_path / "なぜ").as_posix() for path in files]
    assert names == [f"{folder}/x.calibrated.why.png" for folder in "ab"]
    with Image.open(files[0]) as picture:
        assert (picture.mode, picture.width > 6 * 192, picture.height > 192) == ("RGB", True, True)


def test_picture_shows_window_and_neighbours(photo_model: Model, photos: list[NDArray[np.uint8]]) -> None:
    thresholds = Thresholds.from_rate(photo_model.card.normal_scores, 0.05)
    prediction = predict(photo_model, Photo("a.png", "a.png"), photos[0], thresholds)
    assert prediction.terms is not None
    found = explain(photo_model, photos[0], worst_window(prediction.terms, "calibrated"))
    drawn = draw_why(prediction, found, photo_model.card.normal_scores)
    assert drawn.dtype == np.uint8
    patch = np.round(255 * found.window.decoded.patch).astype(np.uint8)
    red = drawn[:, :, 0]
    enlarged = np.kron(patch, np.ones((12, 12), np.uint8))
    top = 32
    places = [
        left
        for left in range(red.shape[1] - 192)
        if (red[top : top + 192, left : left + 192] == enlarged).all()
    ]
    assert len(places) == 1


def test_model_without_windows_is_refused(photo_model: Model, own: Path, tree: Path, tmp_path: Path) -> None:
    save_model(own, Model(photo_model.card, photo_model.networks))
    result = run("score", "--model", own, tree, "--why", tmp_path / "why")
    assert_refused(result, "model must keep windows of normal photos .*; train it again, on photos and with")
    assert not (tmp_path / "why").exists()


def test_model_of_a_class_is_refused(folder: Path, image: Path, tmp_path: Path) -> None:
    assert_refused(run("score", "--model", folder, image, "--why", tmp_path / "why"), "must keep windows")


def test_folder_that_cannot_be_written_is_refused(own: Path, tree: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("score", "--model", own, tree, "--why", tmp_path / "file" / "x")
    assert_refused(result, "--why must be a place that can be written, got .*; free some space")
    assert_refused(run("score", "--model", own, tree, "--why", own / "x"), "outside the folder of the model")


def test_image_is_never_replaced(own: Path, tree: Path) -> None:
    image = tree / "a" / "x.calibrated.why.png"
    image.write_bytes((tree / "a" / "x.png").read_bytes())
    result = run("score", "--model", own, tree, "--why", tree)
    assert_refused(result, "images must not share the names of their maps")
    assert image.read_bytes() == (tree / "a" / "x.png").read_bytes()
