import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf_shrinkage

from vaead.calibration import gaussian
from vaead.calibration.gaussian import GaussianReference, _shrinkage, _standardised

WINDOWS, FEATURES = 2, 4
SIZE = WINDOWS * FEATURES


@pytest.fixture
def reference() -> GaussianReference:
    """Two components whose entries half precision holds exactly, and no clipping below 8 scales."""
    random = np.random.default_rng(0)
    axes = np.zeros((SIZE, 2), np.float16)
    axes[:4] = np.array([[1, 1], [1, -1], [1, 1], [1, -1]]) / 2
    return GaussianReference(
        median=random.normal(size=(WINDOWS, FEATURES)).astype(np.float32),
        scale=random.uniform(0.5, 2.0, (WINDOWS, FEATURES)).astype(np.float32),
        mean=random.normal(0, 0.1, SIZE).astype(np.float32),
        components=axes.T,
        explained_variance=np.array([9.0, 2.5], np.float32),
        noise_variance=np.array(0.4, np.float32),
    )


@pytest.fixture
def features(reference: GaussianReference) -> NDArray[np.float32]:
    """Of five images, all within 8 scales."""
    away = np.random.default_rng(1).uniform(-7, 7, (5, WINDOWS, FEATURES))
    return (reference.median + reference.scale * away).astype(np.float32)


def weighed(reference: GaussianReference, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Each deviation times that of the inverse covariance with it, from the whole matrix: (N, SIZE)."""
    axes = reference.components.T.astype(np.float64)
    along = axes @ np.diag(reference.explained_variance) @ axes.T
    across = float(reference.noise_variance) * (np.eye(SIZE) - axes @ axes.T)
    away = ((features - reference.median) / reference.scale).reshape(-1, SIZE) - reference.mean
    weighed: NDArray[np.float64] = away * (away @ np.linalg.inv(along + across))
    return weighed


def test_mean_of_the_windows_is_the_squared_mahalanobis_distance_a_dimension(
    reference: GaussianReference, features: NDArray[np.float32]
) -> None:
    distances = weighed(reference, features).sum(axis=1)
    np.testing.assert_allclose(reference.feature_scores(features).mean(axis=1), distances / SIZE, rtol=1e-4)


def test_each_window_has_the_contribution_of_its_own_features(
    reference: GaussianReference, features: NDArray[np.float32]
) -> None:
    windows = weighed(reference, features).reshape(5, WINDOWS, FEATURES).mean(axis=2)
    np.testing.assert_allclose(reference.feature_scores(features), windows, rtol=1e-4, atol=1e-4)


def test_average_image_is_at_no_distance(reference: GaussianReference) -> None:
    average = reference.median + reference.scale * reference.mean.reshape(WINDOWS, FEATURES)
    np.testing.assert_allclose(reference.feature_scores(average[None]), np.zeros((1, WINDOWS)), atol=1e-5)


def test_without_components_all_directions_count_alike(
    reference: GaussianReference, features: NDArray[np.float32]
) -> None:
    plain = dataclasses.replace(
        reference, components=np.empty((0, SIZE), np.float16), explained_variance=np.empty(0, np.float32)
    )
    away = ((features - plain.median) / plain.scale).reshape(5, SIZE) - plain.mean
    expected = np.square(away).reshape(5, WINDOWS, FEATURES).mean(axis=2) / 0.4
    np.testing.assert_allclose(plain.feature_scores(features), expected, rtol=1e-4)


def test_no_feature_is_more_than_8_spreads_away() -> None:
    median, scale = np.array([[10.0, 10.0, 10.0]], np.float32), np.array([[2.0, 2.0, 0.5]], np.float32)
    features = np.array([[[1e6, -1e6, 11.0]], [[14.0, 9.0, 10.0]]], np.float32)
    np.testing.assert_array_equal(_standardised(features, median, scale), [[8, -8, 2], [2, -0.5, 0]])


def test_images_that_are_not_numbers_get_a_score_that_is_none(
    reference: GaussianReference, features: NDArray[np.float32]
) -> None:
    features[1, 0, 0] = np.nan
    scores = reference.feature_scores(features).mean(axis=1)
    np.testing.assert_array_equal(np.isnan(scores), [False, True, False, False, False])


Features = NDArray[np.float32]
_WINDOWS, _FEATURES = 6, 5


def draw(count: int, seed: int = 0) -> Features:
    """Features of images that differ along one direction, and by noise in all others."""
    random = np.random.default_rng(seed)
    shared = np.linspace(-2, 2, _WINDOWS * _FEATURES).reshape(_WINDOWS, _FEATURES)
    noise = random.normal(size=(count, _WINDOWS, _FEATURES))
    return (5 + random.normal(size=(count, 1, 1)) * 3 * shared + noise).astype(np.float32)


def scores(judged: Features, learned: Features) -> Features:
    return GaussianReference.fit_features(learned).feature_scores(judged).mean(axis=1)


def test_score_of_new_normal_images_is_about_1() -> None:
    assert scores(draw(1000, seed=1), draw(2000)).mean() == pytest.approx(1, abs=0.1)


def test_a_way_in_which_normal_images_differ_counts_little() -> None:
    learned = draw(500)
    direction = np.linspace(-2, 2, _WINDOWS * _FEATURES).reshape(1, _WINDOWS, _FEATURES).astype(np.float32)
    usual, unusual = 5 + 3 * direction, 5 + 3 * direction[:, ::-1, ::-1] * np.sign(direction)
    # Both are as far from the average in each window.
    assert scores(usual, learned) < 1.5
    assert scores(unusual, learned) > 10 * scores(usual, learned)


def test_components_are_directions_of_largest_variance() -> None:
    reference = GaussianReference.fit_features(draw(2000))
    z = _standardised(draw(2000), reference.median, reference.scale)
    axes = reference.components.T.astype(np.float64)
    assert axes.shape == (_WINDOWS * _FEATURES, _WINDOWS * _FEATURES // 2)
    np.testing.assert_allclose(axes.T @ axes, np.eye(axes.shape[1]), atol=2e-3)
    largest = np.linalg.eigvalsh(np.cov(z.T))[::-1]
    np.testing.assert_allclose(
        reference.explained_variance[0], largest[0], rtol=0.02
    )  # shrinkage takes a little
    others = _WINDOWS * _FEATURES - axes.shape[1]
    total = reference.explained_variance.sum() + reference.noise_variance * others
    np.testing.assert_allclose(total, z.var(axis=0).sum(), rtol=1e-3)


def test_no_more_components_are_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert GaussianReference.fit_features(draw(9)).components.shape[0] == 4
    monkeypatch.setattr(gaussian, "_COMPONENTS", 3)
    reference = GaussianReference.fit_features(draw(9))
    assert (reference.components.shape, reference.explained_variance.shape) == ((3, 30), (3,))


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_few_images_are_enough_to_tell_what_is_far(count: int) -> None:
    learned = draw(count)
    near, far = scores(learned, learned), scores(learned + 100, learned)
    assert far.min() > near.max()
    assert far.max() < 100, "a distance must not be that from a spread that nobody has measured"


def test_images_that_are_all_the_same_leave_others_far_away() -> None:
    same = np.ones((10, _WINDOWS, _FEATURES), np.float32)
    np.testing.assert_array_equal(scores(same, same), np.zeros(10))
    np.testing.assert_array_equal(scores(same + 1, same), np.full(10, 64.0))  # 8 scales, in every feature


def test_two_images_many_times_leave_others_far_away() -> None:
    pair = np.repeat(draw(2), 4, axis=0)
    near, far = scores(pair, pair), scores(pair + 100, pair)
    assert np.isfinite(far).all()
    assert far.min() > near.max()


def test_feature_that_never_varies_tells_new_values() -> None:
    learned, new = draw(300), draw(100, seed=1)
    learned[:, 0, 0] = new[:, 0, 0] = 7
    other = new.copy()
    other[:, 0, 0] = 8
    unchanged, changed = scores(new, learned), scores(other, learned)
    assert unchanged.mean() == pytest.approx(1, abs=0.2)
    assert (changed > unchanged + 0.5).all()


def test_rounding_of_a_feature_that_never_varies_is_no_deviation() -> None:
    learned = draw(100)
    learned[:, 0, 0] = 7
    rounded = learned.copy()
    rounded[:, 0, 0] = np.nextafter(np.float32(7), np.float32(8))
    np.testing.assert_allclose(scores(rounded, learned), scores(learned, learned), rtol=1e-2)


@pytest.mark.parametrize(("images", "size"), [(30, 200), (200, 30), (3, 500)])
def test_shrinkage_is_that_of_scikit_learn(images: int, size: int) -> None:
    values = np.random.default_rng(size).normal(size=(images, size)) * np.linspace(0.1, 3, size)
    expected = ledoit_wolf_shrinkage(values)
    assert _shrinkage((values - values.mean(axis=0)).astype(np.float32)) == pytest.approx(expected, rel=1e-4)


def test_shrinkage_of_values_that_never_vary_is_none() -> None:
    assert _shrinkage(np.zeros((9, 4), np.float32)) == 0
