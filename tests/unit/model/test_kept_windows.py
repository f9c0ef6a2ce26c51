"""Normal windows that a model keeps: which are near, and how usual it is to be so far away."""

import numpy as np
import pytest

from vaead.config import NetworkConfig
from vaead.model.kept_windows import KeptWindows, picture_shape


def kept(z: list[tuple[float, float]], photos: list[int]) -> KeptWindows:
    """Windows with these z, of these photos; each picture has the number of its window."""
    count = len(z)
    pictures = np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None], (count, 4, 4))
    places = np.array([(photo, index, 7) for index, photo in enumerate(photos)], np.int32)
    return KeptWindows(pictures, np.array(z, np.float16), places)


def test_nearest_windows_come_in_their_order_with_distance_and_place() -> None:
    windows = kept([(-1, -1), (1, -1), (-1, 1), (1, 1)], [5, 6, 7, 8])
    found = windows.compare(np.array([0.9, -0.8], np.float32))
    assert [int(near.picture[0, 0]) for near in found.nearest] == [1, 3, 0]
    assert [near.photo for near in found.nearest] == [6, 8, 5]
    assert found.nearest[0].place == (1, 7)
    # Both dimensions have a spread of 1.
    assert found.nearest[0].distance == pytest.approx(np.sqrt((0.1**2 + 0.2**2) / 2), abs=1e-6)
    assert found.count == 4


def test_dimensions_count_by_their_spread_and_dead_ones_not_at_all() -> None:
    wide = kept([(-100, 0.01), (100, -0.01)], [0, 1])
    found = wide.compare(np.array([0.0, 9.0], np.float32))
    assert [near.distance for near in found.nearest] == pytest.approx([1.0, 1.0])
    dead = kept([(0, 0), (0.001, 0), (0, 0.001)], [0, 1, 2])
    assert dead.compare(np.array([5.0, 5.0], np.float32)).nearest[0].distance == 0


def test_share_is_that_of_windows_as_far_from_other_photos() -> None:
    # To the nearest in another photo it is 4 from the first three windows and 6 from the last.
    windows = kept([(0, 0), (0, 0), (4, 0), (10, 0)], [0, 0, 1, 2])
    unit = 1 / windows.compare(np.array([1.0, 0.0], np.float32)).nearest[0].distance
    shares = {
        distance: windows.compare(np.array([10.0 + distance, 0.0], np.float32)).share
        for distance in (1, 4.5, 7)
    }
    assert unit == pytest.approx(np.std([0, 0, 4, 10]))
    assert shares == {1: 1.0, 4.5: 0.25, 7: 0.0}


def test_windows_of_one_photo_are_compared_with_each_other() -> None:
    windows = kept([(0, 0), (1, 0), (3, 0)], [0, 0, 0])
    assert windows.compare(np.array([4.5, 0.0], np.float32)).share == pytest.approx(1 / 3)


def test_pictures_of_large_windows_are_smaller() -> None:
    assert picture_shape(NetworkConfig("convolutional", 32, 4)) == (32, 32)
    assert picture_shape(NetworkConfig("convolutional", 128, 4, channels=3)) == (48, 48, 3)
