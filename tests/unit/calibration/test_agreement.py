from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from vaead.calibration.agreement import all_unlike, find_shift
from vaead.calibration.thresholds import NormalScores

RANDOM = np.random.default_rng(0)


def held_out(n_images: int = 60) -> NormalScores:
    """Ranks of scores that are spread evenly from 0 to 1."""

    def rank(_: str, value: float) -> float:
        return float(np.clip(value, 0, 1))

    return cast(NormalScores, SimpleNamespace(n_images=n_images, rank=rank))


@pytest.mark.parametrize("count", [1, 5, 40, 400])
def test_images_like_the_held_out_ones_agree(count: int) -> None:
    for _ in range(50):
        assert find_shift(held_out(), "new", RANDOM.uniform(0, 1, count)) is None


@pytest.mark.parametrize(("low", "high", "higher"), [(0.95, 1.2, True), (-0.2, 0.05, False)])
def test_images_that_differ_are_told_with_their_side(low: float, high: float, higher: bool) -> None:
    values = RANDOM.uniform(low, high, 41)
    shift = find_shift(held_out(), "new", values)
    assert shift is not None
    assert (shift.score, shift.n_images, shift.higher) == ("new", 41, higher)
    assert shift.median_rank > 0.95


def test_a_few_images_prove_nothing() -> None:
    assert find_shift(held_out(), "old", np.array([1.0, 1.0])) is None
    assert find_shift(held_out(), "old", np.array([])) is None


def test_a_small_shift_of_many_images_does_no_harm() -> None:
    assert find_shift(held_out(10_000), "old", RANDOM.uniform(0.1, 1, 10_000)) is None


@pytest.mark.parametrize(
    ("flagged", "count", "unlike"), [(20, 20, True), (19, 20, True), (18, 20, False), (5, 5, False)]
)
def test_nearly_all_flagged_is_another_product(flagged: int, count: int, unlike: bool) -> None:
    assert all_unlike(flagged, count) is unlike
