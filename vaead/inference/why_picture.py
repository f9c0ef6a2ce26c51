"""An explanation as one picture, for those who have no page to click on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.thresholds import NormalScores
from vaead.i18n.texts import Texts
from vaead.i18n.why import why
from vaead.inference.explain import Explanation, window_value
from vaead.inference.prediction import Prediction
from vaead.plots.sheet import Tile, draw_sheet, framed, shades, signed_colors
from vaead.scoring.patches import unit

_ERROR_SD = 3.0
"""Largest error that has a colour of its own."""


def draw_why(prediction: Prediction, found: Explanation, normal_scores: NormalScores) -> NDArray[np.uint8]:
    """Draw a photo with its window, and what belongs to it, as a picture (h, w, 3).

    Args:
        prediction: Of the photo; arrays must not be dropped yet.
        found: A window of it.
        normal_scores: Scores of calibration images.
    """
    assert prediction.image is not None, "arrays were dropped"
    assert prediction.terms is not None, "arrays were dropped"
    window, score = found.window.decoded, prediction.main_score
    tiles = [
        Tile("photo", framed(prediction.image, found.frame)),
        Tile("the window", _grey_or_colored(window.patch)),
        Tile("expected", _grey_or_colored(window.mu)),
        Tile(f"error, -{_ERROR_SD:g} to {_ERROR_SD:g} sd", signed_colors(window.errors, _ERROR_SD)),
        Tile("how unsure", shades(window.variance, max(float(window.variance.max()), 1e-9))),
    ]
    if found.likeness is not None:
        tiles += [
            Tile(f"normal, at {near.distance:.2f}", _grey_or_colored(near.picture))
            for near in found.likeness.nearest
        ]
    value = window_value(prediction.terms, score, found.place)
    rank = float(normal_scores.window_ranks(score, np.array(value)))
    note = why(found.likeness, score, rank, Texts("en")).replace("**", "").replace("\u00a0", " ")
    return draw_sheet(tiles, note.encode("ascii", "replace").decode())


def _grey_or_colored(pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Pixels (h, w) or (h, w, 3), uint8 or 0 to 1, as (h, w, 3)."""
    whole = np.round(255 * np.clip(unit(pixels), 0, 1)).astype(np.uint8)
    return np.repeat(whole[..., None], 3, axis=2) if whole.ndim == 2 else whole
