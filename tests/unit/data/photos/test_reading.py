"""Good images of every kind become the right numbers."""

import io
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.unit.data.photos.files import COLOUR, DEEP, GREY, encode, png, tiff
from vaead.data.photos import ReadOptions, read_photo
from vaead.errors import InvalidInputError

RGB = ReadOptions(color="rgb")


def read(data: bytes, options: ReadOptions | None = None) -> Any:
    image = read_photo(data, "a.png", options)
    assert image.dtype == np.float32
    return image


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_8_bit_is_exact_in_formats_without_loss(kind: str) -> None:
    image = read(encode(COLOUR, kind, **({"lossless": True} if kind == "WEBP" else {})), RGB)
    np.testing.assert_array_equal(image, COLOUR / np.float32(255))


def test_jpeg_is_close() -> None:
    smooth = np.full((16, 16), 100, np.uint8)
    np.testing.assert_allclose(read(encode(smooth, "JPEG")), 100 / 255, atol=2 / 255)


@pytest.mark.parametrize("place", ["bytes", "stream", "path", "text", "url"])
def test_source_may_lie_anywhere(tmp_path: Path, place: str) -> None:
    data, file = encode(GREY), tmp_path / "a::b ü😀.png"
    file.write_bytes(data)
    with fsspec.open("memory://reading/a b😀.png", "wb") as stream:
        stream.write(data)
    sources: dict[str, Any] = {"bytes": memoryview(data), "stream": io.BytesIO(data), "path": file}
    sources |= {"text": str(file), "url": "memory://reading/a b😀.png"}
    image = read_photo(sources[place], "a.png")
    np.testing.assert_array_equal(image, GREY / np.float32(255))


def test_content_decides_and_not_the_name() -> None:
    np.testing.assert_array_equal(read(encode(GREY, "BMP")), read(encode(GREY, "PNG")))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_16_bit_grey_is_exact(kind: str, order: str) -> None:
    data = encode(DEEP) if kind == "png" else tiff(DEEP[:, :, None], order)
    np.testing.assert_array_equal(read(data), DEEP / np.float32(65_535))


DEEP_COLOUR = np.random.default_rng(3).integers(0, 65_536, (4, 5, 3), np.uint16)
DEEP_FILES = {
    "png": png(DEEP_COLOUR, 16, 2),
    "tiff little-endian": tiff(DEEP_COLOUR, "<"),
    "tiff big-endian": tiff(DEEP_COLOUR, ">"),
    "tiff compressed": tiff(DEEP_COLOUR, "<", deflate=True),
    "tiff compressed big-endian": tiff(DEEP_COLOUR, ">", deflate=True),
    "png opaque": png(np.concatenate([DEEP_COLOUR, np.full((4, 5, 1), 65_535)], axis=2), 16, 6),
}


@pytest.mark.parametrize("kind", DEEP_FILES)
def test_16_bit_colour_is_exact(kind: str) -> None:
    np.testing.assert_array_equal(read(DEEP_FILES[kind], RGB), DEEP_COLOUR / np.float32(65_535))


def test_12_bit_fills_the_range() -> None:
    packed = np.frombuffer(b"\xff\xf0\x00", np.uint8).reshape(1, 3, 1)
    data = bytearray(tiff(packed, bits=12))
    # Three bytes hold two pixels.
    width_at = data.index(b"\x00\x01\x04\x00\x01\x00\x00\x00\x03") + 8
    data[width_at] = 2
    assert read(bytes(data)).ravel().tolist() == [1, 0]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiff_in_which_zero_is_white_is_inverted(dtype: type[np.unsignedinteger[Any]]) -> None:
    top = np.iinfo(dtype).max
    assert read(tiff(np.array([[[0], [top]]], dtype), photometric=0)).ravel().tolist() == [1, 0]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (encode(Image.fromarray(GREY > 100)), (GREY > 100) * 1.0),
        (encode(Image.fromarray(GREY).convert("P")), GREY / 255),
        (encode(Image.fromarray(np.repeat(GREY[:, :, None], 3, 2))), GREY / 255),
        (encode(Image.fromarray(np.repeat(GREY[:, :, None], 3, 2)).convert("CMYK"), "TIFF"), GREY / 255),
    ],
    ids=["1 bit", "palette", "grey stored as colour", "CMYK"],
)
def test_other_ways_to_store_grey(data: bytes, expected: Any) -> None:
    np.testing.assert_array_equal(read(data), expected.astype(np.float32))


def test_luminance_of_pure_colours() -> None:
    pure = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    np.testing.assert_allclose(read(encode(pure)).ravel(), [0.299, 0.587, 0.114], rtol=1e-6)


def test_grey_has_three_equal_channels_as_rgb() -> None:
    image = read(encode(GREY), RGB)
    assert image.shape == (*GREY.shape, 3)
    np.testing.assert_array_equal(image, np.repeat(read(encode(GREY))[:, :, None], 3, axis=2))


KEY = (b"tRNS", b"\x03\xe8")
TRANSPARENT = {
    "8 bit": (encode(np.array([[[0, 0], [100, 255], [0, 51]]], np.uint8)), [1, 100 / 255, 0.8]),
    "16 bit": (png(np.array([[[0, 0], [999, 65_535]]]), 16, 4), [1, 999 / 65_535]),
    "16 bit, one colour": (png(np.array([[[1_000], [1_001]]]), 16, 0, chunk=KEY), [1, 1_001 / 65_535]),
    "palette": (encode(Image.fromarray(np.eye(1, 2, 1, np.uint8), "P"), transparency=0), [1, 0]),
}


@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated:DeprecationWarning")
@pytest.mark.parametrize("kind", TRANSPARENT)
def test_transparent_parts_are_laid_on_white(kind: str) -> None:
    data, expected = TRANSPARENT[kind]
    np.testing.assert_allclose(read(data).ravel(), expected, rtol=1e-6)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_exif_orientation_is_honoured(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(np.repeat(GREY[:, :, None], 3, 2), kind, exif=exif)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB")) / np.float32(255)
    np.testing.assert_array_equal(read(data, RGB), expected)


def test_photo_with_damaged_exif_is_still_read() -> None:
    data = encode(GREY, exif=b"Exif\0\0II*\0\xff\xff")
    np.testing.assert_array_equal(read(data), GREY / np.float32(255))


def test_first_picture_of_a_multi_picture_jpeg_is_the_photo() -> None:
    photo, preview = Image.new("L", (16, 8), 200), Image.new("L", (16, 8), 20)
    data = encode(photo, "MPO", save_all=True, append_images=[preview])
    np.testing.assert_allclose(read(data), 200 / 255, atol=1e-6)


def test_scale_averages_without_aliasing_and_keeps_depth() -> None:
    stripes = np.zeros((40, 40), np.uint16)
    stripes[:, ::2] = 3
    image = read(encode(stripes), ReadOptions(scale=0.25))
    assert image.shape == (10, 10)
    # Between the levels 1 and 2 of 65,535, which 8 bit could not hold.
    np.testing.assert_allclose(image[2:-2, 2:-2] * 65_535, 1.5, atol=0.1)


def test_scale_stays_in_range_at_sharp_edges() -> None:
    image = read(encode(np.repeat(np.array([[0, 255]], np.uint8), 20, axis=1)), ReadOptions(scale=1.5))
    assert (image.min(), image.max()) == (0, 1)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), 11.0])
def test_scale_outside_its_range_is_refused(scale: float) -> None:
    with pytest.raises(InvalidInputError, match=r"scale must be above 0 and at most 10, got"):
        ReadOptions(scale=scale)


def test_unknown_color_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"color must be 'luminance' or 'rgb', got 'lab'"):
        ReadOptions(color="lab")


def test_min_px_below_1_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"min_px must be at least 1, got 0"):
        ReadOptions(min_px=0)


def test_bits_of_the_camera_make_white() -> None:
    deep = np.array([[0, 1000, 4095, 5000]], np.uint16)
    np.testing.assert_allclose(read(encode(deep), ReadOptions(bits=12)), [[0, 1000 / 4095, 1, 1]], rtol=1e-6)
    # Files of 8 bit have no others.
    np.testing.assert_array_equal(read(encode(GREY), ReadOptions(bits=12)), read(encode(GREY)))
