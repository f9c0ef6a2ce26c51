"""True masks, as people draw them."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.unit.data.photos.files import GREY, encode
from vaead.data.photos import ReadOptions, read_mask
from vaead.errors import InvalidInputError

PHOTO = (encode(GREY), "a.png")
TRUE = np.array([[0, 0, 1], [0, 1, 1]], bool)


def read(pixels: Any, options: ReadOptions | None = None, shape: tuple[int, int] = (2, 3)) -> Any:
    data = pixels if isinstance(pixels, bytes) else encode(np.asarray(pixels, np.uint8))
    return read_mask([(data, "a_mask.png")], PHOTO, shape, options)


def painted(color: tuple[int, ...], background: tuple[int, ...]) -> np.ndarray:
    return np.where(TRUE[:, :, None], color, background).astype(np.uint8)


def indexed() -> bytes:
    image = Image.fromarray(TRUE.astype(np.uint8), "P")
    image.putpalette([0, 0, 0, 128, 0, 0])
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    "pixels",
    [
        TRUE * 255,
        TRUE * 127,
        TRUE * 1,
        painted((255, 0, 0), (0, 0, 0)),
        painted((0, 0, 255), (0, 0, 0)),
        painted((0, 0, 0, 255), (0, 0, 0, 0)),
        painted((0, 0, 0, 255), (255, 255, 255, 0)),
        painted((255, 0, 0, 128), (0, 0, 0, 0)),
        painted((255, 255, 255, 255), (0, 0, 0, 255)),
        painted((255, 255), (255, 0)),
        indexed(),
    ],
    ids=["white", "grey", "class", "red", "blue", "black", "on white", "half", "opaque", "grey alpha", "VOC"],
)
def test_everything_that_is_not_background_is_anomalous(pixels: Any) -> None:
    mask = read(pixels)
    np.testing.assert_array_equal(mask.pixels, TRUE)
    assert mask.notes == ()


@pytest.mark.parametrize(
    ("pixels", "levels"),
    [
        ([[0, 85, 170], [0, 0, 255]], "85, 170, 255"),
        ([[0, 127, 0], [0, 0, 255]], "127, 255"),
        ([[[0, 0, 0], [128, 0, 0], [0, 128, 0]]], "#008000, #800000"),
        ([range(10)], "9 from 1 to 9"),
    ],
)
def test_several_levels_are_all_taken_and_told(pixels: Any, levels: str) -> None:
    array = np.asarray(pixels, np.uint8)
    mask = read(array, shape=array.shape[:2])
    anomalous = array.reshape(*array.shape[:2], -1).any(axis=2)
    np.testing.assert_array_equal(mask.pixels, anomalous)
    (note,) = mask.notes
    assert str(note).endswith(f"are taken as anomalous: {levels}")


def test_noise_of_a_lossy_format_is_background() -> None:
    square = np.zeros((32, 32), np.uint8)
    square[8:24, 8:24] = 255
    buffer = io.BytesIO()
    Image.fromarray(square).save(buffer, "JPEG", quality=80)
    mask = read(buffer.getvalue(), shape=(32, 32))
    assert (mask.pixels != (square > 0)).mean() < 0.02
    assert mask.notes == ()


def test_several_masks_are_joined() -> None:
    parts = [(encode(np.asarray(part, np.uint8)), name) for part, name in (([[9, 0]], "1"), ([[0, 9]], "2"))]
    assert read_mask(parts, PHOTO, (1, 2)).pixels.tolist() == [[True, True]]


def test_thin_defect_survives_scaling() -> None:
    thin = np.zeros((10, 14), np.uint8)
    thin[:, 5] = 255
    scaled = read(thin, ReadOptions(scale=0.25), (2, 4)).pixels
    assert scaled.tolist() == [[False, True, False, False]] * 2


def test_mask_of_a_normal_image_is_all_black() -> None:
    assert not read(np.zeros((2, 3))).pixels.any()


def test_mask_of_another_size_is_refused() -> None:
    match = r"mask 'a_mask\.png' must be as large as its image, 13x9 px, got 12x9 px; export"
    with pytest.raises(InvalidInputError, match=match):
        read(GREY, shape=(9, 13))


def turned_photo(orientation: int, shape: tuple[int, int]) -> tuple[bytes, str]:
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.fromarray(np.zeros(shape, np.uint8)).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue(), "a.jpg"


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """As Pillow turns it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", exif=exif)
    from PIL import ImageOps

    return np.asarray(ImageOps.exif_transpose(Image.open(buffer)))


@pytest.mark.parametrize("orientation", [2, 3, 4, 5, 6, 7, 8])
def test_mask_drawn_on_the_stored_pixels_turns_with_its_photo(orientation: int) -> None:
    drawn = TRUE.astype(np.uint8) * 255
    wanted = upright(drawn, orientation)
    mask = read_mask([(encode(drawn), "m.png")], turned_photo(orientation, (2, 3)), wanted.shape)
    np.testing.assert_array_equal(mask.pixels, wanted > 0)
    # Both ways fit, unless the photo has its sides exchanged.
    assert len(mask.notes) == (orientation < 5)


def test_mask_drawn_on_the_photo_as_it_is_shown_stays() -> None:
    drawn = np.array([[0, 255], [0, 0], [0, 0]], np.uint8)
    mask = read_mask([(encode(drawn), "m.png")], turned_photo(6, (2, 3)), (3, 2))
    np.testing.assert_array_equal(mask.pixels, drawn > 0)
    assert mask.notes == ()


def test_mask_of_a_square_photo_is_turned_and_that_is_told() -> None:
    drawn = np.array([[0, 255], [0, 0]], np.uint8)
    mask = read_mask([(encode(drawn), "m.png")], turned_photo(6, (2, 2)), (2, 2))
    np.testing.assert_array_equal(mask.pixels, upright(drawn, 6) > 0)
    assert "mask 'm.png' is turned as its photo says" in str(mask.notes[0])
