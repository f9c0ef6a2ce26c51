import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.calibration.gaussian import GaussianReference, deviations_of

WINDOWS, FEATURES = 2, 4
SIZE = WINDOWS * FEATURES


@pytest.fixture
def deviation() -> GaussianReference:
    """Two axes whose entries half precision holds exactly, and no clipping below 8 spreads."""
    random = np.random.default_rng(0)
    axes = np.zeros((SIZE, 2), np.float16)
    axes[:4] = np.array([[1, 1], [1, -1], [1, 1], [1, -1]]) / 2
    return GaussianReference(
        center=random.normal(size=(WINDOWS, FEATURES)).astype(np.float32),
        spread=random.uniform(0.5, 2.0, (WINDOWS, FEATURES)).astype(np.float32),
        mean=random.normal(0, 0.1, SIZE).astype(np.float32),
        axes=axes,
        variance=np.array([9.0, 2.5], np.float32),
        rest=np.array(0.4, np.float32),
    )


@pytest.fixture
def features(deviation: GaussianReference) -> NDArray[np.float32]:
    """Of five images, all within 8 spreads."""
    away = np.random.default_rng(1).uniform(-7, 7, (5, WINDOWS, FEATURES))
    return (deviation.center + deviation.spread * away).astype(np.float32)


def weighed(deviation: GaussianReference, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Each deviation times that of the inverse covariance with it, from the whole matrix: (N, SIZE)."""
    axes = deviation.axes.astype(np.float64)
    along = axes @ np.diag(deviation.variance) @ axes.T
    across = float(deviation.rest) * (np.eye(SIZE) - axes @ axes.T)
    away = ((features - deviation.center) / deviation.spread).reshape(-1, SIZE) - deviation.mean
    weighed: NDArray[np.float64] = away * (away @ np.linalg.inv(along + across))
    return weighed


def test_mean_of_the_shares_is_the_squared_mahalanobis_distance_a_dimension(
    deviation: GaussianReference, features: NDArray[np.float32]
) -> None:
    distances = weighed(deviation, features).sum(axis=1)
    np.testing.assert_allclose(deviation.windows(features).mean(axis=1), distances / SIZE, rtol=1e-4)


def test_each_window_has_the_share_of_its_own_features(
    deviation: GaussianReference, features: NDArray[np.float32]
) -> None:
    shares = weighed(deviation, features).reshape(5, WINDOWS, FEATURES).mean(axis=2)
    np.testing.assert_allclose(deviation.windows(features), shares, rtol=1e-4, atol=1e-4)


def test_average_image_is_at_no_distance(deviation: GaussianReference) -> None:
    average = deviation.center + deviation.spread * deviation.mean.reshape(WINDOWS, FEATURES)
    np.testing.assert_allclose(deviation.windows(average[None]), np.zeros((1, WINDOWS)), atol=1e-5)


def test_without_axes_all_directions_count_alike(
    deviation: GaussianReference, features: NDArray[np.float32]
) -> None:
    plain = dataclasses.replace(
        deviation, axes=np.empty((SIZE, 0), np.float16), variance=np.empty(0, np.float32)
    )
    away = ((features - plain.center) / plain.spread).reshape(5, SIZE) - plain.mean
    expected = np.square(away).reshape(5, WINDOWS, FEATURES).mean(axis=2) / 0.4
    np.testing.assert_allclose(plain.windows(features), expected, rtol=1e-4)


def test_no_feature_is_more_than_8_spreads_away() -> None:
    center, spread = np.array([[10.0, 10.0, 10.0]], np.float32), np.array([[2.0, 2.0, 0.5]], np.float32)
    features = np.array([[[1e6, -1e6, 11.0]], [[14.0, 9.0, 10.0]]], np.float32)
    np.testing.assert_array_equal(deviations_of(features, center, spread), [[8, -8, 2], [2, -0.5, 0]])


def test_images_that_are_not_numbers_get_a_score_that_is_none(
    deviation: GaussianReference, features: NDArray[np.float32]
) -> None:
    features[1, 0, 0] = np.nan
    scores = deviation.windows(features).mean(axis=1)
    np.testing.assert_array_equal(np.isnan(scores), [False, True, False, False, False])
