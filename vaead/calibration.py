"""What normal looks like: the scores of held-out normal images, kept as quantiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaead.scoring import TermMaps
from vaead.terms import SCORES, TERMS

LEVELS = (*(level / 100 for level in range(100)), 0.995, 0.999, 1.0)
"""Shares of held-out normal images, or of their windows, at which scores are kept."""


@dataclass(frozen=True)
class Calibration:
    """Quantiles at `LEVELS` of the scores of held-out normal images, in nats.

    Attributes:
        images: Number of held-out images.
        image: For each score, quantiles of the image scores.
        window: For each score and term, quantiles over all windows of all images.
    """

    images: int
    image: dict[str, list[float]]
    window: dict[str, list[float]]

    @classmethod
    def of(cls, held_out: TermMaps) -> Calibration:
        """Summarise the term maps of held-out normal images."""
        return cls(
            images=len(held_out.kl),
            image={score: _quantiles(held_out.image_scores(score)) for score in SCORES},
            window={name: _quantiles(held_out.windows(name)) for name in (*SCORES, *TERMS)},
        )

    def rank(self, score: str, value: float) -> float:
        """Share of held-out normal images whose image score is below a value, 0 to 1."""
        return float(np.interp(value, self.image[score], LEVELS))

    def window_quantile(self, name: str, level: float) -> float:
        """The window score that a share `level` of held-out normal windows does not exceed, in nats."""
        return float(np.interp(level, LEVELS, self.window[name]))


def _quantiles(values: NDArray[np.floating]) -> list[float]:
    return [float(q) for q in np.quantile(values.astype(np.float64), LEVELS)]
