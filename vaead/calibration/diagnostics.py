"""Whether a training went well, judged on held-out normal images alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaead.i18n.texts import Texts

_LEAST_EXPLAINED = 0.1
_MOST_ERROR_PER_PIXEL = 2.0
_LEAST_VARIANCE = 255.0**-2
"""One grey level, squared: patches that vary less are all the same."""


@dataclass(frozen=True)
class TrainingDiagnostics:
    """How well a network knows normal patches it has not seen.

    Attributes:
        explained_variance: Share of the variance of normal patches that mu follows, at most 1. Near 0 the
            decoder makes the same picture of every patch: its bottleneck has died. 1 if the patches do not
            vary, so that there is nothing to follow.
        error_per_pixel: Mean of M a pixel, in nats. 0.5 where sigma2 is right; far more where it is too
            small for patches that the network has not seen.
    """

    explained_variance: float
    error_per_pixel: float

    @classmethod
    def of(
        cls, pixels: NDArray[np.float32], mu: NDArray[np.float32], sigma2: NDArray[np.float32]
    ) -> TrainingDiagnostics:
        """Compare held-out normal patches with what the network makes of them; each (n, pixels)."""
        error = np.square(pixels - mu)
        variance = float(np.square(pixels - pixels.mean(axis=0)).mean())
        return cls(
            explained_variance=1.0 - float(error.mean()) / variance if variance > _LEAST_VARIANCE else 1.0,
            error_per_pixel=0.5 * float((error / sigma2).mean()),
        )

    @property
    def faults(self) -> tuple[str, ...]:
        """What went wrong: "dead" (bottleneck), "overconfident" (sigma2 too small), or nothing."""
        found = {
            "dead": self.explained_variance < _LEAST_EXPLAINED,
            "overconfident": self.error_per_pixel > _MOST_ERROR_PER_PIXEL,
        }
        return tuple(fault for fault, is_there in found.items() if is_there)


def told(healths: Iterable[TrainingDiagnostics], texts: Texts) -> Iterator[str]:
    """Say what went wrong, and what to do."""
    for health in healths:
        values = {
            "explained": f"{100 * max(0.0, health.explained_variance):.2g} %",
            "error": f"{health.error_per_pixel:.3g}",
        }
        yield from (texts(f"health.{fault}", **values) for fault in health.faults)
