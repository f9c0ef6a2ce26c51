"""Which images of a folder are due, look by look."""

import os
from pathlib import Path

import pytest

from vaead.inference.arrivals import Arrival, ArrivalFolder


def put(folder: Path, name: str, content: bytes = b"whole", modified_s: int = 100) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    os.utime(file, (modified_s, modified_s))
    return file


def names(watched: ArrivalFolder) -> list[str]:
    return [arrival.name for arrival, _ in watched.look()]


def test_image_is_due_once_it_was_the_same_in_two_looks(tmp_path: Path) -> None:
    watched = ArrivalFolder(tmp_path, ())
    put(tmp_path, "a.png", b"ha")
    assert names(watched) == []
    put(tmp_path, "a.png", b"half")
    assert names(watched) == []
    put(tmp_path, "a.png", b"HALF", modified_s=101)
    assert names(watched) == []
    ((arrival, path),) = watched.look()
    assert (arrival, path) == (Arrival("a.png", 4, "1970-01-01T00:01:41.000000Z"), tmp_path / "a.png")
    watched.scored(arrival)
    assert names(watched) == names(watched) == []
    assert watched.waiting == []


def test_file_written_again_is_another_one(tmp_path: Path) -> None:
    done = Arrival("a.png", 5, "1970-01-01T00:01:40.000000Z")
    watched = ArrivalFolder(tmp_path, [done])
    put(tmp_path, "a.png")
    assert names(watched) == names(watched) == []
    put(tmp_path, "a.png", modified_s=200)
    assert names(watched) == []
    assert names(watched) == ["a.png"]
    put(tmp_path, "a.png", modified_s=300)
    assert not watched.is_unchanged(Arrival("a.png", 5, "1970-01-01T00:03:20.000000Z"))


def test_images_in_folders_come_in_the_order_of_their_time_and_name(tmp_path: Path) -> None:
    for name, modified_s in (("a10.png", 5), ("a2.png", 5), ("day 2/画像.JPG", 4), ("b.tif", 6)):
        put(tmp_path, name, modified_s=modified_s)
    for name in ("notes.txt", ".hidden.png", "@eaDir/a.png", "log.csv"):
        put(tmp_path, name)
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "dangling.png").symlink_to("nowhere")
    watched = ArrivalFolder(tmp_path, ())
    assert names(watched) == []
    assert names(watched) == ["day 2/画像.JPG", "a2.png", "a10.png", "b.tif"]


def test_broken_image_is_told_once_and_tried_ever_more_seldom(tmp_path: Path) -> None:
    put(tmp_path, "a.png")
    watched = ArrivalFolder(tmp_path, ())
    tried, told = [], []
    for look in range(1, 300):
        for arrival, _ in watched.look():
            tried.append(look)
            if watched.failed(arrival):
                told.append(look)
                assert watched.unsettled == []
    assert tried == [2, 3, 5, 9, 17, 33, 65, 129, 193, 257]
    assert told == [3]
    assert watched.waiting == ["a.png"]
    put(tmp_path, "a.png", b"better")
    assert names(watched) == []
    assert names(watched) == ["a.png"]


def test_folder_that_is_away_is_an_error_and_one_that_is_back_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "camera"
    put(folder, "a.png")
    watched = ArrivalFolder(folder, ())
    assert names(watched) == []
    folder.rename(tmp_path / "away")
    with pytest.raises(FileNotFoundError):
        watched.look()
    (tmp_path / "away").rename(folder)
    assert names(watched) == ["a.png"]


def test_time_of_a_broken_clock_still_tells_files_apart(tmp_path: Path) -> None:
    file = put(tmp_path, "a.png")
    watched = ArrivalFolder(tmp_path, ())
    watched.look()
    ((arrival, _),) = watched.look()
    assert arrival.modified.startswith("1970")
    os.utime(file, ns=(0, 2**62))
    watched.look()
    ((arrival, _),) = watched.look()
    assert arrival.modified > "2116"
