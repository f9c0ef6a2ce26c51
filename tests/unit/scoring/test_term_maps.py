import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.errors import InvalidInputError, UnknownNameError
from vaead.scoring.loss_terms import SCORES, TERMS
from vaead.scoring.patches import PatchGrid
from vaead.scoring.scan import Scan
from vaead.scoring.term_maps import CalibratedScore, TermMaps

GRID = PatchGrid(8, 10, patch_size=8, stride=2)  # 1 x 2 windows
PIXELS = np.arange(2 * 8 * 10, dtype=np.float32).reshape(2, 8, 10)


@pytest.fixture
def other_size() -> TermMaps:
    """Two images: D is 1 to 4, A is 10 to 40, M is 400 down to 100; no calibrated score."""
    values = np.arange(1.0, 5.0, dtype=np.float32).reshape(2, 1, 2)
    return TermMaps(values, 10 * values, 100 * (5 - values), GRID)


@pytest.fixture
def term_maps(other_size: TermMaps) -> TermMaps:
    """The same, with a calibrated score."""
    calibrated = CalibratedScore(np.array([0.5, 3], np.float32), PIXELS, np.array([False, False]))
    return dataclasses.replace(other_size, calibrated=calibrated)


def test_old_is_the_sum_of_the_terms_and_new_is_the_last(term_maps: TermMaps) -> None:
    np.testing.assert_array_equal(term_maps.window_scores("old").ravel(), [411, 322, 233, 144])
    np.testing.assert_array_equal(term_maps.window_scores("new").ravel(), [400, 300, 200, 100])


def test_each_term_is_a_score_of_its_own(term_maps: TermMaps) -> None:
    corners = [term_maps.window_scores(name)[0, 0, 0] for name in TERMS]
    assert corners == [1, 10, 400]


def test_calibrated_score_is_that_of_the_whole_image(term_maps: TermMaps) -> None:
    np.testing.assert_array_equal(term_maps.image_scores("calibrated"), [0.5, 3])


def test_calibrated_windows_and_maps_are_its_map(term_maps: TermMaps) -> None:
    for actual in (term_maps.window_scores, term_maps.sum_maps, term_maps.anomaly_maps):
        np.testing.assert_array_equal(actual("calibrated"), PIXELS)
    np.testing.assert_array_equal(term_maps.window_max("calibrated"), [79, 159])


def test_image_score_is_the_largest_window(term_maps: TermMaps) -> None:
    np.testing.assert_array_equal(term_maps.image_scores("old"), [411, 233])
    np.testing.assert_array_equal(term_maps.image_scores("log_variance"), [20, 40])
    np.testing.assert_array_equal(term_maps.window_max("new"), [400, 200])


def test_map_adds_up_the_windows_over_a_pixel(term_maps: TermMaps) -> None:
    np.testing.assert_array_equal(term_maps.sum_maps("kl")[1, 3], [3, 3, 7, 7, 7, 7, 7, 7, 4, 4])


def test_mean_map_averages_the_windows_over_a_pixel(term_maps: TermMaps) -> None:
    np.testing.assert_array_equal(
        term_maps.anomaly_maps("kl")[1, 3], [3, 3, 3.5, 3.5, 3.5, 3.5, 3.5, 3.5, 4, 4]
    )


def test_scores_are_those_that_there_are(term_maps: TermMaps, other_size: TermMaps) -> None:
    assert term_maps.scores == SCORES
    assert other_size.scores == ("old", "new")
    for score in other_size.scores:
        np.testing.assert_array_equal(other_size.image_scores(score), term_maps.image_scores(score))


@pytest.mark.parametrize("ask", ["window_scores", "sum_maps", "anomaly_maps", "image_scores", "window_max"])
def test_calibrated_score_of_images_of_another_size_is_refused(other_size: TermMaps, ask: str) -> None:
    message = "images must be as large as the training images for the calibrated score, got 8x10; use old or"
    with pytest.raises(InvalidInputError, match=message):
        getattr(other_size, ask)("calibrated")


def test_unknown_score_is_refused(term_maps: TermMaps) -> None:
    message = "score must be one of old, new, calibrated, kl, log_variance, mahalanobis, got 'newer'; choose"
    with pytest.raises(UnknownNameError, match=message):
        term_maps.window_scores("newer")


def test_calibrated_score_of_a_model_is_the_mean_over_its_networks() -> None:
    first = CalibratedScore(np.float32([20, -1]), np.float32([[[10, 20]], [[-2, 0]]]), np.array([True, True]))
    second = CalibratedScore(np.float32([3.5, 1]), np.float32([[[1, 2]], [[0, 6]]]), np.array([True, False]))
    average = CalibratedScore.average([first, second])
    np.testing.assert_array_equal(average.image, [11.75, 0])
    assert average.by_whole.tolist() == [True, False]
    np.testing.assert_array_equal(average.map, [[[5.5, 11]], [[-1, 3]]])
    assert (average.image.dtype, average.map.dtype) == (np.float32, np.float32)


def test_parts_of_many_images_are_put_together_in_their_order() -> None:
    parts = [
        CalibratedScore(np.float32([n]), np.full((1, 2, 3), n, np.float32), np.array([n == 1]))
        for n in range(3)
    ]
    together = CalibratedScore.concatenate(parts)
    np.testing.assert_array_equal(together.image, [0, 1, 2])
    np.testing.assert_array_equal(together.map[:, 0, 0], [0, 1, 2])
    assert together.by_whole.tolist() == [False, True, False]


def scan_of(
    mahalanobis: NDArray[np.float32], kl: NDArray[np.float32], rest: NDArray[np.float32], grid: PatchGrid
) -> Scan:
    cells = mahalanobis[..., None, None]
    light = np.ones((len(kl), 2), np.float32)
    return Scan(kl, rest[..., 0], mahalanobis, rest[..., 1], rest[..., 2:], cells, cells, light, grid)


def test_features_are_logarithms_of_m_and_d_and_all_others_as_they_are() -> None:
    grid = PatchGrid(10, 12, patch_size=8, stride=2)  # 2 x 3 windows
    random = np.random.default_rng(0)
    mahalanobis, kl = np.exp(random.normal(size=(2, 4, 2, 3))).astype(np.float32)
    rest = random.normal(size=(4, 2, 3, 2 + 3)).astype(np.float32)
    features = scan_of(mahalanobis, kl, rest, grid).features
    assert features.shape == (4, 6, 4 + 3)
    np.testing.assert_allclose(np.exp(features[1, 5, :2]), [mahalanobis[1, 1, 2], kl[1, 1, 2]], rtol=1e-5)
    np.testing.assert_array_equal(features[2, 4, 2:], rest[2, 1, 1])


@pytest.mark.parametrize("value", [0.0, -1e-6, 1e-9, 1e-3])
def test_logarithm_of_next_to_nothing_is_that_of_a_little(value: float) -> None:
    tiny, rest = np.full((1, 1, 2), value, np.float32), np.zeros((1, 1, 2, 3), np.float32)
    features = scan_of(tiny, tiny, rest, GRID).features
    np.testing.assert_allclose(features[0, :, :2], np.full((2, 2), np.log(1e-3)), rtol=1e-5)
