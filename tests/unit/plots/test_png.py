import io

import numpy as np
import pytest
from PIL import Image

from vaead.plots.png import map_to_png, mask_to_png


def test_map_is_drawn_from_black_to_white_between_the_limits() -> None:
    png = map_to_png(np.array([[-4, 0, -9], [1, 6, 7]], np.float32), (-4, 6))
    with Image.open(io.BytesIO(png)) as image:
        assert (image.format, image.mode) == ("PNG", "L")
        assert np.asarray(image).tolist() == [[0, 102, 0], [127, 255, 255]]


@pytest.mark.parametrize(
    ("size", "grey"),
    [(None, [[0, 255]]), ((2, 5), [[0, 0, 255, 255, 255]] * 2)],
    ids=["as it is", "enlarged"],
)
def test_mask_is_drawn_in_black_and_white(size: tuple[int, int] | None, grey: list[list[int]]) -> None:
    png = mask_to_png(np.array([[False, True]]), size)
    with Image.open(io.BytesIO(png)) as image:
        assert (image.format, image.mode) == ("PNG", "L")
        assert np.asarray(image).tolist() == grey
