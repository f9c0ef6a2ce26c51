"""Each kind of bad image file is refused in a sentence that names it."""

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.unit.data.photos.files import COLOUR, GREY, encode, png, tiff
from vaead.data.photos import Limits, ReadOptions, read_photo, reading
from vaead.errors import DataUnavailableError, InvalidInputError

FRAMES = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
ANIMATION: dict[str, Any] = {"save_all": True, "append_images": FRAMES[1:]}
BIG = (30_000, 20_000)
WEBP_BOMB = b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff\x3f\0" * 2 + encode(GREY, "WEBP")[12:]
NOTHING = np.zeros((1, 1, 1), np.uint8)

BAD = {
    "empty": (b"", r"must hold data, got 0 bytes; copy"),
    "text": (b"hello", r"must be PNG, JPEG, BMP, TIFF or WebP, got content of no known image format; export"),
    "GIF": (encode(GREY, "GIF"), r"must be PNG, .*, got GIF content; export"),
    "PDF": (b"%PDF-1.7", r"must be PNG, .*, got PDF content"),
    "Photoshop": (b"8BPS\0\1", r"must be PNG, .*, got Photoshop content"),
    "HEIC": (b"\0\0\0\x18ftypheic", r"must be PNG, .*, got HEIC or AVIF content"),
    "truncated PNG": (encode(COLOUR)[:-60], r"must be a complete PNG file, got one that cannot be decoded"),
    "truncated JPEG": (encode(COLOUR, "JPEG")[:-60], r"must be a complete JPEG file"),
    "truncated BMP": (encode(COLOUR, "BMP")[:-60], r"must be a complete BMP file"),
    "truncated TIFF": (tiff(COLOUR)[:-60], r"must be a complete TIFF file"),
    "truncated WebP": (encode(COLOUR, "WEBP")[:-60], r"must be a complete WebP file"),
    "only a signature": (b"\x89PNG\r\n\x1a\n", r"must be a complete PNG file"),
    "animated PNG": (encode(FRAMES[0], **ANIMATION), r"must hold one picture, got 2 frames or pages; save"),
    "animated WebP": (
        encode(FRAMES[0], "WEBP", **ANIMATION),
        r"must hold one picture, got 2 frames or pages",
    ),
    "pages": (encode(FRAMES[0], "TIFF", **ANIMATION), r"must hold one picture, got 2 frames or pages"),
    "bomb": (png(NOTHING, 8, 0, BIG), r"must have at most 50 million pixels, got 30000x20000 px; save"),
    "WebP bomb": (WEBP_BOMB, r"must have at most 50 million pixels, got far more; save"),
    "signed": (
        tiff(GREY[:, :, None].astype(np.int16), sample_format=2),
        r"must have 8 or 16 bit without sign",
    ),
    "float": (encode(GREY.astype(np.float32), "TIFF"), r"must have 8 or 16 bit without sign"),
    "16-bit planes": (tiff(COLOUR.astype(np.uint16), planar=2), r"must have its 16-bit colours side by side"),
}


@pytest.mark.parametrize("fault", BAD)
def test_bad_image_is_refused(fault: str) -> None:
    data, match = BAD[fault]
    with pytest.raises(InvalidInputError, match=r"image 'my 😀/a\.png' " + match):
        read_photo(data, "my 😀/a.png")


@pytest.mark.parametrize("n_pixels", [100_000_000, 600_000_000])
def test_limit_of_pixels_is_the_callers_and_not_pillows(n_pixels: int) -> None:
    data = png(NOTHING, 8, 0, (10_000, n_pixels // 10_000))
    options = ReadOptions(limits=Limits(image_pixels=n_pixels - 1))
    before = Image.MAX_IMAGE_PIXELS
    with pytest.raises(InvalidInputError, match=r"must have at most .* million pixels, got 10000x"):
        read_photo(data, "a.png", options)
    assert before == Image.MAX_IMAGE_PIXELS


def test_scale_must_not_pass_the_limit_of_pixels() -> None:
    options = ReadOptions(scale=10, limits=Limits(scaled_pixels=1_000))
    with pytest.raises(InvalidInputError, match=r"million pixels at scale 10, got 12x9 px"):
        read_photo(encode(GREY), "a.png", options)


@pytest.mark.parametrize(
    ("pixels", "options", "match"),
    [
        (GREY[:1, :1], ReadOptions(min_px=8), r"at least 8x8 px, got 1x1 px; use larger images or a smaller"),
        (GREY, ReadOptions(min_px=8, scale=0.5), r"at least 8x8 px at scale 0\.5, got 6x4 px"),
    ],
    ids=["1x1", "scaled"],
)
def test_image_smaller_than_a_patch_is_refused(pixels: Any, options: ReadOptions, match: str) -> None:
    with pytest.raises(InvalidInputError, match=match):
        read_photo(encode(pixels), "a.png", options)


def test_1x1_is_read_where_no_size_is_asked_for() -> None:
    assert read_photo(encode(GREY[:1, :1]), "a.png").shape == (1, 1)


def test_file_of_too_many_bytes_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"must have at most 50 bytes, got more; save it smaller"):
        read_photo(encode(GREY), "a.png", ReadOptions(limits=Limits(image_bytes=50)))


def test_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"image 'a\.png' must be an existing file, got .*absent"):
        read_photo(tmp_path / "absent.png", "a.png")


def test_absent_url_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"must be an existing file, got 'memory://bad/absent\.png'"):
        read_photo("memory://bad/absent.png", "a.png")


def test_url_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(
        DataUnavailableError, match=r"must be a file that can be read, got .*nowhere.*; check"
    ):
        read_photo("nowhere://a.png", "a.png")


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidInputError, match=r"image 'a\.png' must be a file, got a folder; name an image"
    ):
        read_photo(tmp_path, "a.png")


def test_file_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.png").write_bytes(encode(GREY))
    # Root, as which tests may run, is never refused.
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataUnavailableError, match=r"image 'a\.png' must be .*got 'Permission denied'"):
        read_photo(tmp_path / "a.png", "a.png")


def test_lack_of_memory_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(reading, "decode", fail)
    with pytest.raises(InvalidInputError, match=r"image 'a\.png' must fit into memory"):
        read_photo(encode(GREY), "a.png")


def test_warnings_of_pillow_stay_inside() -> None:
    # An animation of no frames.
    data = png(GREY[:, :, None], 8, 0, chunk=(b"acTL", bytes(8)))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with Image.open(io.BytesIO(data)):
            assert caught
        caught.clear()
        read_photo(data, "a.png")
    assert not caught
