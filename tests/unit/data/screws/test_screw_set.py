import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vaead.data.photos import sort_photos
from vaead.data.photos.photo import NORMAL
from vaead.data.screws.generator import DEFECTS, make_screw
from vaead.data.screws.screw_set import ScrewSet
from vaead.errors import InvalidInputError


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder).as_posix()): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def write(folder: Path, on_image: Callable[[int, int], None] | None = None, **changes: Any) -> None:
    screws = ScrewSet(**{"seed": 5, "train": 2, "good": 1, "defective": 1, "scale": 0.2} | changes)
    screws.write(folder, on_image)


def test_folders_are_those_of_mvtec_ad(tmp_path: Path) -> None:
    write(tmp_path / "set" / "screws")
    names = {"train/good/000.png", "train/good/001.png", "test/good/000.png"}
    names |= {f"test/{defect}/000.png" for defect in DEFECTS}
    names |= {f"ground_truth/{defect}/000_mask.png" for defect in DEFECTS}
    assert set(files_of(tmp_path / "set" / "screws")) == names


def test_files_hold_images_and_their_masks(tmp_path: Path) -> None:
    write(tmp_path)
    for defect in DEFECTS:
        with (
            Image.open(tmp_path / "test" / defect / "000.png") as image,
            Image.open(tmp_path / "ground_truth" / defect / "000_mask.png") as mask,
        ):
            assert image.mode == mask.mode == "L"
            assert image.size == mask.size == (128, 96)
            assert set(np.unique(np.asarray(mask))) == {0, 255}


def test_files_do_not_depend_on_how_many_are_written(tmp_path: Path) -> None:
    write(tmp_path / "few")
    write(tmp_path / "many", train=3, good=2, defective=2)
    few, many = files_of(tmp_path / "few"), files_of(tmp_path / "many")
    assert few.items() < many.items()


def test_no_two_images_show_the_same_part() -> None:
    screws = ScrewSet(train=2100, good=1001, defective=201)
    assert len({image.index for image in screws}) == len(list(screws)) == len(screws)


def test_images_are_those_of_trained_models_and_stored_figures() -> None:
    """The model of the demo was trained on the first ones; benchmarks have measured all of these."""
    indices: dict[str, list[int]] = {}
    for image in ScrewSet(train=100, good=50, defective=20):
        indices.setdefault(image.folder, []).append(image.index)
    assert indices == {
        "train/good": list(range(100)),
        "test/good": list(range(1000, 1050)),
        **{f"test/{kind}": list(range(2000 + 100 * n, 2020 + 100 * n)) for n, kind in enumerate(DEFECTS)},
    }


def test_image_equals_its_file_and_its_mask() -> None:
    screws = ScrewSet(train=0, good=0, defective=1, severities=(0.5,), scale=0.2)
    (image, *_) = screws
    screw = make_screw(0, 2000, DEFECTS[0], 0.5, 0.2)
    assert (image.defect, image.to_train) == (DEFECTS[0], False)
    assert image.mask_name is not None
    for name, pixels in ((image.name, screw.image), (image.mask_name, 255 * screw.mask.astype(np.uint8))):
        with Image.open(io.BytesIO(screws.read(name))) as file:
            np.testing.assert_array_equal(np.asarray(file), pixels)


def test_images_of_a_defect_take_the_severities_in_turn() -> None:
    images = list(ScrewSet(train=2, good=1, defective=3, severities=(0.5, 1.0)))
    assert [image.severity for image in images if image.defect == NORMAL] == [None] * 3
    for defect in DEFECTS:
        assert [image.severity for image in images if image.defect == defect] == [0.5, 1.0, 0.5]


def test_photos_are_those_of_the_written_folder(tmp_path: Path) -> None:
    screws = ScrewSet(train=2, good=1, defective=1, scale=0.2)
    screws.write(tmp_path)
    found, made = sort_photos(files_of(tmp_path)), screws.photos
    assert [photo.name for photo in made.train] == [photo.name for photo in found.train]
    assert {(photo.name, photo.defect, photo.masks) for photo in made.test} == {
        (photo.name, photo.defect, photo.masks) for photo in found.test
    }
    for photo in (*made.train, *made.test):
        assert screws.read(photo.source) == (tmp_path / photo.name).read_bytes()


def test_progress_counts_every_image(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    write(tmp_path, on_image=lambda written, total: calls.append((written, total)))
    assert calls == [(number, 8) for number in range(1, 9)]


def test_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InvalidInputError, match=r"folder must be empty or new, got .*; name another"):
        write(tmp_path)
    assert files_of(tmp_path) == {"notes.txt": b"mine"}


def test_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InvalidInputError, match="folder must be empty or new"):
        write(tmp_path / "file")
    with pytest.raises(InvalidInputError, match=r"folder must be one that can be written, got .*\(Not a dir"):
        write(tmp_path / "file" / "below")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed must be a whole number, 0 or more, got -1"),
        ({"train": 0}, "train must be a whole number, 1 or more, got 0"),
        ({"good": -1}, "good must be a whole number, 0 or more, got -1"),
        ({"defective": 1.5}, r"defective must be a whole number, 0 or more, got 1\.5"),
        ({"scale": 5}, r"scale must be from 0\.2 to 4, got 5"),
    ],
)
def test_bad_set_is_refused_before_a_file_is_written(
    tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        write(tmp_path / "set", **arguments)
    assert not (tmp_path / "set").exists()
