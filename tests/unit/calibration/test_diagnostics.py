import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.calibration.diagnostics import TrainingDiagnostics


@pytest.fixture
def pixels() -> NDArray[np.float32]:
    """Patches (100, 4) whose pixels have the variance 1/12."""
    return np.random.default_rng(0).random((100, 4), np.float32)


def test_mean_picture_explains_nothing_and_a_copy_explains_all(pixels: NDArray[np.float32]) -> None:
    one = np.ones_like(pixels)
    mean_picture = np.broadcast_to(pixels.mean(axis=0), pixels.shape)
    assert TrainingDiagnostics.compute(pixels, mean_picture, one).explained_variance == pytest.approx(
        0, abs=1e-6
    )
    assert TrainingDiagnostics.compute(pixels, pixels, one).explained_variance == 1
    half_way = (pixels + mean_picture) / 2
    assert TrainingDiagnostics.compute(pixels, half_way, one).explained_variance == pytest.approx(0.75)


def test_error_per_pixel_is_a_half_where_sigma2_is_right() -> None:
    random = np.random.default_rng(0)
    sigma2 = random.uniform(0.01, 0.1, (20_000, 4)).astype(np.float32)
    mu = np.full_like(sigma2, 0.5)
    pixels = random.normal(mu, np.sqrt(sigma2)).astype(np.float32)
    assert TrainingDiagnostics.compute(pixels, mu, sigma2).error_per_pixel == pytest.approx(0.5, rel=0.02)
    assert TrainingDiagnostics.compute(pixels, mu, sigma2 / 8).error_per_pixel == pytest.approx(4.0, rel=0.02)


def test_diagnostics_of_a_worked_example() -> None:
    pixels = np.float32([[0, 0.5], [1, 0.5]])  # the mean of the squared deviations is (1/4 + 0) / 2
    mu = np.float32([[0.2, 0.5], [1, 0.4]])  # squared errors: 0.04, 0, 0, 0.01
    found = TrainingDiagnostics.compute(pixels, mu, np.float32([[0.1, 1], [1, 0.01]]))
    assert found.explained_variance == pytest.approx(1 - (0.05 / 4) / (1 / 8))
    assert found.error_per_pixel == pytest.approx(0.5 * (0.4 + 1) / 4)


@pytest.mark.parametrize("mu", [0.0, 0.03])
def test_patches_that_do_not_vary_leave_nothing_to_follow(pixels: NDArray[np.float32], mu: float) -> None:
    flat = np.zeros_like(pixels)
    assert (
        TrainingDiagnostics.compute(flat, np.full_like(flat, mu), np.ones_like(flat)).explained_variance == 1
    )


@pytest.mark.parametrize(
    ("explained_variance", "error_per_pixel", "warnings"),
    [
        (0.9, 0.5, ()),
        (0.02, 0.5, ("posterior_collapse",)),
        (0.9, 50.0, ("variance_too_small",)),
        (-1.0, 50.0, ("posterior_collapse", "variance_too_small")),
    ],
)
def test_warnings_are_named(
    explained_variance: float, error_per_pixel: float, warnings: tuple[str, ...]
) -> None:
    assert TrainingDiagnostics(explained_variance, error_per_pixel).warnings == warnings
