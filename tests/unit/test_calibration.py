import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.calibration import LEVELS, Calibration
from vaead.config import PatchGrid
from vaead.scoring import TermMaps
from vaead.terms import SCORES, TERMS

GRID = PatchGrid(10, 12, patch_size=8, stride=2)


@pytest.fixture(scope="module")
def held_out() -> TermMaps:
    random = np.random.default_rng(0)
    kl, log_variance, mahalanobis = random.gamma(2.0, 10.0, (3, 500, *GRID.shape)).astype(np.float32)
    return TermMaps(kl, log_variance, mahalanobis, GRID)


@pytest.fixture(scope="module")
def calibration(held_out: TermMaps) -> Calibration:
    return Calibration.of(held_out)


def largest_windows(held_out: TermMaps, score: str) -> NDArray[np.float64]:
    terms = {"old": held_out.kl + held_out.log_variance + held_out.mahalanobis, "new": held_out.mahalanobis}
    return terms[score].reshape(500, -1).max(axis=1).astype(np.float64)


@pytest.mark.parametrize("name", [*SCORES, *TERMS])
def test_window_quantiles_are_those_of_numpy(held_out: TermMaps, calibration: Calibration, name: str) -> None:
    windows = held_out.windows(name).astype(np.float64)
    for level in (0.0, 0.01, 0.5, 0.99, 0.995, 0.999, 1.0):
        assert calibration.window_quantile(name, level) == pytest.approx(np.quantile(windows, level))


@pytest.mark.parametrize("score", SCORES)
def test_rank_is_the_share_of_images_below(held_out: TermMaps, calibration: Calibration, score: str) -> None:
    scores = largest_windows(held_out, score)
    for value in np.quantile(scores, np.linspace(0.0123, 0.9876, 30)):
        assert calibration.rank(score, value) == pytest.approx(np.mean(scores < value), abs=0.005)


@pytest.mark.parametrize("score", SCORES)
def test_rank_ends_at_the_extremes(held_out: TermMaps, calibration: Calibration, score: str) -> None:
    scores = largest_windows(held_out, score)
    assert calibration.rank(score, scores.min() - 1) == 0
    assert calibration.rank(score, scores.max() + 1) == 1


def test_images_are_counted(calibration: Calibration) -> None:
    assert calibration.images == 500
    assert {len(values) for values in (calibration.image | calibration.window).values()} == {len(LEVELS)}
