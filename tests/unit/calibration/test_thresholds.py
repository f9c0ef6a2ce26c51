import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.calibration.thresholds import LEVELS, RULES, NormalScores
from vaead.errors import InvalidInputError, UnknownNameError
from vaead.scoring.loss_terms import SCORES, TERMS
from vaead.scoring.patches import PatchGrid
from vaead.scoring.term_maps import CalibratedScore, TermMaps

GRID = PatchGrid(10, 12, patch_size=8, stride=2)
COUNT = 500


def draw(count: int, seed: int) -> TermMaps:
    """Term maps of normal images, all from one distribution."""
    random = np.random.default_rng(seed)
    kl, log_variance, mahalanobis = random.gamma(2.0, 10.0, (3, count, *GRID.shape)).astype(np.float32)
    score, pixels = random.gamma(9.0, 1 / 9, count), random.gamma(2.0, 0.5, (count, 10, 12))
    calibrated = CalibratedScore(
        score.astype(np.float32), pixels.astype(np.float32), np.zeros(len(score), np.bool_)
    )
    return TermMaps(kl, log_variance, mahalanobis, GRID, calibrated)


def decisive(terms: TermMaps, score: str, rule: str) -> NDArray[np.float32]:
    """What a threshold is compared with, for each image."""
    return terms.image_scores(score) if rule == "score" else terms.window_scores(score).max(axis=(1, 2))


@pytest.fixture(scope="module")
def held_out() -> TermMaps:
    return draw(COUNT, seed=0)


@pytest.fixture(scope="module")
def calibration(held_out: TermMaps) -> NormalScores:
    return NormalScores.fit([held_out])


@pytest.mark.parametrize("name", [*SCORES, *TERMS])
def test_window_quantiles_are_those_of_numpy(
    held_out: TermMaps, calibration: NormalScores, name: str
) -> None:
    windows = held_out.window_scores(name).astype(np.float64)
    for level in (0.0, 0.01, 0.5, 0.99, 0.995, 0.999, 1.0):
        expected = np.quantile(windows, level)
        assert calibration.window_quantile(name, level) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", [*SCORES, *TERMS])
def test_colors_run_from_low_normal_windows_to_what_few_normal_images_reach(
    held_out: TermMaps, calibration: NormalScores, name: str
) -> None:
    windows = held_out.window_scores(name)
    low, high = calibration.color_range(name)
    assert np.mean(windows < low) == pytest.approx(0.01, abs=0.001)
    if name in SCORES:
        assert np.mean(windows.max(axis=(1, 2)) > high) == pytest.approx(0.05, abs=1 / COUNT)
    else:
        assert np.mean(windows > high) == pytest.approx(0.001, abs=0.0005)


@pytest.mark.parametrize("name", [*SCORES, *TERMS])
def test_window_ranks_are_shares_of_windows_below(
    held_out: TermMaps, calibration: NormalScores, name: str
) -> None:
    windows = held_out.window_scores(name)
    values = np.quantile(windows, [[0.0123, 0.3], [0.7, 0.9876]])
    expected = [[np.mean(windows < value) for value in row] for row in values]
    np.testing.assert_allclose(calibration.window_ranks(name, values), expected, atol=0.005)


@pytest.mark.parametrize("score", SCORES)
def test_rank_is_the_share_of_images_below(held_out: TermMaps, calibration: NormalScores, score: str) -> None:
    scores = held_out.image_scores(score).astype(np.float64)
    for value in np.quantile(scores, np.linspace(0.0123, 0.9876, 30)):
        assert calibration.rank(score, value) == pytest.approx(np.mean(scores < value), abs=0.005)


@pytest.mark.parametrize("score", SCORES)
def test_rank_ends_at_the_extremes(held_out: TermMaps, calibration: NormalScores, score: str) -> None:
    scores = held_out.image_scores(score)
    assert calibration.rank(score, scores.min() - 1) == 0
    assert calibration.rank(score, scores.max() + 1) == 1
    assert calibration.window_ranks(score, np.float64([-1, 1e9])).tolist() == [0, 1]


def test_images_are_counted(calibration: NormalScores) -> None:
    assert calibration.n_images == COUNT
    for kept in (calibration.image, calibration.window_max, calibration.window):
        assert {len(values) for values in kept.values()} == {len(LEVELS)}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
def test_so_many_held_out_images_pass_a_threshold(
    held_out: TermMaps, calibration: NormalScores, score: str, rule: str, rate: float
) -> None:
    threshold = calibration.threshold(score, rate, rule)
    flagged = np.mean(decisive(held_out, score, rule) > threshold.value)
    assert flagged == pytest.approx(rate, abs=1 / COUNT)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("score", SCORES)
def test_false_alarm_rate_holds_on_new_normal_images(score: str, rule: str) -> None:
    calibration, fresh = NormalScores.fit([draw(5000, seed=1)]), draw(5000, seed=2)
    threshold = calibration.threshold(score, 0.05, rule)
    assert np.mean(decisive(fresh, score, rule) > threshold.value) == pytest.approx(0.05, abs=0.012)


def test_rule_is_that_of_the_score_unless_another_is_asked_for(calibration: NormalScores) -> None:
    assert calibration.threshold("calibrated", 0.1) == calibration.threshold("calibrated", 0.1, "score")
    assert calibration.threshold("calibrated", 0.1) != calibration.threshold("calibrated", 0.1, "window")


@pytest.mark.parametrize("images", [1, 2, 10, 71, 3000])
@pytest.mark.parametrize("rate", [1e-6, 0.002, 0.05, 0.5, 0.95, 0.998, 1 - 1e-6])
def test_interval_contains_the_value(images: int, rate: float) -> None:
    calibration = NormalScores.fit([draw(images, seed=0)])
    threshold = calibration.threshold("calibrated", rate)
    assert threshold.low <= threshold.value <= threshold.high


def test_interval_holds_the_true_threshold_in_95_of_100_draws() -> None:
    true = np.quantile(np.random.default_rng(0).gamma(9.0, 1 / 9, 1_000_000), 0.9)
    thresholds = [NormalScores.fit([draw(60, seed)]).threshold("calibrated", 0.1) for seed in range(200)]
    assert np.mean([low <= true <= high for _, low, high in thresholds]) == pytest.approx(0.95, abs=0.04)


def test_interval_is_narrower_with_more_images() -> None:
    few, many = (NormalScores.fit([draw(count, seed=0)]).threshold("new", 0.1) for count in (50, 5000))
    assert few.high - few.low > 3 * (many.high - many.low)


@pytest.mark.parametrize("rate", [0, 1, -0.1, 1.5, float("nan")])
def test_rate_out_of_range_is_refused(calibration: NormalScores, rate: float) -> None:
    with pytest.raises(InvalidInputError, match=f"false_alarm_rate must be above 0 .* got {rate}; try 0.05"):
        calibration.threshold("new", rate)


def test_unknown_rule_is_refused(calibration: NormalScores) -> None:
    with pytest.raises(UnknownNameError, match="rule must be one of score, window, got 'pixel'; choose one"):
        calibration.threshold("new", 0.05, "pixel")


def test_images_of_several_sizes_are_summarised_together(held_out: TermMaps) -> None:
    grid = PatchGrid(8, 20, patch_size=8, stride=4)
    random = np.random.default_rng(5)
    kl, log_variance, mahalanobis = random.gamma(3.0, 10.0, (3, 100, *grid.shape)).astype(np.float32)
    image, maps = (random.random(shape).astype(np.float32) for shape in (100, (100, 8, 20)))
    calibrated = CalibratedScore(image, maps, np.zeros(100, np.bool_))
    other = TermMaps(kl, log_variance, mahalanobis, grid, calibrated)

    calibration = NormalScores.fit([held_out, other])
    assert calibration.n_images == COUNT + 100
    for name in (*SCORES, *TERMS):
        windows = np.concatenate([terms.window_scores(name).ravel() for terms in (held_out, other)])
        expected = np.quantile(windows.astype(np.float64), 0.99)
        assert calibration.window_quantile(name, 0.99) == pytest.approx(expected, rel=1e-5)
    for score in SCORES:
        for rule in RULES:
            both = np.concatenate([decisive(terms, score, rule) for terms in (held_out, other)])
            expected = np.quantile(both.astype(np.float64), 0.95)
            assert calibration.threshold_value(score, 0.05, rule) == pytest.approx(expected, rel=1e-5)


def test_interval_of_false_alarms_narrows_with_the_number_of_images() -> None:
    few, many = (NormalScores.fit([draw(count, seed=0)]).false_alarm_interval(0.1) for count in (50, 5000))
    # Clopper-Pearson for 5 of 50, as in any table.
    assert few == pytest.approx((0.0333, 0.2181), abs=1e-4)
    assert few[0] < many[0] < 0.1 < many[1] < few[1]


def test_typical_scores_have_the_quantiles_of_the_images() -> None:
    scores = NormalScores.fit([draw(5000, seed=1)])
    typical = scores.typical_scores("new")
    assert len(typical) == 500
    for level in (0.1, 0.5, 0.9):
        assert np.quantile(typical, level) == pytest.approx(scores.image_quantile("new", level), rel=0.02)
