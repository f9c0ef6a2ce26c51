"""The ZIP of a session: what comes back, and what is refused."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from vaead.data.photos.reasons import PhotoError
from vaead.errors import InvalidInputError
from vaead.session import Controls, KeptPhoto, Session, is_session, read_session, write_session

DIGEST = "0123456789abcdef" * 2
SESSION = Session(
    photos=(
        KeptPhoto("a.png", DIGEST, "normal"),
        KeptPhoto("b/ü.PNG", DIGEST[::-1], "test", "scratch"),
    ),
    controls=Controls(scale=0.5, patch=24, light=True),
    boxes=((0.0, 0.0, 0.5, 0.25),),
    score="new",
    false_alarm_rate=0.1,
    models=2,
    normals=(DIGEST,),
    taken=(1,),
    missed=(1,),
    created="2026-01-02T03:04:05+00:00",
)


@pytest.fixture
def files(tmp_path: Path) -> list[list[Path]]:
    """Two photos, and the mask of the second one."""
    contents = {"1.png": b"one", "2.PNG": b"two", "3.png": b"mask"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return [[tmp_path / "1.png"], [tmp_path / "2.PNG", tmp_path / "3.png"]]


@pytest.fixture
def models(tmp_path: Path) -> list[Path]:
    """Folders of two models, with a file that belongs to none."""
    folders = [tmp_path / name for name in ("new", "old")]
    for folder in folders:
        folder.mkdir()
        for name in ("card.json", "network0.tflite.gz", "golden.json", "notes.txt"):
            (folder / name).write_text(f"{folder.name} {name}")
    return folders


def written(*arguments: Any) -> io.BytesIO:
    buffer = io.BytesIO()
    write_session(buffer, *arguments)
    return buffer


def changed(packed: io.BytesIO, change: Callable[[dict[str, bytes]], None]) -> io.BytesIO:
    """The ZIP with other files."""
    with zipfile.ZipFile(packed) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer


def with_value(path: str, value: object) -> io.BytesIO:
    """A session whose JSON has another value at a path such as `session.photos.0.name`."""
    found = json.loads(SESSION.to_json())
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
    inner = found
    for part in parents:
        inner = inner[part]
    inner[last] = value
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("session.json", json.dumps(found))
    return buffer


def test_session_comes_back_with_photos_masks_and_models(files: list[list[Path]], models: list[Path]) -> None:
    packed = written(SESSION, files, models)
    with read_session(packed, "s.zip") as kept:
        names = [(each.file, each.masks) for each in kept.session.photos]
        assert names == [("photos/00000.png", ()), ("photos/00001.png", ("masks/00001-0.png",))]
        assert [kept.read(name) for name in ("photos/00001.png", "masks/00001-0.png")] == [b"two", b"mask"]
        assert kept.read_model() == {
            "card.json": b"new card.json",
            "network0.tflite.gz": b"new network0.tflite.gz",
        }
        assert kept.read_model(1)["card.json"] == b"old card.json"
        assert kept.session.missing == 0
        bare = tuple(replace(each, file=None, masks=()) for each in kept.session.photos)
        assert replace(kept.session, photos=bare) == SESSION
    assert "notes.txt" not in str(zipfile.ZipFile(packed).namelist())


def test_session_without_photos_has_their_digests(models: list[Path]) -> None:
    with read_session(written(SESSION, None, models), "s.zip") as kept:
        assert kept.session == SESSION
        assert kept.session.missing == 2


def test_session_that_was_packed_again_in_a_folder_is_read(
    files: list[list[Path]], models: list[Path]
) -> None:
    def move(files: dict[str, bytes]) -> None:
        for name in list(files):
            files[f"my session/{name}"] = files.pop(name)

    with read_session(changed(written(SESSION, files, models), move), "s.zip") as kept:
        assert kept.read("photos/00000.png") == b"one"
        assert kept.read_model(1)["card.json"] == b"old card.json"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("format_version", 2, "got one of vaead .* in another format"),
        ("session.photos.0.name", "../a.png", "damaged|cannot be read .*inside its folder"),
        ("session.photos.0.digest", "x", "32 hexadecimal digits"),
        ("session.photos.0.role", "other", "cannot be read"),
        ("session.photos.0.file", "../../etc/a.png", "made-up name"),
        ("session.photos.0.file", "photos/0.py", "made-up name"),
        ("session.photos.1.masks", ["model/card.json"], "made-up name"),
        ("session.photos.0.extra", 1, "unknown field"),
        ("session.controls.patch", 7, "multiple of 4"),
        ("session.controls.patch", "24", "Expected `int | null`, got `str`"),
        ("session.controls.epochs", 10**9, "epochs must be a whole number from 1 to 100"),
        ("session.boxes", [[0, 0, 1]], "length 4"),
        ("session.false_alarm_rate", 1.5, "above 0 and below 1"),
        ("session.score", "best", "score must be one of"),
        ("session.models", 10**6, "models must be a whole number"),
        ("session.models", 4, "a photo a calibration"),
        ("session.taken", [0], "different test photos"),
        ("session.missed", [1, 1], "different test photos"),
        ("session.missed", [-1], "different test photos"),
    ],
)
def test_values_that_the_page_would_not_write_are_refused(path: str, value: object, message: str) -> None:
    with pytest.raises(PhotoError, match=message):
        read_session(with_value(path, value), "s.zip")


def test_two_photos_cannot_share_a_file() -> None:
    shared = [replace(each, file="photos/0.png") for each in SESSION.photos]
    with pytest.raises(InvalidInputError, match="one photo each"):
        replace(SESSION, photos=tuple(shared))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not JSON", "cannot be read"),
        (b"[" * 10_000, "cannot be read"),
        (b'{"format_version": 1}', "cannot be read"),
        (b'{"format_version": "x", "vaead": ["y"]}', "of vaead \\? in another format"),
        (b" " * 5_000_001, "5000001 bytes"),
    ],
)
def test_damaged_json_is_refused(content: bytes, message: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("session.json", content)
    with pytest.raises(PhotoError, match=message):
        read_session(buffer, "s.zip")


def test_what_is_missing_or_damaged_inside_is_named(files: list[list[Path]], models: list[Path]) -> None:
    def drop(files: dict[str, bytes]) -> None:
        del files["photos/00001.png"], files["model/card.json"]

    packed = written(SESSION, files, models)
    with read_session(changed(packed, drop), "s.zip") as kept:
        with pytest.raises(PhotoError, match=r"'photos/00001.png'"):
            kept.read("photos/00001.png")
        with pytest.raises(PhotoError, match=r"'model/card.json'"):
            kept.read_model()
    broken = io.BytesIO(packed.getvalue().replace(b"two", b"tow"))
    with read_session(broken, "s.zip") as kept, pytest.raises(PhotoError, match=r"photos/00001\.png"):
        kept.read("photos/00001.png")


def test_models_larger_than_any_are_not_read(
    files: list[list[Path]], models: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaead.session.archive.MOST_MODEL_BYTES", 20)
    packed = written(SESSION, files, models)
    with read_session(packed, "s.zip") as kept, pytest.raises(PhotoError, match="at most 20 bytes"):
        kept.read_model()


def test_other_files_are_no_sessions() -> None:
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a.png", b"")
    assert not is_session(other, "photos.zip")
    text = io.BytesIO(b"no ZIP")
    assert not is_session(text, "a.zip")
    assert text.read() == b"no ZIP"
    assert is_session(with_value("format_version", 9), "later.zip")
    with pytest.raises(PhotoError, match=r"must hold one session.json, got none"):
        read_session(other, "photos.zip")
    with pytest.raises(PhotoError, match="complete ZIP file"):
        read_session(io.BytesIO(b"no ZIP"), "a.zip")
