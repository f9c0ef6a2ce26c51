"""Warnings about photos that are unlike those that a model was calibrated with, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.agreement import all_unlike, find_shift
from vaead.calibration.thresholds import NormalScores
from vaead.i18n.texts import Texts
from vaead.scoring.loss_terms import SCORES


def shift_warnings(
    normal_scores: NormalScores, normal: Callable[[str], NDArray[np.float64]], texts: Texts
) -> Iterator[str]:
    """One sentence for each score by which normal photos differ from the held-out ones.

    Args:
        normal_scores: Of the held-out photos.
        normal: Gives a score of all normal photos.
        texts: The language.
    """
    for score in SCORES:
        shift = find_shift(normal_scores, score, normal(score))
        if shift is not None:
            values = {"score": texts(f"score.{score}"), "rank": f"{100 * shift.median_rank:.0f}"}
            side = "higher" if shift.higher else "lower"
            yield texts(f"agreement.{side}", count=shift.n_images, **values)


def unlike_warning(n_flagged: int, n_images: int, texts: Texts) -> str | None:
    """That photos are likely to be of something else, if nearly all are flagged."""
    if not all_unlike(n_flagged, n_images):
        return None
    return texts("agreement.unlike", flagged=n_flagged, count=n_images)
