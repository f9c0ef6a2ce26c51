import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaead.errors import InvalidInputError
from vaead.images import map_to_png, read_grey_image

GREY = np.random.default_rng(0).integers(0, 256, (9, 12), np.uint8)


@pytest.mark.parametrize("name", ["image.png", "ひび割れ ü.png", "image.bmp", "no ending"])
def test_grey_image_is_read_as_it_is(tmp_path: Path, name: str) -> None:
    Image.fromarray(GREY).save(tmp_path / name, "BMP" if name.endswith("bmp") else "PNG")
    image = read_grey_image(tmp_path / name)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, GREY)


def test_colours_become_luminance(tmp_path: Path) -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    Image.fromarray(colours).save(tmp_path / "image.png")
    # Rec. 601: 0.299 red, 0.587 green, 0.114 blue
    assert read_grey_image(tmp_path / "image.png").tolist() == [[76, 150, 29, 255]]


@pytest.mark.parametrize("ending", ["png", "tiff"])
def test_16_bits_are_scaled_to_8(tmp_path: Path, ending: str) -> None:
    Image.fromarray(np.array([[0, 257, 60_000, 65_535]], np.uint16)).save(tmp_path / f"image.{ending}")
    assert read_grey_image(tmp_path / f"image.{ending}").tolist() == [[0, 1, 233, 255]]


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_32_bit_pixels_are_refused(tmp_path: Path, dtype: type[np.generic]) -> None:
    Image.fromarray(np.ones((9, 9), dtype)).save(tmp_path / "image.tiff")
    with pytest.raises(InvalidInputError, match=r"readable picture, got .*\(32-bit pixels have no fixed"):
        read_grey_image(tmp_path / "image.tiff")


def test_absent_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"image must be an existing file, got .*absent\.png"):
        read_grey_image(tmp_path / "absent.png")


@pytest.mark.parametrize("fault", ["text", "truncated", "empty", "folder"])
def test_file_that_is_no_image_is_refused(tmp_path: Path, fault: str) -> None:
    png = map_to_png(GREY.astype(np.float32))
    file = tmp_path / "image.png"
    if fault == "folder":
        file.mkdir()
    else:
        file.write_bytes({"text": b"hello", "truncated": png[: len(png) // 2], "empty": b""}[fault])
    with pytest.raises(InvalidInputError, match=r"image must be a readable picture, got .*image\.png"):
        read_grey_image(file)


@pytest.mark.parametrize(
    ("anomaly_map", "grey"),
    [([[-4.0, 0.0], [1.0, 6.0]], [[0, 102], [127, 255]]), ([[7.0, 7.0]], [[0, 0]])],
    ids=["range", "constant"],
)
def test_map_is_drawn_from_black_to_white(anomaly_map: list[list[float]], grey: list[list[int]]) -> None:
    png = map_to_png(np.array(anomaly_map, np.float32))
    with Image.open(io.BytesIO(png)) as image:
        assert (image.format, image.mode) == ("PNG", "L")
        assert np.asarray(image).tolist() == grey
