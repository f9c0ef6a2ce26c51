"""A model that comes back to the page "Your images"."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ui.conftest import ROOT
from tests.ui.your_images.helpers import File, OwnPage, screw, screws
from vaead.data.photos import Limits
from vaead.data.photos.reasons import PhotoError
from vaead.inference.photo_service import PhotoService
from vaead.model.files import GOLDEN, SCRIPT
from vaead.model.folder import load_card
from vaead.ui.your_images import downloads, model_upload
from vaead.ui.your_images.messages import UnusableModelError
from vaead.ui.your_images.predictions import Results

Files = dict[str, bytes]


@pytest.fixture
def files(photo_model: Path) -> Files:
    """Those of a model, by name."""
    return {file.name: file.read_bytes() for file in photo_model.iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where to put a model."""
    (tmp_path / "run").mkdir()
    return tmp_path / "run" / "model"


def packed(files: Files, place: str = "model/") -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(place + name, content)
    buffer.seek(0)
    return buffer


def as_file(files: Files) -> File:
    return "my model.zip", packed(files).getvalue(), "application/zip"


def signed(files: Files) -> Files:
    """The same files with a card that has their checksums, as somebody who means harm would make it."""
    card = json.loads(files["card.json"])
    others = {name: content for name, content in files.items() if name != "card.json"}
    card["sha256"] = {name: hashlib.sha256(content).hexdigest() for name, content in others.items()}
    return {**others, "card.json": json.dumps(card).encode()}


def test_downloaded_model_judges_without_normal_images(photo_model: Path) -> None:
    page = OwnPage()
    page.upload("test", *screws(3))
    assert page.titles == [
        "1. Images: 0 normal, 3 to test",
        "2. Train a model on the normal images, or bring one",
    ]
    download = downloads.model_zip(Results(load_card(photo_model), photo_model))
    page.bring_model(("model.zip", download, "application/zip"))
    assert page.errors == []
    assert page.titles[-1] == "3. What it finds"
    assert len(page.tiles) == 3
    assert "By the model that you brought: `industrial`, patches of 24 px at scale 0.5" in page.said
    # It has learned from images twice as large.
    assert "To the network, " in page.said  # and so the windows have come with it
    assert page.warnings[0].startswith("3 of the test images, such as `part 0.png` (160x120 px)")
    page.upload("test", ("more.png", screw(9), "image/png"))
    assert len(page.tiles) == 4
    page.upload("normal", *screws(2))
    assert page.app.button(key="own_train").label == "Train this model"
    assert "Trained before" not in page.said  # nobody knows what it has learned from


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda files: {"a.png": screw(1)}, "`my model.zip` holds no model"),
        (
            lambda files: files | {"network0.tflite.gz": b"other"},
            "network0.tflite.gz must match its checksum in card.json",
        ),
        (
            lambda files: {name: data for name, data in files.items() if name != "reference0.npz"},
            "model folder must hold a readable reference0.npz",
        ),
        (
            lambda files: {name: data for name, data in files.items() if name != "windows.npz"},
            "model folder must hold a readable windows.npz",
        ),
        (
            lambda files: signed(files | {"windows.npz": b"no arrays"}),
            "windows.npz must be a whole file of a model",
        ),
        (lambda files: files | {"card.json": b"{}"}, "card.json must be a model card of vaead"),
        (
            lambda files: signed(files | {"network0.tflite.gz": gzip.compress(b"no program")}),
            "scorer must be a LiteRT program",
        ),
    ],
)
def test_what_is_wrong_with_a_model_is_told_and_the_page_goes_on(
    files: Files, change: Callable[[Files], Files], said: str
) -> None:
    page = OwnPage()
    page.upload("test", *screws(1))
    page.bring_model(as_file(change(files)))
    assert said in page.errors[0].replace("\\", "")
    page.bring_model(as_file(files))
    assert page.errors == []
    assert len(page.tiles) == 1


def test_model_of_an_older_version_keeps_no_windows(files: Files) -> None:
    page = OwnPage()
    page.upload("test", *screws(1))
    page.bring_model(as_file(signed({name: data for name, data in files.items() if name != "windows.npz"})))
    assert page.errors == []
    assert "This model keeps no normal windows to compare with; train it again" in page.said
    assert page.figure("own_window_pictures_figure")["data"]


def test_file_that_is_no_zip_is_told() -> None:
    page = OwnPage(lang="日本語")
    page.upload("test", *screws(1))
    page.bring_model(("model.zip", b"PK no zip", "application/zip"))
    assert page.errors[0].startswith("`model.zip` のモデルは使えません")
    assert "ZIP" in page.errors[0]


def test_model_of_classes_is_refused(folder: Path) -> None:
    digits = ROOT / "models" / "digits" / "1" / "article"
    file = packed({each.name: each.read_bytes() for each in digits.iterdir()})
    with pytest.raises(UnusableModelError, match="classes digits"):
        model_upload.unpack_model(file, "digits.zip", folder)
    assert not folder.parent.exists()


def test_nothing_but_files_of_a_model_is_unpacked(files: Files, folder: Path) -> None:
    others = ("evil.py", "../../card.json.png", "network0.tflite.gz.png", GOLDEN, SCRIPT)
    model_upload.unpack_model(packed(files | dict.fromkeys(others, b""), ""), "model.zip", folder)
    assert {each.name for each in folder.iterdir()} == set(files) - {GOLDEN, SCRIPT}
    assert [each.name for each in folder.parent.iterdir()] == ["model"]


def test_program_that_would_fill_the_memory_is_refused(files: Files, folder: Path) -> None:
    bomb = signed(files | {"network0.tflite.gz": gzip.compress(bytes(2**28 + 1))})
    with pytest.raises(UnusableModelError, match=r"damaged network0\.tflite\.gz must"):
        model_upload.unpack_model(packed(bomb), "model.zip", folder)


def test_card_that_would_fill_the_memory_is_not_read(
    files: Files, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_upload, "photo_service", lambda: pytest.fail("was read"))
    large = files | {"card.json": os.urandom(5_000_001)}  # packs badly, or the ZIP would be refused for that
    with pytest.raises(UnusableModelError, match="broken"):
        model_upload.unpack_model(packed(large), "model.zip", folder)


def test_zip_that_is_too_large_is_refused(
    files: Files, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_upload, "_LIMITS", Limits(zip_unpacked_bytes=1000))
    with pytest.raises(PhotoError, match="must unpack to at most 1000 bytes"):
        model_upload.unpack_model(packed(files), "model.zip", folder)


def test_model_whose_trial_crashes_is_refused(
    files: Files, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashing = PhotoService(command=("/bin/sh", "-c", "kill -SEGV $$"))
    monkeypatch.setattr(model_upload, "photo_service", lambda: crashing)
    with pytest.raises(UnusableModelError, match="broken"):
        model_upload.unpack_model(packed(files), "model.zip", folder)


def test_model_whose_parts_do_not_fit_fails_its_trial(files: Files, folder: Path) -> None:
    card = json.loads(files["card.json"])
    card["card"]["recipe"]["networks"][0]["patch_size"] = 32
    with pytest.raises(UnusableModelError, match=r"damaged reference0\.npz must hold finite"):
        model_upload.unpack_model(
            packed(files | {"card.json": json.dumps(card).encode()}), "model.zip", folder
        )


def test_training_takes_the_place_of_a_model_that_was_brought(photo_model: Path, files: Files) -> None:
    page = OwnPage()
    page.upload("test", *screws(1))
    page.bring_model(as_file(files))
    before = page["_own"].results.folder
    page["_own"].take_model(Results(load_card(photo_model), photo_model))
    assert not before.exists()
    page.run()
    assert "By the model that you brought" not in page.said
