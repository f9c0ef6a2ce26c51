"""The calibrated score of images of a class: evidence of places, evidence of the whole, and the map."""

import numpy as np
import pytest

from vaead.calibration.class_images import ClassReference, _smooth
from vaead.calibration.combined import _surprise
from vaead.calibration.reference import Evidence
from vaead.data.datasets import Dataset
from vaead.model.model import Model
from vaead.scoring.patches import PatchGrid, coverage, fold_scores
from vaead.scoring.term_maps import mean_map


@pytest.mark.parametrize("kind", ["noise", "black", "white", "grey"])
def test_what_has_nothing_to_do_with_the_class_is_unusual_as_a_whole(
    model: Model, digits: Dataset, kind: str
) -> None:
    size = digits.test.images.shape[1:]
    made = {
        "noise": np.random.default_rng(0).uniform(0, 1, size),
        **{name: np.full(size, level) for name, level in (("black", 0.0), ("white", 1.0), ("grey", 0.4))},
    }[kind]
    calibrated = model.term_maps(made[None].astype(np.float32)).calibrated
    assert calibrated is not None
    assert calibrated.image[0] > model.card.normal_scores.threshold_value("calibrated", 0.05)
    assert calibrated.by_whole[0]


def test_place_counts_twice() -> None:
    reference = ClassReference.__new__(ClassReference)
    object.__setattr__(reference, "middle", np.zeros(2, np.float32))
    object.__setattr__(reference, "spread", np.ones(2, np.float32))
    values = np.exp(np.array([[0, 0], [3, 0], [0, 3]], np.float32))
    maps, content = np.zeros((3, 1, 1), np.float32), np.zeros((3, 2), np.float32)
    found = reference.calibrated(Evidence(values, maps, content))
    usual, by_place, by_whole = found.image
    assert usual == pytest.approx(1)
    assert by_place - 1 == pytest.approx(2 * (by_whole - 1))
    assert found.by_whole.tolist() == [False, False, True]


def test_half_the_time_gives_the_same_scores(model: Model, digits: Dataset) -> None:
    images = digits.test.images[:30]
    terms, scores = model.term_maps(images), model.image_scores(images)
    for score, values in scores.items():
        np.testing.assert_array_equal(values, terms.image_scores(score))


def test_map_shares_out_the_distance_of_every_window(model: Model, digits: Dataset) -> None:
    network, images = model.networks[0], digits.test.of_class(0)[:5]
    assert isinstance(network.reference, ClassReference)
    scan = network.scorer.scan(images, shares=True)
    windows = network.reference.place.window_scores(scan)
    assert scan.shares is not None
    maps = mean_map(windows, scan.grid, scan.shares)
    np.testing.assert_array_equal(network.reference.evidence(scan).maps, _smooth(maps))
    np.testing.assert_allclose(scan.shares.mean(axis=(3, 4), dtype=np.float64), 1, atol=1e-3)
    size = scan.grid.patch_size**2
    np.testing.assert_allclose(
        (maps * coverage(scan.grid)).sum(axis=(1, 2)), size * windows.sum(axis=(1, 2)), rtol=1e-2
    )


def test_pixel_with_all_the_error_gets_all_of_the_score() -> None:
    grid = PatchGrid(8, 8, patch_size=4, stride=4)
    windows = np.zeros((1, 2, 2), np.float32)
    windows[0, 1, 0] = 3
    shares = np.zeros((1, 2, 2, 4, 4), np.float16)
    shares[0, 1, 0, 2, 3] = 16
    found = mean_map(windows, grid, shares)
    assert found[0, 6, 3] == 48
    assert np.count_nonzero(found) == 1
    even = mean_map(windows, grid, np.ones_like(shares))
    np.testing.assert_array_equal(even, fold_scores(windows, grid) / coverage(grid))


def test_map_is_dark_where_the_stroke_is_and_not_beside_it(model: Model, digits: Dataset) -> None:
    images = digits.test.of_class(1)[:20].copy()
    images[:, 24:26, 2:14] = 255  # a stroke below the digit
    inside = np.zeros(images.shape[1:], np.bool_)
    inside[23:27, 1:15] = True
    maps = model.anomaly_map(images)
    peaks = maps.reshape(len(maps), -1).argmax(axis=1)
    assert inside.ravel()[peaks].mean() >= 0.9


def test_surprise_is_that_of_a_normal_distribution_however_far() -> None:
    from scipy.special import log_ndtr

    z = np.array([-40, -5, -1, 0, 0.5, 8, 29.9, 30, 31, 200, 1e4])
    np.testing.assert_allclose(_surprise(z), -log_ndtr(-z), rtol=1e-5, atol=1e-12)


def test_smoothing_keeps_even_maps_and_spreads_a_pixel() -> None:
    even = np.full((2, 4, 5), 3, np.float32)
    np.testing.assert_array_equal(_smooth(even), even)
    point = np.zeros((1, 5, 5), np.float32)
    point[0, 2, 2] = 16
    np.testing.assert_array_equal(_smooth(point)[0, 1:4, 1:4], np.outer([1, 2, 1], [1, 2, 1]))
