"""Models that somebody else may have made: what is wrong with them is said, and nothing of them is run."""

import gzip
import hashlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.errors import ModelFormatError, StoreError
from vaead.model import files
from vaead.model.files import CARD
from vaead.model.model import Model
from vaead.model.store import load_model, save_model

Card = dict[str, Any]
Arrays = dict[str, NDArray[np.generic]]


@pytest.fixture
def folder(photo_model: Model, tmp_path: Path) -> Path:
    """A model of photos."""
    save_model(tmp_path / "model", photo_model.card, photo_model.parts)
    return tmp_path / "model"


def edit_card(folder: Path, edit: Callable[[Card], object]) -> None:
    card = json.loads((folder / CARD).read_text())
    edit(card)
    (folder / CARD).write_text(json.dumps(card))


def put(folder: Path, name: str, content: bytes) -> None:
    """Replace a file and its checksum."""
    (folder / name).write_bytes(content)
    edit_card(folder, lambda card: card["sha256"].update({name: hashlib.sha256(content).hexdigest()}))


def put_arrays(folder: Path, edit: Callable[[Arrays], object]) -> None:
    arrays = dict(np.load(folder / "calibration.npz"))
    edit(arrays)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    put(folder, "calibration.npz", buffer.getvalue())


@pytest.mark.parametrize("name", ["scorer.tflite.gz", "calibration.npz"])
@pytest.mark.parametrize("content", [b"", b"garbage", None], ids=["empty", "garbage", "half"])
def test_file_with_the_right_checksum_may_still_be_damaged(
    folder: Path, name: str, content: bytes | None
) -> None:
    whole = (folder / name).read_bytes()
    put(folder, name, whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(ModelFormatError, match="must be a"):
        load_model(folder)


@pytest.mark.parametrize("name", ["scorer.tflite.gz", "calibration.npz"])
def test_file_that_unpacks_to_far_too_much_is_refused(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_MOST_BYTES", 10_000)
    with pytest.raises(ModelFormatError, match="must unpack to at most 0 MB, got more"):
        load_model(folder)


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (lambda arrays: arrays.update(median=arrays["median"][:-1]), "shape of the network, got .* 'median'"),
        (lambda arrays: arrays.update(centers=arrays["centers"][:, :-1]), "got others in 'centers'"),
        (lambda arrays: arrays.update(centers=np.float32(0)), "got others in 'centers'"),
        (lambda arrays: arrays.update(spread=arrays["spread"] * np.nan), "got others in 'spread'"),
        (lambda arrays: arrays.update(spread=arrays["spread"] * 0), "must hold spreads above 0, .* 'spread'"),
        (lambda arrays: arrays.update(median=arrays["median"].astype(int)), "got others in 'median'"),
        (lambda arrays: arrays.update(median=np.array([None])), "cannot be read .*allow_pickle=False"),
    ],
)
def test_arrays_that_do_not_fit_the_network_are_refused(
    folder: Path, edit: Callable[[Arrays], object], problem: str
) -> None:
    put_arrays(folder, edit)
    with pytest.raises(ModelFormatError, match=problem):
        load_model(folder)


@pytest.mark.parametrize(
    "edit",
    [
        lambda card: card["recipe"]["model"].update(patch_size=32),
        lambda card: card["recipe"]["model"].update(network="dense"),
        lambda card: card["recipe"]["model"].update(latent_dim=3),
        lambda card: card["recipe"]["model"].update(channels=3),
        lambda card: card["recipe"].update(preset="none"),
        lambda card: card["recipe"].update(preset=None),
        lambda card: card.update(sha256=None),
        lambda card: card.update(sha256=[1]),
        lambda card: card.update(image_shape=[40, 48]),
        lambda card: card.update(image_shape="no"),
        lambda card: card.update(versions={}),
        lambda card: card.update(versions={"vaead": 1}),
        lambda card: card.update(created=2026),
        lambda card: card.update(history=[]),
        lambda card: card["calibration"].update(images=0),
        lambda card: card["calibration"]["image"].pop("old"),
        lambda card: card["calibration"].update(largest=None),
        lambda card: card["calibration"]["window"].update(new=[1.0]),
        lambda card: card["calibration"]["window"].update(new=[float("nan")] * 1001),
    ],
)
def test_card_that_does_not_fit_is_refused(folder: Path, edit: Callable[[Card], object]) -> None:
    edit_card(folder, edit)
    with pytest.raises(ModelFormatError, match=r"; (train|update)"):
        load_model(folder)


def test_card_of_endless_depth_is_refused(folder: Path) -> None:
    (folder / CARD).write_text("[" * 100_000)
    with pytest.raises(ModelFormatError, match="must be a model card"):
        load_model(folder)


def test_program_of_another_model_is_refused(folder: Path, model: Model) -> None:
    put(folder, "scorer.tflite.gz", gzip.compress(model.parts[0].program))
    with pytest.raises(ModelFormatError, match=r"scorer must (take|give)"):
        load_model(folder)


def test_no_file_is_read_that_a_card_names_elsewhere(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    os.mkfifo(secret)  # to read it would never end
    edit_card(folder, lambda card: card["sha256"].update({str(secret): "0", "../secret": "0"}))
    assert load_model(folder).card.recipe.preset == "industrial"


def test_pipe_in_place_of_a_file_is_refused(folder: Path) -> None:
    (folder / "calibration.npz").unlink()
    os.mkfifo(folder / "calibration.npz")
    with pytest.raises(ModelFormatError, match=r"must hold a readable calibration\.npz"):
        load_model(folder)


@pytest.mark.parametrize("where", ["empty", "older", "shown"])
def test_model_replaces_nothing_or_a_model(folder: Path, photo_model: Model, where: str) -> None:
    if where == "empty":
        folder = folder.with_name("new")
        folder.mkdir()
    elif where == "shown":
        (folder / ".DS_Store").touch()
    save_model(folder, photo_model.card, photo_model.parts)
    assert {path.name for path in folder.iterdir()} == {CARD, "scorer.tflite.gz", "calibration.npz"}


def test_model_never_replaces_anything_else(folder: Path, photo_model: Model, tmp_path: Path) -> None:
    mine = folder / "photos" / "mine.png"
    mine.parent.mkdir()
    mine.touch()
    with pytest.raises(StoreError, match=r"a model to replace, got .* with 'photos' in it; name"):
        save_model(folder, photo_model.card, photo_model.parts)
    assert mine.exists()
    file = tmp_path / "file"
    file.write_text("all my work")
    with pytest.raises(StoreError, match="which is a file; name another folder"):
        save_model(file, photo_model.card, photo_model.parts)
    assert file.read_text() == "all my work"
