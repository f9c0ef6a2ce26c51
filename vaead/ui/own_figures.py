"""The figure of one image of the visitor: the image, an overlay, the mask and the maps of the scores."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from PIL import Image

from vaead.figures import PALETTES, Panel, Scale, panels
from vaead.maps import TermMaps
from vaead.overlays import HEAT
from vaead.terms import SCORES
from vaead.ui import pictures
from vaead.ui.own_scoring import Results
from vaead.ui.texts import Texts

_IMAGE, _MASK = 0, 1
_TRUE_COLOR = "#1f9e89"
_COLUMNS = 3
_HEIGHT_SHARE = 76.0
"""Height of two rows of three square panels with what is between them, in per cent of their width."""
_MARGINS_PX = 84
_TALLEST_PX = 760


@dataclass(frozen=True)
class View:
    """What is shown of one image.

    Attributes:
        pixels: (H, W), or (H, W, 3) in colours, 0 to 1.
        terms: What the model says.
        score: The score of overlay and mask.
        mask: (H, W), what that score points at.
        true_mask: (H, W), what is known to be anomalous, if anything is.
        opacity: Of the overlay, 0 to 1.
    """

    pixels: NDArray[np.float32]
    terms: TermMaps
    score: str
    mask: NDArray[np.bool_]
    true_mask: NDArray[np.bool_] | None
    opacity: float


def draw(view: View, results: Results, texts: Texts) -> go.Figure:
    """Draw all panels as one figure, so that they zoom together."""
    grey = view.pixels if view.pixels.ndim == 2 else view.pixels.mean(axis=2)
    of_255 = texts("compare.of_255")
    shown = texts(f"score.{view.score}")
    rows = [
        [
            Panel(255 * grey, _IMAGE, texts("own.image"), of_255, view.true_mask),
            Panel(255 * grey, _IMAGE, texts("own.overlay", score=shown), of_255, view.mask),
            Panel(view.mask.astype(np.float32), _MASK, texts("own.mask"), "", view.mask),
        ],
        [_map(view.terms, score, index, texts) for index, score in enumerate(SCORES, start=_MASK + 1)],
    ]
    scales = [Scale(0, 255, "Greys", reverse=True), Scale(-0.2, 1.4, "Greys")]
    scales += [_map_scale(results, score, column, texts) for column, score in enumerate(SCORES)]
    figure: dict[str, Any] = panels(rows, scales, texts("compare.hover")).to_plotly_json()
    traces = list(figure["data"])
    for axis in (value for name, value in figure["layout"].items() if name.startswith("coloraxis")):
        if "colorbar" in axis:
            axis["colorbar"] = {**axis["colorbar"], "nticks": 3}  # more do not fit on a phone
    _color_truth(traces, view)
    if view.pixels.ndim == 3:
        traces[0], traces[1] = (_colored(traces[index], view.pixels) for index in (0, 1))
    # Above the images, below the outlines.
    traces.insert(len(SCORES) + _COLUMNS, _heat(view, results, traces[1]))
    return go.Figure(traces, figure["layout"])


def number(value: float) -> str:
    """Three digits, but no power of ten where a reader would rather have the number.

    >>> number(1043.2), number(0.12345), number(2.2), number(300)
    ('1,043', '0.123', '2.20', '300')
    """
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else f"{value:#.3g}".rstrip(".")


def percent(share: float) -> str:
    r"""A share in percent, with a space at which no line breaks.

    >>> percent(0.05)
    '5\xa0%'
    """
    return f"{100 * share:g}\u00a0%"


def show(figure: go.Figure, shape: tuple[int, int], alt: str) -> None:
    """Show the figure as high as images of this shape need on a wide screen and on a phone."""
    share = _HEIGHT_SHARE * shape[0] / shape[1]
    height = f"min(calc({share:.1f}cqw + {_MARGINS_PX}px), {_TALLEST_PX}px)"
    pictures.show_as_high(figure, "own_maps", alt, height)


def _map(terms: TermMaps, score: str, scale: int, texts: Texts) -> Panel:
    name = texts(f"score.{score}")
    unit = "" if score == "calibrated" else texts("compare.nats")
    if score not in terms.scores:
        blank = np.full((terms.grid.height_px, terms.grid.width_px), np.nan, np.float32)
        return Panel(blank, scale, texts("own.no_score", score=name))
    value = number(float(terms.image_scores(score)[0]))
    title = texts("compare.score_title", score=name, value=value)
    return Panel(terms.mean_maps(score)[0], scale, title, unit)


def _map_scale(results: Results, score: str, column: int, texts: Texts) -> Scale:
    name = texts(f"score.{score}")
    title = name if score == "calibrated" else texts("compare.bar_score", score=name)
    return pictures.mean_scale(results.calibration, score, PALETTES[0], title, column)


def _heat(view: View, results: Results, under: dict[str, Any]) -> dict[str, Any]:
    """The map of the chosen score over the second panel, whose axes it shares."""
    low, high = results.calibration.heat_range(view.score)
    return {
        "type": "heatmap",
        "z": view.terms.mean_maps(view.score)[0],
        "zmin": low,
        "zmax": high,
        "colorscale": [(share, f"rgba{(*rgb, alpha)}") for share, rgb, alpha in HEAT],
        "showscale": False,
        "opacity": view.opacity,
        "hoverinfo": "skip",
        "xaxis": under["xaxis"],
        "yaxis": under["yaxis"],
    }


def _colored(trace: dict[str, Any], pixels: NDArray[np.float32]) -> dict[str, Any]:
    """The same panel as a picture in colours."""
    buffer = io.BytesIO()
    Image.fromarray(np.round(255 * pixels).astype(np.uint8)).save(buffer, "PNG")
    source = base64.b64encode(buffer.getvalue()).decode()
    axes = {"xaxis": trace["xaxis"], "yaxis": trace["yaxis"]}
    return {"type": "image", "source": f"data:image/png;base64,{source}", "hoverinfo": "skip", **axes}


def _color_truth(traces: list[dict[str, Any]], view: View) -> None:
    """Give the outline of what is known a colour of its own."""
    if view.true_mask is not None and view.true_mask.any():
        outline = next(trace for trace in traces if trace["type"] == "contour")
        outline["line"] = {**outline["line"], "color": _TRUE_COLOR, "width": 2}
