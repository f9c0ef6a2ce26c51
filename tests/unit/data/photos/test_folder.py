"""Folders on this machine and elsewhere."""

import os
from pathlib import Path

import fsspec
import pytest

from tests.unit.data.photos.files import GREY, encode
from vaead.data.photos import Photo, ReadOptions, Rejected, find_photos, read_each, read_photo
from vaead.errors import DataUnavailableError, InvalidInputError

NAMES = ["train/good/1.png", "test/a b 😀/2.png", "ground_truth/a b 😀/2_mask.png"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(encode(GREY))
    return tmp_path


def test_folder_is_sorted_and_its_sources_can_be_read(folder: Path) -> None:
    photos = find_photos(folder)
    assert photos.train == (Photo(NAMES[0], str(folder / NAMES[0]), "good"),)
    assert photos.test == (Photo(NAMES[1], str(folder / NAMES[1]), "a b 😀", (str(folder / NAMES[2]),)),)
    assert read_photo(photos.test[0].source, photos.test[0].name).shape == GREY.shape


@pytest.mark.parametrize("end", ["", "/"])
def test_url_is_sorted_and_its_sources_can_be_read(end: str) -> None:
    url = "memory://find/parts"
    for name in NAMES:
        with fsspec.open(f"{url}/{name}", "wb") as stream:
            stream.write(encode(GREY))
    photos = find_photos(url + end)
    assert photos.train == (Photo(NAMES[0], f"{url}/{NAMES[0]}", "good"),)
    assert photos.test == (Photo(NAMES[1], f"{url}/{NAMES[1]}", "a b 😀", (f"{url}/{NAMES[2]}",)),)
    assert read_photo(photos.test[0].source, photos.test[0].name).shape == GREY.shape


def test_links_are_followed_but_not_in_circles(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("linked")
    (root / "test").symlink_to(folder / "test")
    (root / "again").symlink_to(root)
    assert [photo.name for photo in find_photos(root).test] == [NAMES[1]]


def test_file_with_a_name_that_is_no_text_is_rejected(folder: Path) -> None:
    try:
        (folder / os.fsdecode(b"test/a b \xf0\x9f\x98\x80/caf\xe9.png")).write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes no such names")
    assert [rejected.name for rejected in find_photos(folder).rejected] == [r"test/a b 😀/caf\udce9.png"]


def test_bad_file_does_not_stop_the_others(folder: Path) -> None:
    (folder / "train/good/0.png").write_bytes(b"hello")
    results = list(read_each(find_photos(folder).train, ReadOptions()))
    assert isinstance(results[0], Rejected)
    assert results[0].name == "train/good/0.png"
    assert "train/good/0.png' must be PNG" in results[0].reason
    assert not isinstance(results[1], Rejected)
    assert results[1][0].name == "train/good/1.png"


def test_folder_that_cannot_be_listed_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("good"):
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    # Root, as which tests may run, is never refused.
    monkeypatch.setattr(os, "scandir", refuse)
    photos = find_photos(folder)
    assert len(photos.test) == 1
    assert photos.rejected[0].name == "train/good"
    assert "folder 'train/good' must be a folder that can be read, got" in photos.rejected[0].reason


def test_absent_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidInputError, match=r"folder must be an existing folder, got nothing at .*absent"
    ):
        find_photos(tmp_path / "absent")


def test_file_in_place_of_a_folder_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"folder must be an existing folder, got a file at"):
        find_photos(folder / NAMES[0])


def test_folder_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(InvalidInputError, match=r"folder must hold at least one image \(PNG, .*got none in"):
        find_photos(tmp_path)


def test_absent_url_is_refused() -> None:
    with pytest.raises(
        InvalidInputError, match=r"folder must be an existing folder, got no file at 'memory:"
    ):
        find_photos("memory://absent/parts")


def test_url_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(
        DataUnavailableError, match=r"folder must be a folder that can be listed, got .*nowhere"
    ):
        find_photos("nowhere://parts")
