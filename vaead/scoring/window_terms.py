"""Terms of the scores of windows, from what a network decodes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vaead.scoring.loss_terms import (
    errors_in_sd,
    kl_term,
    log_variance_term,
    mahalanobis_term,
    signed_error_term,
)
from vaead.scoring.patch_scorer import Named

_LEAST_ERROR = 0.05
"""Squared error of every pixel in its share, in variances: of a window without any error all count alike."""


def window_terms(patches: NDArray[np.float32], decoded: Named, cells: int = 1) -> Named:
    """Compute the terms of windows.

    Args:
        patches: (n, *patch_shape).
        decoded: What `PatchScorer.decode` makes of them.
        cells: Cells a side into which errors are split, see `NetworkConfig.cells`.

    Returns:
        kl, log_variance, mahalanobis in nats and signed_error, each (n,), z_mean (n, latent_dim), and cells
        (n, cells, cells) and signed_cells (n, cells, cells, channels), into which mahalanobis and
        signed_error are split.
    """
    mu, sigma2, side = decoded["mu"], decoded["sigma2"], patches.shape[1]
    errors = errors_in_sd(patches.reshape(mu.shape), mu, sigma2)
    return {
        "kl": kl_term(decoded["z_mean"], decoded["z_log_var"]),
        "log_variance": log_variance_term(sigma2),
        "mahalanobis": mahalanobis_term(errors),
        "signed_error": signed_error_term(errors),
        "z_mean": decoded["z_mean"],
        "cells": _of_cells(np.square(errors) / 2, side, cells).sum(axis=-1),
        "signed_cells": _of_cells(errors, side, cells),
    }


def pixel_shares(patches: NDArray[np.float32], decoded: Named) -> NDArray[np.float32]:
    """Share of each pixel in M of its window, see `Scan.shares`: (n, *patch_shape)."""
    mu, sigma2 = (decoded[name].reshape(patches.shape) for name in ("mu", "sigma2"))
    errors = np.square(errors_in_sd(patches, mu, sigma2)) + _LEAST_ERROR
    return np.asarray(errors / errors.mean(axis=(1, 2), keepdims=True))


def _of_cells(values: NDArray[np.float32], side: int, cells: int) -> NDArray[np.float32]:
    """Sums over the cells of patches: (n, patch_values) -> (n, cells, cells, channels)."""
    channels, of_cell = values.shape[1] // side**2, side // cells
    # Rows first, and by `einsum`: in a quarter of the time of one sum over both axes.
    rows = np.einsum("nrxy->nry", values.reshape(-1, cells, of_cell, side * channels))
    return np.asarray(np.einsum("nrcyk->nrck", rows.reshape(-1, cells, cells, of_cell, channels)))
