import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.scoring.loss_terms import (
    errors_in_sd,
    kl_term,
    log_variance_term,
    mahalanobis_term,
    signed_error_term,
)
from vaead.scoring.patch_scorer import Named
from vaead.scoring.window_terms import pixel_shares, window_terms


@pytest.fixture
def patches() -> NDArray[np.float32]:
    """Colour patches of 16x16 pixels."""
    return np.random.default_rng(0).random((3, 16, 16, 3), np.float32)


@pytest.fixture
def decoded() -> Named:
    random = np.random.default_rng(1)
    sizes = {"mu": 768, "sigma2": 768, "z_mean": 5, "z_log_var": 5}
    return {name: random.uniform(0.1, 1, (3, size)).astype(np.float32) for name, size in sizes.items()}


def test_terms_are_those_of_the_loss(patches: NDArray[np.float32], decoded: Named) -> None:
    x, mu, sigma2 = patches.reshape(3, -1), decoded["mu"], decoded["sigma2"]
    found = window_terms(patches, decoded)
    expected = {
        "kl": kl_term(decoded["z_mean"], decoded["z_log_var"]),
        "log_variance": log_variance_term(sigma2),
        "mahalanobis": mahalanobis_term(errors_in_sd(x, mu, sigma2)),
        "signed_error": signed_error_term(errors_in_sd(x, mu, sigma2)),
        "z_mean": decoded["z_mean"],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-4)
    for whole, cells in (("mahalanobis", "cells"), ("signed_error", "signed_cells")):
        assert found[cells].shape[:3] == (3, 1, 1)
        np.testing.assert_allclose(
            found[cells].reshape(3, -1).sum(axis=1), found[whole], rtol=1e-5, atol=1e-4
        )


@pytest.mark.parametrize("cell", [(0, 0), (2, 7)])
def test_cells_are_errors_of_square_parts_in_all_colours(
    patches: NDArray[np.float32], decoded: Named, cell: tuple[int, int]
) -> None:
    row, column = cell
    part = np.zeros((16, 16, 3), bool)
    part[2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = True
    x, mu, sigma2 = (
        values.reshape(3, -1)[:, part.ravel()] for values in (patches, decoded["mu"], decoded["sigma2"])
    )
    found = window_terms(patches, decoded, cells=8)
    np.testing.assert_allclose(
        found["cells"][:, row, column], mahalanobis_term(errors_in_sd(x, mu, sigma2)), rtol=1e-4
    )
    signed = errors_in_sd(x, mu, sigma2).reshape(3, 4, 3).sum(axis=1)  # of each colour
    np.testing.assert_allclose(found["signed_cells"][:, row, column], signed, rtol=1e-4, atol=1e-4)
    for whole, cells in (("mahalanobis", "cells"), ("signed_error", "signed_cells")):
        of_all = found[cells].reshape(3, -1).sum(axis=1)
        np.testing.assert_allclose(of_all, found[whole], rtol=1e-4, atol=1e-3)


def test_shares_follow_the_squared_errors(patches: NDArray[np.float32], decoded: Named) -> None:
    grey = np.ascontiguousarray(patches[..., 0])
    some = {name: values[:, :256] for name, values in decoded.items()}
    shares = pixel_shares(grey, some)
    errors = np.square(grey.reshape(3, -1) - some["mu"]) / some["sigma2"]
    np.testing.assert_allclose(shares.mean(axis=(1, 2)), 1, rtol=1e-5)
    assert np.argsort(shares[0].ravel()).tolist() == np.argsort(errors[0]).tolist()
