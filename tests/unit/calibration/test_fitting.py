import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.calibration import fitting
from vaead.calibration.clusters import ClusterReference
from vaead.calibration.fitting import calibrate, calibrate_pooled, cross_fitted, fit_content, fit_deviation
from vaead.calibration.gaussian import deviations_of
from vaead.scoring.patches import PatchGrid
from vaead.scoring.term_maps import Scan, mean_map

Features = NDArray[np.float32]
GRID = PatchGrid(10, 12, patch_size=8, stride=2)  # 2 x 3 windows
WINDOWS, FEATURES = 6, 5


def draw(count: int, seed: int = 0) -> Features:
    """Features of images that differ along one direction, and by noise in all others."""
    random = np.random.default_rng(seed)
    shared = np.linspace(-2, 2, WINDOWS * FEATURES).reshape(WINDOWS, FEATURES)
    noise = random.normal(size=(count, WINDOWS, FEATURES))
    return (5 + random.normal(size=(count, 1, 1)) * 3 * shared + noise).astype(np.float32)


def scores(judged: Features, learned: Features) -> Features:
    return fit_deviation(learned).windows(judged).mean(axis=1)


def test_score_of_new_normal_images_is_about_1() -> None:
    assert scores(draw(1000, seed=1), draw(2000)).mean() == pytest.approx(1, abs=0.1)


def test_a_way_in_which_normal_images_differ_counts_little() -> None:
    learned = draw(500)
    direction = np.linspace(-2, 2, WINDOWS * FEATURES).reshape(1, WINDOWS, FEATURES).astype(np.float32)
    usual, unusual = 5 + 3 * direction, 5 + 3 * direction[:, ::-1, ::-1] * np.sign(direction)
    # Both are as far from the average in each window.
    assert scores(usual, learned) < 1.5
    assert scores(unusual, learned) > 10 * scores(usual, learned)


def test_axes_are_directions_of_largest_variance() -> None:
    deviation = fit_deviation(draw(2000))
    deviations = deviations_of(draw(2000), deviation.center, deviation.spread)
    axes = deviation.axes.astype(np.float64)
    assert axes.shape == (WINDOWS * FEATURES, WINDOWS * FEATURES // 2)
    np.testing.assert_allclose(axes.T @ axes, np.eye(axes.shape[1]), atol=2e-3)
    largest = np.linalg.eigvalsh(np.cov(deviations.T))[::-1]
    np.testing.assert_allclose(deviation.variance[0], largest[0], rtol=0.02)  # shrinkage takes a little
    total = deviation.variance.sum() + deviation.rest * (WINDOWS * FEATURES - axes.shape[1])
    np.testing.assert_allclose(total, deviations.var(axis=0).sum(), rtol=1e-3)


def test_no_more_axes_are_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fit_deviation(draw(9)).axes.shape[1] == 4
    monkeypatch.setattr(fitting, "_AXES", 3)
    deviation = fit_deviation(draw(9))
    assert (deviation.axes.shape, deviation.variance.shape) == ((30, 3), (3,))


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_few_images_are_enough_to_tell_what_is_far(count: int) -> None:
    learned = draw(count)
    near, far = scores(learned, learned), scores(learned + 100, learned)
    assert np.isfinite(cross_fitted(learned)).all()
    assert far.min() > near.max()
    assert far.max() < 100, "a distance must not be that from a spread that nobody has measured"


def test_images_that_are_all_the_same_leave_others_far_away() -> None:
    same = np.ones((10, WINDOWS, FEATURES), np.float32)
    np.testing.assert_array_equal(scores(same, same), np.zeros(10))
    np.testing.assert_array_equal(scores(same + 1, same), np.full(10, 64.0))  # 8 spreads, in every feature


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


@pytest.mark.parametrize("count", [2, 3, 4, 50])
def test_each_image_is_judged_by_others(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    learned_from: list[set[float]] = []
    fit = fitting.fit_deviation

    class Spy:
        """A distribution that names, for each image it judges, how many of those it was learned from."""

        def __init__(self, features: Features) -> None:
            self._names = features[:, 0, 0]
            self._deviation = fit(features)

        def windows(self, features: Features) -> Features:
            learned_from.append(set(self._names.tolist()))
            assert not set(features[:, 0, 0].tolist()) & learned_from[-1]
            return self._deviation.windows(features)

    features = draw(count)
    features[:, 0, 0] = np.arange(count)
    monkeypatch.setattr(fitting, "fit_deviation", Spy)
    shares = cross_fitted(features)
    assert shares.shape == (count, WINDOWS)
    assert np.isfinite(shares).all()
    assert len(learned_from) == min(4, count)
    assert min(map(len, learned_from)) >= count // 2


def test_strange_image_does_not_make_itself_look_normal() -> None:
    features = draw(40)
    features[7] += np.where(np.arange(FEATURES) % 2, 6, -6)
    judged, flattered = cross_fitted(features).mean(axis=1), scores(features, features)
    assert np.argmax(judged) == 7
    assert judged[7] > 1.2 * flattered[7]


def scan(features: Features, grid: PatchGrid = GRID) -> Scan:
    """The scan with these features."""
    columns = features.reshape(-1, *grid.shape, FEATURES)
    terms = dict(zip(("mahalanobis", "kl"), np.exp(np.moveaxis(columns[..., :2], -1, 0)), strict=True))
    return Scan(
        **terms,
        log_variance=columns[..., 2],
        signed_error=columns[..., 3],
        z_mean=columns[..., 4:],
        cells=terms["mahalanobis"][..., None, None],
        signed_cells=columns[..., 3, None, None],
        grid=grid,
    )


def test_calibration_is_of_scores_of_images_that_were_left_out() -> None:
    scans = [scan(draw(30, seed)) for seed in (0, 1)]
    deviations, calibration = calibrate(scans)
    expected = np.mean([cross_fitted(each.features).mean(axis=1) for each in scans], axis=0)
    assert calibration.images == 30
    assert calibration.image["calibrated"][0] == pytest.approx(expected.min(), rel=1e-4)
    assert calibration.image["calibrated"][-1] == pytest.approx(expected.max(), rel=1e-4)
    assert calibration.image["new"][-1] == pytest.approx(scans[0].mahalanobis.max(), rel=1e-4)
    for deviation, each in zip(deviations, scans, strict=True):
        for name, values in dataclasses.asdict(fit_deviation(each.features)).items():
            np.testing.assert_array_equal(getattr(deviation, name), values)


def draw_windows(count: int, seed: int = 0) -> Scan:
    """Windows of two kinds: z -10, log M 2, signed error -20, or z 10, log M 6, signed error 20, about so.

    Each next cell has one more of both.
    """
    random = np.random.default_rng(seed)
    kind = random.integers(0, 2, count)
    log_m = np.where(kind, 6 + 0.5 * random.normal(size=count), 2 + random.normal(size=count))
    cells = np.exp(log_m[:, None] + np.arange(4)).reshape(1, 1, count, 2, 2).astype(np.float32)
    z = random.normal(size=(1, 1, count, 1)) + np.where(kind, 10, -10)[:, None]
    grid = PatchGrid(8, 6 + 2 * count, patch_size=8, stride=2)
    terms = np.ones((4, 1, 1, count), np.float32)
    signed = (np.where(kind, 20, -20) + random.normal(size=count))[:, None] + np.arange(4)
    signed_cells = signed.reshape(1, 1, count, 2, 2).astype(np.float32)
    return Scan(*terms, z.astype(np.float32), cells, signed_cells, grid)


def test_content_is_grouped_with_the_usual_m_of_each_cell_of_each_kind() -> None:
    deviation = fit_content([draw_windows(120), draw_windows(100, seed=1)])
    order = np.argsort(deviation.centers[:, 0])
    np.testing.assert_allclose(deviation.centers[order], [[-10], [10]], atol=0.3)
    expected = np.array([2, 6])[:, None] + np.arange(4)
    np.testing.assert_allclose(deviation.median[order].reshape(2, 4), expected, atol=0.4)
    # The largest of a hundred draws of a normal distribution is about 2.5 spreads above their median.
    spread = np.repeat([[2.5], [1.25]], 4, axis=1)
    np.testing.assert_allclose(deviation.spread[order].reshape(2, 4), spread, rtol=0.4)
    expected = np.array([-20, 20])[:, None] + np.arange(4)
    np.testing.assert_allclose(deviation.signed_median[order].reshape(2, 4), expected, atol=0.4)
    np.testing.assert_allclose(deviation.signed_spread, 3, rtol=0.5)


def test_m_that_is_usual_elsewhere_is_far_from_windows_of_like_content() -> None:
    learned = draw_windows(2000)
    deviation = fit_content([learned])
    assert len(deviation.centers) == 25
    usual = deviation.window_scores(draw_windows(2000, seed=1))
    assert np.mean(usual > 1) < 0.06
    high = dataclasses.replace(learned, cells=np.full_like(learned.cells, np.exp(9)))
    is_low_kind = learned.z_mean[..., 0] < 0
    assert np.median(deviation.window_scores(high)[is_low_kind]) > 2
    assert np.median(deviation.window_scores(high)[~is_low_kind]) < 2


@pytest.mark.parametrize("offset", [-9, 9])
def test_window_that_is_too_bright_or_too_dark_is_far_from_windows_of_like_content(offset: float) -> None:
    learned = draw_windows(2000)
    deviation = fit_content([learned])
    off = dataclasses.replace(learned, signed_cells=learned.signed_cells + offset)
    assert np.median(deviation.window_scores(off)) > 4


@pytest.mark.parametrize(("count", "groups"), [(1, 1), (159, 1), (160, 2), (500, 3)])
def test_groups_are_so_many_that_each_has_enough_windows(
    count: int, groups: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "_GROUPS", 3)
    deviation = fit_content([draw_windows(count)])
    assert len(deviation.centers) == groups
    assert deviation.median.shape == deviation.spread.shape == (groups, 2, 2)
    assert (deviation.spread > 0).all()
    assert (deviation.signed_spread > 0).all()


def test_windows_of_one_content_are_one_group() -> None:
    windows = draw_windows(300)
    windows.z_mean[:] = 1
    assert len(fit_content([windows]).centers) == 1


def test_group_of_few_windows_takes_what_holds_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "nearest", lambda z, _: np.minimum(np.arange(len(z)) // 281, 1))
    windows = draw_windows(300)
    deviation = fit_content([windows])
    log_m = np.log(windows.cells[0, 0])
    everywhere = np.median(log_m, axis=0)
    for group, expected in enumerate((np.median(log_m[:281], axis=0), everywhere, everywhere)):
        np.testing.assert_allclose(deviation.median[group], expected, rtol=1e-5)
    assert np.isfinite(deviation.window_scores(windows)).all()


@pytest.mark.parametrize("count", [2, 3, 9])
def test_each_photo_is_judged_by_others(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    scans = []
    for number in range(count):
        windows = draw_windows(1 + number)
        windows.kl[:] = number
        scans.append(windows)
    fits: list[set[float]] = []

    class Spy:
        """Gives every window the number of photos that it was learned from."""

        def __init__(self, scans: list[Scan]) -> None:
            self._names = {float(own.kl[0, 0, 0]) for own in scans}
            fits.append(self._names)

        def window_scores(self, scan: Scan) -> Features:
            assert float(scan.kl[0, 0, 0]) not in self._names
            return np.full(scan.cells.shape, len(self._names), np.float32)

    monkeypatch.setattr(fitting, "fit_content", Spy)
    (deviation,), calibration = calibrate_pooled([scans])
    assert len(fits) == min(4, count) + 1
    assert fits[-1] == set(range(count))  # what new photos are judged by is learned from all
    assert isinstance(deviation, Spy)
    assert calibration.images == count
    assert count // 2 <= calibration.image["calibrated"][0] <= calibration.image["calibrated"][-1] < count


def test_pooled_calibration_is_of_the_largest_values_of_maps() -> None:
    scans = [draw_windows(8, seed=0), draw_windows(9, seed=1)]
    (deviation,), calibration = calibrate_pooled([scans])
    maps = [
        mean_map(fit_content([learned]).window_scores(judged), judged.grid)
        for judged, learned in zip(scans, scans[::-1], strict=True)
    ]
    expected = sorted(float(each.max()) for each in maps)
    assert [calibration.image["calibrated"][index] for index in (0, -1)] == pytest.approx(expected, rel=1e-3)
    assert isinstance(deviation, ClusterReference)
    for name, values in vars(fit_content(scans)).items():
        np.testing.assert_array_equal(getattr(deviation, name), values)


def test_map_of_several_networks_is_their_mean() -> None:
    networks = [[draw_windows(8, seed=seed), draw_windows(9, seed=seed + 1)] for seed in (0, 2)]
    deviations, calibration = calibrate_pooled(networks)
    for deviation, scans in zip(deviations, networks, strict=True):
        np.testing.assert_array_equal(deviation.centers, fit_content(scans).centers)
    expected = []
    for judged, learned in ((0, 1), (1, 0)):
        maps = [
            mean_map(fit_content([scans[learned]]).window_scores(scans[judged]), scans[judged].grid)
            for scans in networks
        ]
        expected.append(float(np.mean(maps, axis=0).max()))
    found = [calibration.image["calibrated"][index] for index in (0, -1)]
    assert found == pytest.approx(sorted(expected), rel=1e-3)
    assert calibration.image["new"] == calibrate_pooled(networks[:1])[1].image["new"]


def test_one_photo_is_judged_by_itself() -> None:
    _, calibration = calibrate_pooled([[draw_windows(9)]])
    assert calibration.images == 1
    assert np.isfinite(calibration.image["calibrated"]).all()
