import dataclasses
import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.calibration.scans import draw_windows
from vaead.calibration import clusters
from vaead.calibration.clusters import ClusterReference, nearest
from vaead.scoring.patches import PatchGrid
from vaead.scoring.scan import Scan


@pytest.fixture
def reference() -> ClusterReference:
    """Two kinds of windows, z about (0, 0) and about (10, 0), of 2x2 cells each."""
    return ClusterReference(
        centers=np.array([[0, 0], [10, 0]], np.float32),
        median=np.array([[[1, 1], [1, 2]], [[5, 5], [5, 6]]], np.float32),
        scale=np.array([[[0.5, 0.5], [0.5, 1]], [[2, 2], [2, 4]]], np.float32),
        signed_median=np.array([[[0, 0], [0, 3]], [[7, 7], [7, 7]]], np.float32)[..., None],
        signed_scale=np.array([[[1, 1], [1, 2]], [[9, 9], [9, 9]]], np.float32),
        whitening=np.ones((1, 1), np.float32),
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
    light, signed_cells = (
        np.full((len(z), 2), np.nan, np.float32),
        signed[:, None, ..., None].astype(np.float32),
    )
    return Scan(unused, unused, unused, unused, z_mean, cells, signed_cells, light, grid)


def test_cell_is_compared_with_those_of_windows_of_the_nearest_content(reference: ClusterReference) -> None:
    log_m = np.array([[[[1, 2], [3, 4]], [[9, 7], [5, 14]], [[1, 2], [3, 4]]]], float)
    z = np.array([[[4, 0], [99, -1], [6, 0]]], float)
    expected = [[[0, 4], [16, 4]], [[4, 1], [0, 4]], [[0, 0], [0, 0]]]
    np.testing.assert_allclose(_scores(reference, scan(log_m, z))[0, 0], expected, rtol=1e-5, atol=1e-5)


def test_cell_that_is_reproduced_unusually_well_scores_0(reference: ClusterReference) -> None:
    random = np.random.default_rng(0)
    scores = _scores(reference, scan(random.uniform(-9, 1, (2, 5, 2, 2)), np.zeros((2, 5, 2))))
    assert not scores.any()


def test_cell_is_as_far_from_normal_as_the_larger_of_its_two_deviations(reference: ClusterReference) -> None:
    log_m = np.array([[[[1, 2], [3, 4]], [[1, 1], [1, 2]]]], float)
    signed = np.array([[[[3, 1], [-5, 3]], [[-2, 2], [0, 1]]]], float)
    expected = [[[9, 4], [25, 4]], [[4, 4], [0, 1]]]
    scores = _scores(reference, scan(log_m, np.zeros((1, 2, 2)), signed))
    np.testing.assert_allclose(scores[0, 0], expected, rtol=1e-5, atol=1e-5)


def test_position_of_a_window_plays_no_part(reference: ClusterReference) -> None:
    random = np.random.default_rng(0)
    log_m, z = random.normal(5, 5, (3, 20, 2, 2)), random.normal(5, 5, (3, 20, 2))
    order = random.permutation(20)
    scores = _scores(reference, scan(log_m, z))
    assert scores.shape == (3, 1, 20, 2, 2)
    np.testing.assert_array_equal(_scores(reference, scan(log_m[:, order], z[:, order])), scores[:, :, order])


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
    for index in (0, -1):
        assert found[index] == np.square(centers - z[index]).sum(axis=1).argmin()
    assert peak < 50e6  # all at once would take 200 MB


def _scores(reference: ClusterReference, scan: Scan) -> NDArray[np.float32]:
    return reference.cell_scores(scan, nearest(scan.z_mean, reference.centers))


def test_content_is_grouped_with_the_usual_m_of_each_cell_of_each_kind() -> None:
    reference = ClusterReference.fit([draw_windows(120), draw_windows(100, seed=1)])
    order = np.argsort(reference.centers[:, 0])
    np.testing.assert_allclose(reference.centers[order], [[-10], [10]], atol=0.3)
    expected = np.array([2, 6])[:, None] + np.arange(4)
    np.testing.assert_allclose(reference.median[order].reshape(2, 4), expected, atol=0.4)
    # The largest of a hundred draws of a normal distribution is about 2.5 spreads above their median.
    scale = np.repeat([[2.5], [1.25]], 4, axis=1)
    np.testing.assert_allclose(reference.scale[order].reshape(2, 4), scale, rtol=0.4)
    expected = np.array([-20, 20])[:, None] + np.arange(4)
    np.testing.assert_allclose(reference.signed_median[order].reshape(2, 4), expected, atol=0.4)
    np.testing.assert_allclose(reference.signed_scale, 3, rtol=0.5)


def test_m_that_is_usual_elsewhere_is_far_from_windows_of_like_content() -> None:
    learned = draw_windows(2000)
    reference = ClusterReference.fit([learned])
    assert len(reference.centers) == 25
    usual = _scores(reference, draw_windows(2000, seed=1))
    assert np.mean(usual > 1) < 0.09  # a group has 80 windows, and the largest of so few is rough
    high = dataclasses.replace(learned, cells=np.full_like(learned.cells, np.exp(9)))
    is_low_kind = learned.z_mean[..., 0] < 0
    scores = _scores(reference, high)
    assert np.median(scores[is_low_kind]) > 2 * np.median(scores[~is_low_kind])
    assert np.median(scores[~is_low_kind]) < 3


@pytest.mark.parametrize("offset", [-9, 9])
def test_window_that_is_too_bright_or_too_dark_is_far_from_windows_of_like_content(offset: float) -> None:
    learned = draw_windows(2000)
    reference = ClusterReference.fit([learned])
    off = dataclasses.replace(learned, signed_cells=learned.signed_cells + offset)
    assert np.median(_scores(reference, off)) > 4


def test_colour_that_no_normal_cell_has_is_far_though_small_beside_their_grain() -> None:
    random = np.random.default_rng(0)
    learned = draw_windows(2000)
    shape = learned.cells.shape
    grain, noise = random.normal(0, 10, (*shape, 1)), random.normal(0, 0.3, (*shape, 3))
    normal = dataclasses.replace(learned, signed_cells=(grain + noise).astype(np.float32))
    reference = ClusterReference.fit([normal])

    def median_score(shift: tuple[float, float, float], share: float) -> float:
        shifted = normal.signed_cells.copy()
        changed = slice(int(share * shifted.shape[2]))
        shifted[:, :, changed] += np.float32(shift)
        other = dataclasses.replace(normal, signed_cells=shifted)
        return float(np.median(_scores(reference, other)[:, :, changed]))

    assert median_score((4, 4, 4), 0.2) < 1
    assert median_score((4, 0, -4), 0.2) > 4
    assert median_score((4, 0, -4), 1) < 1  # the hue of the whole image
    # One colour alone, or copies of one, are no reason to divide by 0.
    for colours in ((1, 0, 0), (1, 1, 1)):
        plain = dataclasses.replace(normal, signed_cells=(grain * colours).astype(np.float32))
        assert np.isfinite(_scores(ClusterReference.fit([plain]), plain)).all()


@pytest.mark.parametrize(("count", "groups"), [(1, 1), (159, 1), (160, 2), (500, 3)])
def test_groups_are_so_many_that_each_has_enough_windows(
    count: int, groups: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "_GROUPS", 3)
    reference = ClusterReference.fit([draw_windows(count)])
    assert len(reference.centers) == groups
    assert reference.median.shape == reference.scale.shape == (groups, 2, 2)
    assert (reference.scale > 0).all()
    assert (reference.signed_scale > 0).all()


def test_windows_of_one_content_are_one_group() -> None:
    windows = draw_windows(300)
    windows.z_mean[:] = 1
    assert len(ClusterReference.fit([windows]).centers) == 1


def test_group_of_few_windows_takes_what_holds_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "nearest", lambda z, _: np.minimum(np.arange(len(z)) // 291, 1))
    windows = draw_windows(300)
    reference = ClusterReference.fit([windows])
    log_m = np.log(windows.cells[0, 0])
    everywhere = np.median(log_m, axis=0)
    for group, expected in enumerate((np.median(log_m[:291], axis=0), everywhere, everywhere)):
        np.testing.assert_allclose(reference.median[group], expected, rtol=1e-5)
    assert np.isfinite(_scores(reference, windows)).all()
