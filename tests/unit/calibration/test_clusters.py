import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.calibration.clusters import ClusterReference, nearest
from vaead.scoring.patches import PatchGrid
from vaead.scoring.term_maps import Scan


@pytest.fixture
def deviation() -> ClusterReference:
    """Two kinds of windows, z about (0, 0) and about (10, 0), of 2x2 cells each."""
    return ClusterReference(
        centers=np.array([[0, 0], [10, 0]], np.float32),
        median=np.array([[[1, 1], [1, 2]], [[5, 5], [5, 6]]], np.float32),
        spread=np.array([[[0.5, 0.5], [0.5, 1]], [[2, 2], [2, 4]]], np.float32),
        signed_median=np.array([[[0, 0], [0, 3]], [[7, 7], [7, 7]]], np.float32),
        signed_spread=np.array([[[1, 1], [1, 2]], [[9, 9], [9, 9]]], np.float32),
    )


def scan(
    log_m: NDArray[np.float64], z: NDArray[np.float64], signed: NDArray[np.float64] | None = None
) -> Scan:
    """Windows of one row each: log M of their cells (N, cols, 2, 2) and their z (N, cols, 2).

    Args:
        signed: Signed error of their cells, as `log_m`; the usual one of like content if not given.
    """
    if signed is None:
        usual = np.array([[[0, 0], [0, 3]], [[7, 7], [7, 7]]], float)
        signed = usual[(z[..., 0] > 5).astype(int)]
    cells, z_mean = np.exp(log_m)[:, None].astype(np.float32), z[:, None].astype(np.float32)
    unused = np.full(z_mean.shape[:3], np.nan, np.float32)  # nothing else may count
    grid = PatchGrid(8, 6 + 2 * z.shape[1], patch_size=8, stride=2)
    return Scan(unused, unused, unused, unused, z_mean, cells, signed[:, None].astype(np.float32), grid)


def test_cell_is_compared_with_those_of_windows_of_the_nearest_content(deviation: ClusterReference) -> None:
    log_m = np.array([[[[1, 2], [3, 4]], [[9, 7], [5, 14]], [[1, 2], [3, 4]]]], float)
    z = np.array([[[4, 0], [99, -1], [6, 0]]], float)
    expected = [[[0, 4], [16, 4]], [[4, 1], [0, 4]], [[0, 0], [0, 0]]]
    np.testing.assert_allclose(deviation.window_scores(scan(log_m, z))[0, 0], expected, rtol=1e-5, atol=1e-5)


def test_cell_that_is_reproduced_unusually_well_has_no_share(deviation: ClusterReference) -> None:
    random = np.random.default_rng(0)
    shares = deviation.window_scores(scan(random.uniform(-9, 1, (2, 5, 2, 2)), np.zeros((2, 5, 2))))
    assert not shares.any()


def test_cell_is_as_far_from_normal_as_the_larger_of_its_two_deviations(deviation: ClusterReference) -> None:
    log_m = np.array([[[[1, 2], [3, 4]], [[1, 1], [1, 2]]]], float)
    signed = np.array([[[[3, 1], [-5, 3]], [[-2, 2], [0, 1]]]], float)
    expected = [[[9, 4], [25, 4]], [[4, 4], [0, 1]]]
    shares = deviation.window_scores(scan(log_m, np.zeros((1, 2, 2)), signed))
    np.testing.assert_allclose(shares[0, 0], expected, rtol=1e-5, atol=1e-5)


def test_place_of_a_window_says_nothing(deviation: ClusterReference) -> None:
    random = np.random.default_rng(0)
    log_m, z = random.normal(5, 5, (3, 20, 2, 2)), random.normal(5, 5, (3, 20, 2))
    order = random.permutation(20)
    shares = deviation.window_scores(scan(log_m, z))
    assert shares.shape == (3, 1, 20, 2, 2)
    np.testing.assert_array_equal(
        deviation.window_scores(scan(log_m[:, order], z[:, order])), shares[:, :, order]
    )


def test_nearest_center_has_the_least_distance() -> None:
    random = np.random.default_rng(0)
    z = random.normal(3, 2, (4, 50, 5)).astype(np.float32)
    centers: NDArray[np.float32] = random.normal(3, 2, (7, 5)).astype(np.float32)
    distances = np.linalg.norm(z[..., None, :] - centers, axis=-1)
    np.testing.assert_array_equal(nearest(z, centers), distances.argmin(axis=-1))


def test_many_windows_are_compared_with_many_groups_in_little_memory() -> None:
    random = np.random.default_rng(0)
    z = random.normal(0, 1, (100_000, 3)).astype(np.float32)
    centers = random.normal(0, 1, (500, 3)).astype(np.float32)
    tracemalloc.start()
    found = nearest(z, centers)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    for place in (0, -1):
        assert found[place] == np.square(centers - z[place]).sum(axis=1).argmin()
    assert peak < 50e6  # all at once would take 200 MB
