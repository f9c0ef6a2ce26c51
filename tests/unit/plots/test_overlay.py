import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vaead.plots.overlay import draw_overlay, draw_photo, to_jpeg

GREY = np.random.default_rng(0).integers(0, 256, (48, 64), np.uint8)
CLEAR = np.zeros((48, 64), np.float32)
NOTHING = np.zeros((48, 64), np.bool_)


@pytest.mark.parametrize("photo", [GREY, GREY / np.float32(255)], ids=["uint8", "0 to 1"])
def test_small_photo_is_enlarged_pixel_by_pixel(photo: NDArray[np.generic]) -> None:
    picture = draw_photo(photo)
    assert picture.shape == (288, 384, 3)
    np.testing.assert_array_equal(picture[::6, ::6], np.stack([GREY] * 3, axis=-1))


def test_large_photo_is_reduced_with_its_colours() -> None:
    picture = draw_photo(np.full((1000, 100, 3), (9, 99, 200), np.uint8))
    assert picture.shape == (384, 38, 3)
    assert (picture == (9, 99, 200)).all()


def test_overlay_leaves_what_is_normal_as_it_is() -> None:
    picture = draw_photo(GREY)
    np.testing.assert_array_equal(draw_overlay(picture, CLEAR, (1.0, 2.0), NOTHING), picture)


def test_overlay_is_red_where_the_map_is_high() -> None:
    picture = draw_photo(GREY)
    high = CLEAR.copy()
    high[:, 32:] = 9.0
    drawn = draw_overlay(picture, high, (1.0, 2.0), NOTHING).astype(int)
    np.testing.assert_array_equal(drawn[:, :180], picture[:, :180])
    assert (drawn[:, 204:, 0] - drawn[:, 204:, 1] > 80).all()


def test_regions_are_outlined() -> None:
    picture = draw_photo(np.zeros((48, 64), np.uint8))
    mask = NOTHING.copy()
    mask[10:20, 10:20] = True
    lines = (draw_overlay(picture, CLEAR, (1.0, 2.0), mask) == 255).all(axis=2)
    rows, columns = np.nonzero(lines)
    assert {rows.min(), rows.max(), columns.min(), columns.max()} == {61, 118}
    assert not lines[64:115, 64:115].any()


def test_picture_becomes_a_jpeg() -> None:
    with Image.open(io.BytesIO(to_jpeg(draw_photo(GREY)))) as image:
        assert (image.format, image.size) == ("JPEG", (384, 288))
