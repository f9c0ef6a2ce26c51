import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.content import ContentDeviation, nearest


@pytest.fixture
def deviation() -> ContentDeviation:
    """Two kinds of windows: z about (0, 0) and about (10, 0)."""
    return ContentDeviation(
        centers=np.array([[0, 0], [10, 0]], np.float32),
        median=np.array([1, 5], np.float32),
        spread=np.array([0.5, 2], np.float32),
    )


def window(log_m: float, *z: float) -> list[float]:
    return [log_m, 70, 80, 90, *z]  # what lies between log M and z must not count


def test_window_is_compared_with_those_of_the_nearest_content(deviation: ContentDeviation) -> None:
    features = [window(1, 4, 0), window(2, -9, 3), window(0, 0, 0), window(5, 6, 0), window(9, 99, -1)]
    np.testing.assert_allclose(deviation.windows(np.array([features], np.float32)), [[0, 2, -2, 0, 2]])


def test_place_of_a_window_says_nothing(deviation: ContentDeviation) -> None:
    random = np.random.default_rng(0)
    features = random.normal(5, 5, (3, 20, 6)).astype(np.float32)
    order = random.permutation(20)
    np.testing.assert_array_equal(
        deviation.windows(features[:, order]), deviation.windows(features)[:, order]
    )
    assert deviation.windows(features).shape == (3, 20)
    np.testing.assert_allclose(deviation.windows(features[1, 4]), deviation.windows(features)[1, 4])


def test_nearest_center_has_the_least_distance() -> None:
    random = np.random.default_rng(0)
    z = random.normal(3, 2, (4, 50, 5)).astype(np.float32)
    centers: NDArray[np.float32] = random.normal(3, 2, (7, 5)).astype(np.float32)
    distances = np.linalg.norm(z[..., None, :] - centers, axis=-1)
    np.testing.assert_array_equal(nearest(z, centers), distances.argmin(axis=-1))
