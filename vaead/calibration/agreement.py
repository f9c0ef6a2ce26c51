"""Do new normal images score like those that a model was calibrated with? If not, its thresholds do not hold.

Source: the rank-sum test of two samples, H. Mann and D. Whitney, 1947, with the quantiles of the held-out
images as the first sample.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.thresholds import NormalScores

_LEAST_SHIFT = 0.25
"""Distance of the mean rank from one half, from which on a difference matters."""
_LEAST_ERRORS = 4.0
"""And is no chance, in standard errors."""
_FEWEST = 20
_ALL = 0.95


class Shift(NamedTuple):
    """Normal images that score unlike the held-out ones.

    Attributes:
        score: Name of the score.
        n_images: Number of these images.
        higher: True if they score higher, False if lower.
        median_rank: Half of them score higher, or lower, than this share of held-out images.
    """

    score: str
    n_images: int
    higher: bool
    median_rank: float


def find_shift(normal_scores: NormalScores, score: str, values: NDArray[np.floating]) -> Shift | None:
    """Compare a score of normal images that are new with that of held-out ones; None where they agree."""
    ranks = np.array([normal_scores.rank(score, value) for value in values])
    if not len(ranks):
        return None
    shift = float(ranks.mean()) - 0.5
    error = np.sqrt((1 / len(ranks) + 1 / normal_scores.n_images) / 12)
    if abs(shift) < max(_LEAST_SHIFT, _LEAST_ERRORS * error):
        return None
    median = float(np.median(ranks))
    return Shift(score, len(ranks), shift > 0, median if shift > 0 else 1 - median)


def all_unlike(n_flagged: int, n_images: int) -> bool:
    """Whether so many of any images are flagged that they are likely to be of something else."""
    return n_images >= _FEWEST and n_flagged >= _ALL * n_images
