import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.unit.cli.command_line import assert_refused, lines_of, run
from vaead.data.photos import Limits
from vaead.model.folder import save_model
from vaead.model.model import Model
from vaead.session import Session, write_session


@pytest.fixture
def model(photo_model: Model, tmp_path: Path) -> Path:
    save_model(tmp_path / "model", photo_model)
    return tmp_path / "model"


@pytest.fixture
def dataset(photos: list[NDArray[np.uint8]], tmp_path: Path) -> Path:
    """Two normal photos, and one with a defect."""
    for index, name in enumerate(("train/good/0", "train/good/1", "test/chip/2")):
        file = tmp_path / "set" / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photos[index]).save(file)
    return tmp_path / "set"


@pytest.fixture
def kept(model: Path, dataset: Path, tmp_path: Path) -> Path:
    """A session of these at a false-alarm rate of 20 %."""
    file, options = tmp_path / "kept.zip", ("--false-alarm-rate", 0.2)
    saved = run("session", "save", "--model", model, "--images", dataset, "--out", file, *options)
    assert lines_of(saved) == [str(file)]
    return file


def test_photos_of_another_training_are_told(
    model: Path, dataset: Path, tmp_path: Path, photos: list[NDArray[np.uint8]]
) -> None:
    command = ("session", "save", "--model", model, "--images", dataset, "--out", tmp_path / "kept.zip")
    assert "of the 6 photos that the model was calibrated with are not among --images" in run(*command).stderr
    for index, photo in enumerate(photos):
        Image.fromarray(photo).save(dataset / "train" / "good" / f"{index}.png")
    assert run(*command).stderr == ""


def test_session_tells_what_is_in_it(kept: Path) -> None:
    saved, photos, model, flagged = lines_of(run("session", "show", kept))
    assert saved.startswith("Saved: 20")
    assert photos == "Photos: 2 to train on, 1 to test"
    assert model.startswith("Model: industrial, patches of 16 px at scale 1, trained 20")
    assert flagged.endswith("20.0% false alarms")
    (text,) = lines_of(run("session", "show", kept, "--json"))
    found = json.loads(text)["session"]
    assert [photo["role"] for photo in found["photos"]] == ["normal", "normal", "test"]
    assert found["photos"][2]["defect"] == "chip"
    assert sorted(found["normals"]) == sorted(photo["digest"] for photo in found["photos"][:2])


@pytest.mark.parametrize("name", ["set/train/good/0.png", "set/kept.png", "model/card.json"])
def test_session_replaces_no_photo_and_no_file_of_the_model(
    model: Path, dataset: Path, tmp_path: Path, name: str
) -> None:
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    saved = run("session", "save", "--model", model, "--images", dataset, "--out", tmp_path / name)
    assert_refused(saved, "(outputs must|must not be named like an image)")
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_photos_are_left_out_on_demand(model: Path, dataset: Path, tmp_path: Path) -> None:
    file = tmp_path / "kept.zip"
    run("session", "save", "--model", model, "--images", dataset, "--out", file, "--without-photos")
    assert "Only the digests of: 3 of 3 photos" in lines_of(run("session", "show", file))
    assert not any(name.startswith("photos") for name in zipfile.ZipFile(file).namelist())


def test_photos_that_the_page_would_not_take_are_refused(
    model: Path, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The package names its command like the module.
    module = sys.modules["vaead.cli.session"]
    monkeypatch.setattr(module, "VISITOR_LIMITS", Limits(upload_images=2))
    command = ("session", "save", "--model", model, "--images", dataset, "--out", tmp_path / "kept.zip")
    assert_refused(run(*command), "--images must be at most 2 photos .* got 3 and")
    assert lines_of(run(*command, "--without-photos")) == [str(tmp_path / "kept.zip")]


def test_model_of_a_session_scores_at_its_rate(kept: Path, model: Path, dataset: Path) -> None:
    options = (dataset / "test" / "chip", "--json")
    by_session = lines_of(run("score", "--model", kept, *options))
    assert by_session == lines_of(run("score", "--model", model, *options, "--false-alarm-rate", 0.2))
    assert "flagged" in by_session[0]


def test_what_is_no_session_or_has_no_model_is_refused(tmp_path: Path, image: Path) -> None:
    for command in (("session", "show", image), ("score", "--model", image, image)):
        assert_refused(run(*command), "must be a complete ZIP file")
    assert_refused(run("session", "show", tmp_path / "none.zip"), "session must be a file that can be read")
    empty = tmp_path / "empty.zip"
    with empty.open("wb") as stream:
        write_session(stream, Session(()), [], [])
    assert lines_of(run("session", "show", empty))[-1] == "Model: none"
    assert_refused(run("score", "--model", empty, image), "must hold a model to score with")
