"""Diagnostics of a training, on held-out normal images alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vaead.config import Record

_LEAST_EXPLAINED = 0.1
_MOST_ERROR_PER_PIXEL = 2.0
_LEAST_VARIANCE = 255.0**-2
"""One grey level, squared: patches that vary less are all the same."""


class TrainingDiagnostics(Record, frozen=True):
    """Fit of a network to normal patches that it was not trained on.

    Attributes:
        explained_variance: Fraction of the variance of normal patches that mu follows, at most 1. Near 0 the
            decoder makes the same picture of every patch: the posterior has collapsed. 1 if the patches do
            not vary, so that there is nothing to follow.
        error_per_pixel: Mean of M a pixel, in nats. 0.5 where sigma2 is right; far more where it is too
            small for patches that the network has not seen.
    """

    explained_variance: float
    error_per_pixel: float

    @classmethod
    def compute(
        cls, pixels: NDArray[np.float32], mu: NDArray[np.float32], sigma2: NDArray[np.float32]
    ) -> TrainingDiagnostics:
        """Compare held-out normal patches with the outputs of the network; each (n, pixels)."""
        error = np.square(pixels - mu)
        variance = float(np.square(pixels - pixels.mean(axis=0)).mean())
        return cls(
            explained_variance=1.0 - float(error.mean()) / variance if variance > _LEAST_VARIANCE else 1.0,
            error_per_pixel=0.5 * float((error / sigma2).mean()),
        )

    @property
    def is_dead(self) -> bool:
        """True if the posterior has collapsed: scores mean nothing then."""
        return self.explained_variance < _LEAST_EXPLAINED

    @property
    def warnings(self) -> tuple[str, ...]:
        """Names of the faults found: "posterior_collapse", "variance_too_small"."""
        found = {
            "posterior_collapse": self.is_dead,
            "variance_too_small": self.error_per_pixel > _MOST_ERROR_PER_PIXEL,
        }
        return tuple(name for name, is_there in found.items() if is_there)
