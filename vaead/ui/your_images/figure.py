"""The figure of one image of the visitor: the image, an overlay, the mask and the maps of the scores."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go

from vaead.calibration.thresholds import NormalScores
from vaead.i18n.format import number
from vaead.i18n.texts import Texts
from vaead.plots.overlay import HEAT
from vaead.plots.panels import PALETTES, Frame, Panel, Scale, panels, squares
from vaead.scoring.loss_terms import SCORES
from vaead.ui.shared import plots
from vaead.ui.shared.windows import numbers_of
from vaead.ui.your_images.downsampling import Reduced, View

_IMAGE, _MASK = 0, 1
_TRUE_COLOR = "#1f9e89"
_COLUMNS = 3
_HEIGHT_SHARE = 76.0
"""Height of two rows of three square panels with what is between them, in per cent of their width."""
_MARGINS_PX = 84
_TALLEST_PX = 760
_TARGETS = 2_000
"""Places in the overlay that can be clicked, at most about that many: a browser is slow with more."""


def draw(view: View, normal_scores: NormalScores, frame: Frame, texts: Texts) -> go.Figure:
    """Draw all panels as one figure, so that they zoom together, with a frame in all of them.

    A click into the overlay tells the number of a window, see `PatchGrid.number`.
    """
    small = view.reduced()
    of_255 = texts("compare.of_255")
    shown = texts(f"score.{view.score}")
    rows = [
        [
            Panel(small.pixels, _IMAGE, texts("own.image"), of_255, small.true_mask),
            Panel(small.pixels, _IMAGE, texts("own.overlay", score=shown), of_255, small.mask),
            Panel(small.mask.astype(np.uint8), _MASK, texts("own.mask"), "", small.mask),
        ],
        [_map(view, small, score, index, texts) for index, score in enumerate(SCORES, start=_MASK + 1)],
    ]
    rows = [[replace(panel, frames=[frame]) for panel in row] for row in rows]
    scales = [Scale(0, 255, "Greys", reverse=True), Scale(-0.2, 1.4, "Greys")]
    scales += [_map_scale(normal_scores, score, column, texts) for column, score in enumerate(SCORES)]
    figure: dict[str, Any] = panels(rows, scales, texts("compare.hover"), small.step).to_plotly_json()
    traces = list(figure["data"])
    for axis in (value for name, value in figure["layout"].items() if name.startswith("coloraxis")):
        if "colorbar" in axis:
            axis["colorbar"] = {**axis["colorbar"], "nticks": 3}  # more do not fit on a phone
    _color_truth(traces, small)
    # Above the images, below the outlines.
    traces.insert(len(SCORES) + _COLUMNS, _heat(view, small, normal_scores, traces[1]))
    traces.append(_targets(view, traces[1], texts))
    return go.Figure(traces, figure["layout"])


def show(figure: go.Figure, shape: tuple[int, int], alt: str, on_click: Callable[[int], None]) -> None:
    """Show the figure as high as images of this shape need on a wide screen and on a phone.

    Args:
        figure: From `draw`.
        shape: (H, W) of the image.
        alt: Alternative text.
        on_click: Called with the number of a window that was clicked.
    """
    share = _HEIGHT_SHARE * shape[0] / shape[1]
    height = f"min(calc({share:.1f}cqw + {_MARGINS_PX}px), {_TALLEST_PX}px)"
    plots.show_as_high(figure, "own_maps", alt, height, on_click)


def _map(view: View, small: Reduced, score: str, scale: int, texts: Texts) -> Panel:
    name = texts(f"score.{score}")
    unit = "" if score == "calibrated" else texts("compare.nats")
    if score not in small.maps:
        blank = np.full(small.mask.shape, np.nan, np.float32)
        return Panel(blank, scale, texts("own.no_score", score=name))
    value = number(view.prediction.scores[score])
    title = texts("own.score_title", score=name, value=value)
    return Panel(small.maps[score], scale, title, unit)


def _map_scale(normal_scores: NormalScores, score: str, column: int, texts: Texts) -> Scale:
    name = texts(f"score.{score}")
    title = name if score == "calibrated" else texts("compare.bar_score", score=name)
    return plots.mean_scale(normal_scores, score, PALETTES[0], title, column)


def _heat(view: View, small: Reduced, normal_scores: NormalScores, under: dict[str, Any]) -> dict[str, Any]:
    """The map of the chosen score over the second panel, whose axes it shares."""
    low, high = normal_scores.heat_range(view.score)
    # Nobody reads numbers from it, so it has as many steps as a screen has.
    shares = np.clip((np.nan_to_num(small.maps[view.score], nan=low) - low) / max(high - low, 1e-9), 0, 1)
    return {
        "type": "heatmap",
        "z": np.round(255 * shares).astype(np.uint8),
        "zmin": 0,
        "zmax": 255,
        "colorscale": [(share, f"rgba{(*rgb, alpha)}") for share, rgb, alpha in HEAT],
        "showscale": False,
        "opacity": view.opacity,
        "hoverinfo": "skip",
        "xaxis": under["xaxis"],
        "yaxis": under["yaxis"],
        **squares(small.step),
    }


def _targets(view: View, under: dict[str, Any], texts: Texts) -> dict[str, Any]:
    """Transparent markers over the overlay, since a heatmap reports no clicks; see `Panel.numbers`."""
    assert view.prediction.terms is not None, "arrays were dropped"
    grid = view.prediction.terms.grid
    gap = max(1, round(math.sqrt(grid.height_px * grid.width_px / _TARGETS)))
    places = np.mgrid[gap // 2 : grid.height_px : gap, gap // 2 : grid.width_px : gap]
    y, x = (each.ravel() for each in places)
    numbers = numbers_of(grid)[0][y, x]
    counts = grid.kept.ravel()[numbers]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x[counts],
        "y": y[counts],
        "customdata": numbers[counts, None],
        "marker": {"size": 15, "symbol": "square", "opacity": 0},
        "showlegend": False,
        "hovertemplate": f"{texts('why.click')}<extra></extra>",
        "xaxis": under["xaxis"],
        "yaxis": under["yaxis"],
    }


def _color_truth(traces: list[dict[str, Any]], small: Reduced) -> None:
    """Give the outline of what is known a colour of its own."""
    if small.true_mask is not None and small.true_mask.any():
        outline = next(trace for trace in traces if trace["type"] == "contour")
        outline["line"] = {**outline["line"], "color": _TRUE_COLOR, "width": 2}
