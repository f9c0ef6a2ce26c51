import time
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score, roc_curve

from vaead.errors import InvalidInputError
from vaead.metrics import image as evaluation
from vaead.metrics.image import (
    METRICS,
    Confusion,
    Evaluation,
    Metrics,
    best_f1_threshold,
    recall_threshold,
    roc,
)

Scores = NDArray[np.floating]

NORMAL = np.array([1.0, 2.0, 3.0, 4.0])
ANOMALOUS = np.array([2.5, 5.0])


def draw(normal: int, anomalous: int, decimals: int = 9) -> tuple[Scores, Scores]:
    """Scores whose distributions overlap; with few decimals, many are equal."""
    random = np.random.default_rng(1)
    scores = random.normal(0, 1, normal), random.normal(1, 1, anomalous)
    return scores[0].round(decimals), scores[1].round(decimals)


def by_scikit_learn(normal: Scores, anomalous: Scores) -> list[float]:
    labels, scores = np.repeat([0, 1], [len(normal), len(anomalous)]), np.concatenate([normal, anomalous])
    false_alarm_rate, recall, _ = roc_curve(labels, scores, drop_intermediate=False)
    fpr95 = false_alarm_rate[np.argmax(recall > 0.95 - 1e-9)]
    return [roc_auc_score(labels, scores), average_precision_score(labels, scores), fpr95]


def values(metrics: Metrics) -> list[float]:
    return [getattr(metrics, name) for name in METRICS]


def test_metrics_of_a_worked_example() -> None:
    # 5.0 beats four normal images and 2.5 beats two; it is found at the cost of two false alarms.
    metrics = Metrics.compute(NORMAL, ANOMALOUS)
    assert metrics.auroc == pytest.approx(6 / 8)
    assert metrics.aupr == pytest.approx((1 / 1 + 2 / 4) / 2)
    assert metrics.fpr95 == pytest.approx(2 / 4)


@pytest.mark.parametrize(
    ("normal", "anomalous", "expected"),
    [
        ([1, 2], [3, 4], [1, 1, 0]),
        ([3, 4], [1, 2], [0, (1 / 3 + 2 / 4) / 2, 1]),
        ([7, 7, 7], [7], [0.5, 0.25, 1]),
        ([1, 2], [2, 3], [3.5 / 4, (1 / 1 + 2 / 3) / 2, 0.5]),
        ([1], [1], [0.5, 0.5, 1]),
    ],
    ids=["perfect", "upside down", "all equal", "a tie", "one image each"],
)
def test_metrics_of_special_cases(normal: list[float], anomalous: list[float], expected: list[float]) -> None:
    metrics = Metrics.compute(np.array(normal, float), np.array(anomalous, float))
    assert values(metrics) == pytest.approx(expected)


@pytest.mark.parametrize(("anomalous", "missed"), [(19, 0), (20, 1), (39, 1), (40, 2)])
def test_fpr95_may_miss_one_image_in_twenty(anomalous: int, missed: int) -> None:
    normal = np.arange(100) + 0.5  # above all anomalous images whose score is at most 0
    scores = np.arange(anomalous, dtype=np.float64)
    assert Metrics.compute(normal, scores).fpr95 == pytest.approx((100 - missed) / 100)


def test_metrics_of_normal_distributions() -> None:
    metrics = Metrics.compute(*draw(20_000, 20_000))
    assert metrics.auroc == pytest.approx(0.7602, abs=0.01)  # Phi(1 / sqrt 2)
    assert metrics.fpr95 == pytest.approx(0.7405, abs=0.02)  # Phi(1.6449 - 1)


def test_rounding_does_not_flag_normal_images() -> None:
    normal = np.array([1 - 1e-9])  # between 1 and the number below it in single precision
    assert Metrics.compute(normal, np.array([1], np.float32)).fpr95 == 0


@pytest.mark.parametrize("decimals", [9, 0])
def test_intervals_are_those_of_scikit_learn_on_the_same_test_sets(
    monkeypatch: pytest.MonkeyPatch, decimals: int
) -> None:
    monkeypatch.setattr(evaluation, "_RESAMPLES", 30)
    normal, anomalous = draw(50, 80, decimals)
    random = np.random.default_rng(5)
    drawn = [
        by_scikit_learn(random.choice(normal, len(normal)), random.choice(anomalous, len(anomalous)))
        for _ in range(30)
    ]
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    result = Evaluation.compute(normal, anomalous, seed=5)
    assert values(result.metrics) == pytest.approx(by_scikit_learn(normal, anomalous))
    assert tuple(result.intervals) == METRICS
    assert [interval.low for interval in result.intervals.values()] == pytest.approx(list(low))
    assert [interval.high for interval in result.intervals.values()] == pytest.approx(list(high))


def test_intervals_hold_the_value_and_narrow_with_the_number_of_images() -> None:
    few, many = Evaluation.compute(*draw(100, 100)), Evaluation.compute(*draw(1600, 1600))
    for name in METRICS:
        for result in (few, many):
            interval = result.intervals[name]
            assert 0 <= interval.low < getattr(result.metrics, name) < interval.high <= 1
        widths = [result.intervals[name].high - result.intervals[name].low for result in (few, many)]
        assert widths[0] / widths[1] == pytest.approx(4, rel=0.4)  # the root of the number


def test_interval_has_the_width_that_theory_gives() -> None:
    normal, anomalous = draw(2000, 2000)
    interval = Evaluation.compute(normal, anomalous).intervals["auroc"]
    # DeLong: the variance of each image's share of wins, over the number of images, of both sides.
    shares = (np.mean(anomalous[:, None] > normal, axis=axis) for axis in (0, 1))
    error = np.sqrt(sum(np.var(share) / len(share) for share in shares))
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_intervals_depend_on_the_seed_alone() -> None:
    scores = draw(60, 60)
    assert Evaluation.compute(*scores, seed=3) == Evaluation.compute(*scores, seed=3)
    assert Evaluation.compute(*scores, seed=3) != Evaluation.compute(*scores, seed=4)
    assert Evaluation.compute(*scores) == Evaluation.compute(*scores, seed=0)


def test_interval_of_a_perfect_score_is_a_point() -> None:
    intervals = Evaluation.compute(NORMAL, NORMAL + 10).intervals
    assert intervals == {"auroc": (1, 1), "aupr": (1, 1), "fpr95": (0, 0)}


def test_bootstrap_of_a_whole_test_set_is_quick() -> None:
    scores = draw(1000, 9000)
    start = time.process_time()
    Evaluation.compute(*scores)
    assert time.process_time() - start < 5  # 0.3 s on a small machine, 10 s with a sort a test set


def test_roc_of_a_worked_example() -> None:
    curve = roc(NORMAL, ANOMALOUS)
    assert curve.false_alarm_rate == pytest.approx([0, 0, 0.5, 0.5, 1])
    assert curve.recall == pytest.approx([0, 0.5, 0.5, 1, 1])
    assert curve.threshold == pytest.approx([np.inf, 5, 3, 2.5, 1])


def test_area_under_roc_is_auroc() -> None:
    scores = draw(200, 100, decimals=1)
    curve = roc(*scores)
    area = np.trapezoid(curve.recall, curve.false_alarm_rate)
    assert area == pytest.approx(Metrics.compute(*scores).auroc)


def test_confusion_of_a_worked_example() -> None:
    confusion = Confusion.at(2.5, NORMAL, ANOMALOUS)
    assert confusion == Confusion(false_positives=2, true_negatives=2, true_positives=1, false_negatives=1)
    assert confusion.f1 == pytest.approx(2 * (1 / 3) * (1 / 2) / (1 / 3 + 1 / 2))


@pytest.mark.parametrize(
    ("threshold", "f1"), [(4.5, 2 / 3), (5.0, 0), (0.0, 2 * (1 / 3) / (1 / 3 + 1)), (-np.inf, 0.5)]
)
def test_f1_at_a_threshold(threshold: float, f1: float) -> None:
    assert Confusion.at(threshold, NORMAL, ANOMALOUS).f1 == pytest.approx(f1)


def test_f1_is_0_where_there_is_nothing_to_find() -> None:
    assert Confusion(0, 5, 0, 0).f1 == 0
    assert Confusion(2, 5, 0, 0).f1 == 0


def test_confusion_does_not_round_the_threshold_to_the_scores() -> None:
    one = np.array([1], np.float32)
    assert Confusion.at(1 - 1e-12, one, one) == Confusion(1, 0, 1, 0)
    assert Confusion.at(1 + 1e-12, one, one) == Confusion(0, 1, 0, 1)


@pytest.mark.parametrize(
    ("recall", "found"), [(0.95, 19), (0.951, 20), (1, 20), (0.5, 10), (0.05, 1), (1e-12, 1), (0.15, 3)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_recall_threshold_finds_that_share_and_is_the_largest(
    recall: float, found: int, dtype: type[np.floating]
) -> None:
    scores = np.random.default_rng(0).random(20).astype(dtype)
    threshold = recall_threshold(scores, recall)
    assert np.count_nonzero(scores > threshold) == found
    above = np.nextafter(dtype(threshold), dtype(np.inf))
    assert np.count_nonzero(scores > above) == found - 1


def test_recall_threshold_is_at_95_percent_and_below_equal_scores() -> None:
    scores = np.repeat([1.0, 2.0, 3.0], [1, 10, 9])
    assert recall_threshold(scores) == np.nextafter(2.0, 0.0)
    assert recall_threshold(scores, 1) == np.nextafter(1.0, 0.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("decimals", [9, 1])
def test_no_threshold_has_a_better_f1(dtype: type[np.floating], decimals: int) -> None:
    normal, anomalous = (scores.astype(dtype) for scores in draw(150, 60, decimals))
    threshold = best_f1_threshold(normal, anomalous)
    candidates = np.append(-np.inf, np.concatenate([normal, anomalous]))
    best = max(Confusion.at(float(candidate), normal, anomalous).f1 for candidate in candidates)
    assert Confusion.at(threshold, normal, anomalous).f1 == pytest.approx(best)
    flagged = np.concatenate([normal, anomalous]) > threshold  # as a caller would, in either precision
    assert f1_score(np.repeat([0, 1], [150, 60]), flagged) == pytest.approx(best)


def test_best_f1_threshold_of_separate_scores_parts_them() -> None:
    assert best_f1_threshold(NORMAL, NORMAL + 10) == np.nextafter(11.0, 0.0)
    # With most images anomalous, flagging all of them beats finding half of them.
    assert best_f1_threshold(np.array([2.0]), np.array([1.0, 3.0])) == np.nextafter(1.0, 0.0)


COMPARISONS: tuple[Callable[[Scores, Scores], object], ...] = (
    Metrics.compute,
    Evaluation.compute,
    roc,
    best_f1_threshold,
)
BROKEN = [
    (np.array([]), r"must be a row of at least one score, got shape \(0,\); give one score an image"),
    (np.ones((3, 1)), r"must be a row of at least one score, got shape \(3, 1\); give one score an image"),
    (np.array(1.0), r"must be a row of at least one score, got shape \(\); give one score"),
    (np.array([1, np.nan, 2]), "must be finite scores, got 1 of 3 that are not; leave these images out"),
    (np.array([-np.inf, np.inf]), "must be finite scores, got 2 of 2 that are not; leave these images out"),
]


@pytest.mark.parametrize("compare", COMPARISONS)
@pytest.mark.parametrize(("broken", "message"), BROKEN)
def test_comparisons_say_which_scores_are_broken(
    compare: Callable[[Scores, Scores], object], broken: Scores, message: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"^normal {message}"):
        compare(broken, ANOMALOUS)
    with pytest.raises(InvalidInputError, match=f"^anomalous {message}"):
        compare(NORMAL, broken)


@pytest.mark.parametrize(("broken", "message"), BROKEN)
def test_recall_threshold_says_what_is_broken(broken: Scores, message: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^anomalous {message}"):
        recall_threshold(broken)


@pytest.mark.parametrize("recall", [0, -0.5, 1.01, np.nan])
def test_recall_must_be_a_share(recall: float) -> None:
    with pytest.raises(
        InvalidInputError, match=f"^recall must be above 0 and at most 1, got {recall}; choose"
    ):
        recall_threshold(ANOMALOUS, recall)
