import math

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray
from scipy import stats

from vaead.scoring.loss_terms import (
    errors_in_sd,
    kl_term,
    log_variance_term,
    mahalanobis_term,
    signed_error_term,
)


def test_kl_term_of_a_worked_example() -> None:
    # 1/2 (1 + 1 - 1 - log 1) + 1/2 (4 + 4 - 1 - log 4)
    assert kl_term(np.array([1.0, 2.0]), np.log([1.0, 4.0])) == pytest.approx(4 - math.log(2))


def test_kl_term_is_the_divergence_from_the_standard_normal() -> None:
    mean, variance = 0.7, 0.3
    points, weights = hermegauss(20)
    z = mean + math.sqrt(variance) * points
    log_ratio = stats.norm(mean, math.sqrt(variance)).logpdf(z) - stats.norm.logpdf(z)
    expected = np.sum(weights * log_ratio) / math.sqrt(2 * math.pi)
    assert kl_term(np.array([mean]), np.log([variance])) == pytest.approx(expected)


def test_log_variance_term_of_a_worked_example() -> None:
    # 1/2 (log 2 pi + 0) + 1/2 (log 2 pi + 2)
    assert log_variance_term(np.exp([0.0, 2.0])) == pytest.approx(math.log(2 * math.pi) + 1)


def test_mahalanobis_term_of_a_worked_example() -> None:
    # 1/2 (1 / 0.5 + 4 / 4)
    x, mu, sigma2 = np.array([1.0, 0.0]), np.array([0.0, 2.0]), np.array([0.5, 4.0])
    assert mahalanobis_term(errors_in_sd(x, mu, sigma2)) == pytest.approx(1.5)


def test_signed_error_term_of_a_worked_example() -> None:
    # 1 / sqrt(0.25) too bright, 2 / sqrt(4) too dark
    x, mu, sigma2 = np.array([1.0, 0.0]), np.array([0.0, 2.0]), np.array([0.25, 4.0])
    assert signed_error_term(errors_in_sd(x, mu, sigma2)) == pytest.approx(2 - 1)


@pytest.fixture
def patches() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Random x, mu and sigma2, each (3, 4, 5)."""
    random = np.random.default_rng(0)
    return random.random((3, 4, 5)), random.random((3, 4, 5)), random.uniform(1e-4, 1.0, (3, 4, 5))


def test_both_terms_add_up_to_the_negative_log_density(
    patches: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
) -> None:
    x, mu, sigma2 = patches
    expected = -stats.norm(mu, np.sqrt(sigma2)).logpdf(x).sum(axis=-1)
    actual = log_variance_term(sigma2) + mahalanobis_term(errors_in_sd(x, mu, sigma2))
    np.testing.assert_allclose(actual, expected)


def test_keras_and_numpy_give_the_same(
    patches: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
) -> None:
    from keras import ops

    x, mu, sigma2 = (array.astype(np.float32) for array in patches)
    errors = errors_in_sd(x, mu, sigma2)
    np.testing.assert_allclose(ops.convert_to_numpy(errors_in_sd(x, mu, sigma2, ops)), errors, rtol=1e-5)
    for term, arguments in (
        (kl_term, (x, np.log(sigma2))),
        (log_variance_term, (sigma2,)),
        (mahalanobis_term, (errors,)),
        (signed_error_term, (errors,)),
    ):
        expected = term(*arguments)
        assert expected.shape == (3, 4)
        np.testing.assert_allclose(ops.convert_to_numpy(term(*arguments, xp=ops)), expected, rtol=1e-5)
