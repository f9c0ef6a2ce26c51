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
from vaead.model.folder import load_model, save_model
from vaead.model.model import Model

Card = dict[str, Any]
Arrays = dict[str, NDArray[np.generic]]


@pytest.fixture
def folder(photo_model: Model, tmp_path: Path) -> Path:
    """A model of photos."""
    save_model(tmp_path / "model", photo_model)
    return tmp_path / "model"


def edit_card(folder: Path, edit: Callable[[Card], object]) -> None:
    card = json.loads((folder / CARD).read_text())
    edit(card)
    (folder / CARD).write_text(json.dumps(card))


def put(folder: Path, name: str, content: bytes) -> None:
    """Replace a file and its checksum."""
    (folder / name).write_bytes(content)
    edit_card(folder, lambda card: card["sha256"].update({name: hashlib.sha256(content).hexdigest()}))


def put_arrays(folder: Path, edit: Callable[[Arrays], object], name: str = "reference0.npz") -> None:
    arrays = dict(np.load(folder / name))
    edit(arrays)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    put(folder, name, buffer.getvalue())


@pytest.mark.parametrize("name", ["network0.tflite.gz", "reference0.npz", "windows.npz"])
@pytest.mark.parametrize("content", [b"", b"garbage", None], ids=["empty", "garbage", "half"])
def test_file_with_the_right_checksum_may_still_be_damaged(
    folder: Path, name: str, content: bytes | None
) -> None:
    whole = (folder / name).read_bytes()
    put(folder, name, whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(ModelFormatError, match="must be a"):
        load_model(folder)


@pytest.mark.parametrize("name", ["network0.tflite.gz", "reference0.npz"])
def test_file_that_unpacks_to_far_too_much_is_refused(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_MOST_BYTES", 10_000)
    with pytest.raises(ModelFormatError, match="must unpack to at most 0 MB, got more"):
        load_model(folder)


@pytest.mark.parametrize(
    ("name", "edit", "problem"),
    [
        ("content.median", lambda array: array[:-1], "shape of the network, got .* 'content.median'"),
        ("content.centers", lambda array: array[:, :-1], "got others in 'content.centers'"),
        ("content.centers", lambda _: np.float32(0), "got others in 'middle'"),
        ("content.scale", lambda array: array * np.nan, "got others in 'content.scale'"),
        ("content.scale", lambda array: array * 0, "must hold numbers above 0 in 'content.scale'"),
        ("whole.precision", lambda array: array[:-1], "got others in 'whole.precision'"),
        ("spread", lambda array: array * 0, "must hold numbers above 0 in 'spread'"),
        ("content.median", lambda array: array.astype(int), "got others in 'content.median'"),
        ("content.median", lambda _: np.array([None]), "cannot be read .*allow_pickle=False"),
    ],
)
def test_arrays_that_do_not_fit_the_network_are_refused(
    folder: Path, name: str, edit: Callable[[Any], Any], problem: str
) -> None:
    put_arrays(folder, lambda arrays: arrays.update({name: edit(arrays[name])}))
    with pytest.raises(ModelFormatError, match=problem):
        load_model(folder)


@pytest.mark.parametrize(
    "empty", [("kinds", "middle"), ("centers", "median", "scale", "signed_median", "signed_scale")]
)
def test_reference_without_any_kind_or_group_is_refused(folder: Path, empty: tuple[str, ...]) -> None:
    def cut(arrays: dict[str, Any]) -> None:
        names = [name for name in arrays if name.removeprefix("content.") in empty]
        assert len(names) == len(empty)
        arrays.update({name: arrays[name][:0] for name in names})

    put_arrays(folder, cut)
    with pytest.raises(ModelFormatError, match="in the shape of the network, got others in"):
        load_model(folder)


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("pictures", lambda array: array[:, :-1]),
        ("pictures", lambda array: array[:-1]),
        ("pictures", lambda array: array.astype(np.float16)),
        ("z_mean", lambda array: array[:, :-1]),
        ("z_mean", lambda array: array * np.float16("nan")),
        ("z_mean", lambda array: array.astype(np.float64)),
        ("places", lambda array: array[:, :-1]),
        ("places", lambda array: array - 1),
        ("places", lambda array: array + 10**6),
        ("places", lambda array: array[0, 0]),
        ("places", lambda array: array.astype(np.float32)),
    ],
)
def test_windows_that_do_not_fit_the_network_are_refused(
    folder: Path, name: str, edit: Callable[[Any], Any]
) -> None:
    put_arrays(folder, lambda arrays: arrays.update({name: edit(arrays[name])}), "windows.npz")
    with pytest.raises(ModelFormatError, match=r"windows\.npz must hold 1 to 5,000 windows of the network"):
        load_model(folder)


def test_no_window_and_too_many_are_refused(folder: Path) -> None:
    whole = dict(np.load(folder / "windows.npz"))
    for count in (0, 5_001):
        many = {name: np.resize(array, (count, *array.shape[1:])) for name, array in whole.items()}
        put_arrays(folder, lambda arrays, many=many: arrays.update(many), "windows.npz")
        with pytest.raises(ModelFormatError, match=r"windows\.npz must hold 1 to 5,000 windows"):
            load_model(folder)


def test_windows_outside_aligned_images_are_refused(folder: Path) -> None:
    content, network = (folder / "windows.npz").read_bytes(), load_model(folder).card.recipe.networks[0]
    assert len(files.unpack_windows(content, network, (9, 9)).places)
    with pytest.raises(ModelFormatError, match=r"windows\.npz must hold"):
        files.unpack_windows(content, network, (9, 8))


@pytest.mark.parametrize("lost", ["file", "checksum"])
def test_model_may_keep_no_windows_but_not_lose_them(folder: Path, lost: str) -> None:
    if lost == "file":
        (folder / "windows.npz").unlink()
        with pytest.raises(ModelFormatError, match=r"must hold a readable windows\.npz"):
            load_model(folder)
    edit_card(folder, lambda card: card["sha256"].pop("windows.npz"))
    assert load_model(folder).windows is None


@pytest.mark.parametrize(
    "edit",
    [
        lambda card: card["recipe"]["networks"][0].update(patch_size=32),
        lambda card: card["recipe"]["networks"][0].update(network="dense"),
        lambda card: card["recipe"]["networks"][0].update(latent_dim=3),
        lambda card: card["recipe"]["networks"][0].update(channels=3),
        lambda card: (card["recipe"]["source"].update(aligned=True), card.update(image_shape=[40, 48])),
    ],
)
def test_card_that_does_not_fit_the_files_is_refused(folder: Path, edit: Callable[[Card], object]) -> None:
    edit_card(folder, lambda content: edit(content["card"]))
    with pytest.raises(ModelFormatError, match="train the model again"):
        load_model(folder)


def test_program_of_another_model_is_refused(folder: Path, model: Model) -> None:
    put(folder, "network0.tflite.gz", gzip.compress(model.networks[0].program))
    with pytest.raises(ModelFormatError, match=r"scorer must (take|give)"):
        load_model(folder)


def test_no_file_is_read_that_a_card_names_elsewhere(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    os.mkfifo(secret)  # to read it would never end
    edit_card(folder, lambda card: card["sha256"].update({str(secret): "0", "../secret": "0"}))
    assert load_model(folder).card.recipe.preset == "industrial"


def test_pipe_in_place_of_a_file_is_refused(folder: Path) -> None:
    (folder / "reference0.npz").unlink()
    os.mkfifo(folder / "reference0.npz")
    with pytest.raises(ModelFormatError, match=r"must hold a readable reference0\.npz"):
        load_model(folder)


@pytest.mark.parametrize("where", ["empty", "older", "shown"])
def test_model_replaces_nothing_or_a_model(folder: Path, photo_model: Model, where: str) -> None:
    if where == "empty":
        folder = folder.with_name("new")
        folder.mkdir()
    elif where == "shown":
        (folder / ".DS_Store").touch()
    save_model(folder, photo_model)
    parts = {"network0.tflite.gz", "reference0.npz", "windows.npz"}
    assert {path.name for path in folder.iterdir()} == {CARD, *parts}


def test_model_never_replaces_anything_else(folder: Path, photo_model: Model, tmp_path: Path) -> None:
    mine = folder / "photos" / "mine.png"
    mine.parent.mkdir()
    mine.touch()
    with pytest.raises(StoreError, match=r"a model to replace, got .* with 'photos' in it; name"):
        save_model(folder, photo_model)
    assert mine.exists()
    file = tmp_path / "file"
    file.write_text("all my work")
    with pytest.raises(StoreError, match="which is a file; name another folder"):
        save_model(file, photo_model)
    assert file.read_text() == "all my work"
