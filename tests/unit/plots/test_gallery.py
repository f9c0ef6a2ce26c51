import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.plots.gallery import gallery, tiles


@pytest.fixture
def five() -> NDArray[np.uint8]:
    """Five images of 3 x 4 pixels; image n has the value 10 n + 1 everywhere."""
    return np.stack([np.full((3, 4), 10 * number + 1, np.uint8) for number in range(5)])


def test_gallery_tells_which_image_was_clicked(five: NDArray[np.uint8]) -> None:
    sheet, markers = gallery(five, 3, "test image {number}").data
    assert list(markers.customdata) == [0, 1, 2, 3, 4]
    assert markers.hovertemplate == "test image %{customdata}<extra></extra>"
    assert sheet.hoverinfo == "skip"


def test_marker_of_an_image_lies_over_it(five: NDArray[np.uint8]) -> None:
    sheet, markers = gallery(five, 3, "{number}").data
    under = [sheet.z[round(y), round(x)] for x, y in zip(markers.x, markers.y, strict=True)]
    assert under == [1, 11, 21, 31, 41]


def test_markers_are_invisible(five: NDArray[np.uint8]) -> None:
    assert gallery(five, 3, "{number}").data[1].marker.opacity == 0


def test_last_row_of_the_gallery_may_be_short(five: NDArray[np.uint8]) -> None:
    sheet = gallery(five, 3, "{number}").data[0].z
    assert sheet.shape == (6, 12)
    np.testing.assert_array_equal(sheet[3:, 8:], 0)


def test_gallery_shows_all_of_every_tile(five: NDArray[np.uint8]) -> None:
    layout = gallery(five, 3, "{number}").layout
    assert layout.xaxis.range == (-0.5, 11.5)
    assert layout.yaxis.range == (5.5, -0.5)


def test_tiles_say_what_they_show() -> None:
    figure = tiles(np.zeros((3, 4, 4), np.uint8), 2, ["x", "y", "z"])
    markers = figure.data[1]
    assert markers.text == ("x", "y", "z")
    assert markers.hovertemplate == "%{text}<extra></extra>"
    assert figure.data[0].text is None
