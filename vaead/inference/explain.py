"""Why here? One window of a photo, what the network makes of it, and the normal windows most like it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaead.errors import InvalidInputError
from vaead.model.kept_windows import Likeness
from vaead.model.model import Model
from vaead.scoring.decoded import ScannedWindow
from vaead.scoring.regions import Region
from vaead.scoring.term_maps import TermMaps

Place = tuple[int, int]
"""Row and column among the windows of the first network."""


@dataclass(frozen=True)
class Explanation:
    """A window of a photo, compared with normal ones.

    Attributes:
        place: Its row and column among the windows of the first network.
        frame: Its top, left, height and width, in pixels of the photo as the model sees it.
        window: The window, what the network expected, and D, A and M.
        normal_below: Share of the windows of calibration images whose M is lower, 0 to 1.
        likeness: The kept normal windows that are nearest in z; None if the model keeps none.
    """

    place: Place
    frame: tuple[int, int, int, int]
    window: ScannedWindow
    normal_below: float
    likeness: Likeness | None


def explain(model: Model, image: NDArray[np.generic], place: Place) -> Explanation:
    """Explain a window of a photo, of which no other window is scanned.

    Args:
        model: The model.
        image: (H, W) or (H, W, 3), as for `vaead.inference.prediction.predict`.
        place: Row and column of the window; see `worst_window` for the one to begin with.

    Raises:
        InvalidInputError: The image is not as described, or has no such window that counts.
    """
    window = model.networks[0].scorer.scan_window(image, place)
    rank = model.card.normal_scores.window_ranks("new", np.array(window.mahalanobis))
    likeness = None if model.windows is None else model.windows.compare(window.z_mean)
    return Explanation(place, model.grid(image[None]).frame(place), window, float(rank), likeness)


def require_windows(model: Model) -> None:
    """Raise InvalidInputError unless a model keeps normal windows to compare with."""
    if model.windows is None:
        raise InvalidInputError(
            "model must keep windows of normal photos to compare with, got one without; train it again, on "
            "photos and with this version of vaead"
        )


def worst_window(terms: TermMaps, score: str, region: Region | None = None) -> Place:
    """The window to look at first where a score finds a photo anomalous.

    Of old and new, which score windows, it is the one with the largest score. Calibrated joins windows in a
    map, so it is the one whose middle is nearest to the largest pixel of the map.

    Args:
        terms: Of one photo.
        score: "old", "new" or "calibrated".
        region: Looks there alone, that is for the middle of a window, or for a pixel.

    Raises:
        UnknownNameError: There is no such score.
        InvalidInputError: The photo has no calibrated score.
    """
    grid, values = terms.grid, terms.window_scores(score)[0]
    if score == "calibrated":
        rows, columns = (np.arange(length, dtype=np.float64) for length in values.shape)
    else:
        rows, columns = (starts + (grid.patch_size - 1) / 2 for starts in (grid.row_starts, grid.col_starts))
    if region is not None:
        inside_rows = (rows >= region.top) & (rows < region.top + region.height)
        inside = inside_rows[:, None] & (columns >= region.left) & (columns < region.left + region.width)
        if not (inside & np.isfinite(values)).any():
            return grid.nearest((region.center[1], region.center[0]))
        values = np.where(inside, values, np.nan)
    row, column = np.unravel_index(np.nanargmax(values), values.shape)
    return grid.nearest((float(rows[row]), float(columns[column])))


def window_value(terms: TermMaps, score: str, place: Place) -> float:
    """Score of a window of one photo; of calibrated the largest pixel of its map there."""
    values = terms.window_scores(score)[0]
    if score != "calibrated":
        return float(values[place])
    top, left, height, width = terms.grid.frame(place)
    return float(np.nanmax(values[top : top + height, left : left + width]))
