import io

import numpy as np
import pytest
from PIL import Image

from vaead.images import map_to_png, mask_to_png


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
