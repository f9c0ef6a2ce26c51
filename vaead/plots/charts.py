"""Plotly figures of an evaluation, from arrays. Text comes from the caller, as in `vaead.plots.panels`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

NORMAL_COLOR = "#2f78c4"
ANOMALOUS_COLOR = "#d9730d"

_BEYOND = 2.0
"""How far the axis of a histogram with ticks reaches beyond the threshold, in lengths up to there."""
_BINS = 60
_SHOWN = 0.995
"""Fraction of the scores inside a histogram's axis; the few beyond would squeeze the rest into one bar."""
_CELL_PX = 44
_CELL_TEXT_PX = 10
"""As large as fits ten columns on a phone; left alone, Plotly would take half of that there."""
_COLORS = ((0.0, "#e8896b"), (0.5, "#f7f7f7"), (1.0, "#6aa5dd"))
"""Palette of a matrix; dark numbers can be read on all of it."""
_MARGIN: dict[str, Any] = {"l": 0, "r": 0, "t": 8, "b": 0}
_NAME_PX, _AROUND_PX = 18, 100
"""Height of the name of a threshold, and of all that lies around the bars of a histogram."""
_CLEAR = "rgba(0,0,0,0)"


@dataclass(frozen=True)
class Axes:
    """Texts at the axes of a figure."""

    x: str
    y: str


def roc_curves(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], axes: Axes) -> go.Figure:
    """Draw ROC curves and the diagonal of a score that says nothing.

    Args:
        curves: By name, false-alarm rates and recalls, each from 0 to 1.
        axes: Titles of the two.
    """
    chance = go.Scatter(
        x=(0, 1),
        y=(0, 1),
        mode="lines",
        line={"color": "#888888", "dash": "dot", "width": 1},
        hoverinfo="skip",
        showlegend=False,
    )
    lines = [
        go.Scatter(
            x=np.round(x, 4),
            y=np.round(y, 4),
            name=name,
            mode="lines",
            hovertemplate=f"{axes.x} %{{x:.3f}}<br>{axes.y} %{{y:.3f}}",
        )
        for name, (x, y) in curves.items()
    ]
    side = {"range": (-0.01, 1.01), "dtick": 0.25, "zeroline": False}
    layout = {
        "xaxis": {"title": axes.x, "constrain": "domain", **side},
        "yaxis": {"title": axes.y, "scaleanchor": "x", "constrain": "domain", **side},
        "height": 360,
        "margin": _MARGIN,
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0},
        "dragmode": False,
    }
    return go.Figure([*lines, chance], layout)


def histogram(
    sides: Mapping[str, NDArray[np.floating]],
    threshold: float,
    threshold_name: str,
    axes: Axes,
    ticks: Mapping[str, NDArray[np.floating]] | None = None,
    height_px: int = 320,
) -> go.Figure:
    """Draw one or two histograms of scores, such as those of normal and anomalous images, and a threshold.

    Args:
        sides: Scores by the name of the side, normal first.
        threshold: Drawn as a line; the axis always reaches it.
        threshold_name: Written at the line.
        axes: Titles; y is the share of a side's images.
        ticks: Scores of single images by the name of what they are, drawn as ticks on the axis. It reaches
            beyond the threshold then, to the highest of them or, if that is far, to where arrows stand for
            the rest.
        height_px: Height of the whole figure.
    """
    both = np.concatenate(list(sides.values())).astype(np.float64)
    low, high = _span(both, threshold)
    if ticks:
        most = max(float(scores.max()) for scores in ticks.values())
        high = max(high, min(most, threshold + _BEYOND * (threshold - low)))
    edges = np.linspace(low, high, _BINS + 1)
    middle, width = (edges[1:] + edges[:-1]) / 2, float(edges[1] - edges[0])
    bars = []
    for (name, scores), color in zip(sides.items(), (NORMAL_COLOR, ANOMALOUS_COLOR), strict=False):
        # Scores beyond the axis are counted in the last bar of their side.
        counts, _ = np.histogram(np.clip(scores.astype(np.float64), edges[0], edges[-1]), edges)
        bars.append(
            go.Bar(
                x=middle,
                y=100 * counts / len(scores),
                width=width,
                name=name,
                customdata=counts,
                marker={"color": color, "line": {"width": 0}},
                opacity=0.6,
                hovertemplate=f"{axes.x} %{{x:.3g}}: %{{customdata}} (%{{y:.3g}} %)",
            )
        )
    marks = [_ticks(name, scores, edges, axes.x) for name, scores in (ticks or {}).items()]
    layout = {
        "barmode": "overlay",
        "xaxis": {"title": axes.x, "range": (edges[0] - width, edges[-1] + width)},
        "yaxis": {"title": axes.y, "ticksuffix": " %"},
        "shapes": [_line(threshold)],
        "annotations": [_line_name(threshold, threshold_name, late=threshold > edges[_BINS // 2])],
        "height": height_px,
        "margin": {**_MARGIN, "t": 24},
        # Above the name of the threshold.
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1 + _NAME_PX / (height_px - _AROUND_PX)},
        "dragmode": False,
    }
    return go.Figure([*bars, *marks], layout)


def _ticks(name: str, scores: NDArray[np.floating], edges: NDArray[np.float64], title: str) -> go.Scatter:
    """Ticks on the axis of a histogram; arrows at its end for scores beyond it."""
    beyond = scores > edges[-1]
    return go.Scatter(
        x=np.clip(scores.astype(np.float64), edges[0], edges[-1]),
        y=np.zeros(len(scores)),
        customdata=scores,
        mode="markers",
        marker={
            "symbol": np.where(beyond, "triangle-right", "line-ns-open"),
            "size": np.where(beyond, 10, 14),
            "color": ANOMALOUS_COLOR,
            "line": {"width": 1.5},
        },
        name=name,
        hovertemplate=f"{title} %{{customdata:.3g}}",
    )


def _span(scores: NDArray[np.float64], threshold: float) -> tuple[float, float]:
    """First and last value of a histogram's axis."""
    low, high = np.quantile(scores, (1 - _SHOWN, _SHOWN))
    low, high = min(float(low), threshold), max(float(high), threshold)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _line(threshold: float) -> dict[str, Any]:
    return {
        "type": "line",
        "x0": threshold,
        "x1": threshold,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": {"color": "#d0342c", "width": 2},
    }


def _line_name(threshold: float, name: str, *, late: bool) -> dict[str, Any]:
    return {
        "x": threshold,
        "y": 1,
        "yref": "paper",
        "text": name,
        "showarrow": False,
        "xanchor": "right" if late else "left",
        "yanchor": "bottom",
    }


@dataclass(frozen=True)
class MatrixScale:
    """The colours of a matrix: from `low` over white at `middle` to `high`."""

    low: float
    middle: float
    high: float


AUROC_SCALE = MatrixScale(0.0, 0.5, 1.0)
"""White at chance, so that a score that ranks the wrong way has a colour of its own."""


def difference_scale(values: NDArray[np.floating]) -> MatrixScale:
    """Colours of differences, as far below 0 as above; NaN does not count."""
    known = np.abs(values[np.isfinite(values)])
    size = float(known.max()) if known.size and known.max() > 0 else 1.0
    return MatrixScale(-size, 0.0, size)


def matrix(
    values: NDArray[np.floating], names: Sequence[str], scale: MatrixScale, axes: Axes, hover: str
) -> go.Figure:
    """Draw a square matrix whose cells can be clicked.

    Args:
        values: (n, n), rows normal and columns anomalous; NaN where there is nothing.
        names: Names of the n classes.
        scale: Colours.
        axes: Titles; x of the anomalous classes, y of the normal ones.
        hover: Text of the hover box with the fields {normal}, {anomalous} and {value}.

    Returns:
        A figure whose points are the cells that hold a number, row by row.
    """
    ticks = list(range(len(names)))
    sign = "+" if scale.middle == 0 else ""
    rows, columns = np.nonzero(np.isfinite(values))
    # Adding 0 to what is rounded makes -0.00 a plain 0.00.
    rounded = np.round(values, 2) + 0.0
    text = [[f"{value:{sign}.2f}" if np.isfinite(value) else "" for value in row] for row in rounded]
    picture = go.Heatmap(
        z=[[float(value) if np.isfinite(value) else None for value in row] for row in values],
        text=text,
        texttemplate="%{text}",
        zmin=scale.low,
        zmid=scale.middle,
        zmax=scale.high,
        colorscale=_COLORS,
        textfont={"color": "#0f1720", "size": _CELL_TEXT_PX},
        showscale=False,
        hoverinfo="skip",
        hoverongaps=False,
        xgap=1,
        ygap=1,
    )
    # A heatmap reports no clicks, so a transparent marker lies over each cell.
    markers = go.Scatter(
        x=columns,
        y=rows,
        text=[
            hover.format(normal=names[row], anomalous=names[column], value=f"{values[row, column]:{sign}.3f}")
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        ],
        mode="markers",
        marker={"size": _CELL_PX - 10, "symbol": "square", "opacity": 0},
        hovertemplate="%{text}<extra></extra>",
    )
    # On a phone, every pixel beside the names is one less for the cells.
    side = {"tickvals": ticks, "ticktext": list(names), "ticks": "", "showgrid": False, "zeroline": False}
    layout = {
        "xaxis": {"title": axes.x, "side": "top", "range": (-0.5, len(names) - 0.5), **side},
        "yaxis": {"title": axes.y, "range": (len(names) - 0.5, -0.5), "automargin": True, **side},
        "height": _CELL_PX * len(names) + 90,
        "margin": _MARGIN,
        "plot_bgcolor": _CLEAR,
        "dragmode": False,
    }
    return go.Figure([picture, markers], layout)


def curves(series: Mapping[str, Sequence[float]], x_title: str, y_title: str) -> go.Figure:
    """Draw one line a series over 1, 2, 3, ..."""
    lines = [
        go.Scatter(x=list(range(1, len(values) + 1)), y=list(values), name=name, mode="lines+markers")
        for name, values in series.items()
    ]
    layout = {
        "xaxis": {"title": x_title, "dtick": max(1, len(next(iter(series.values()))) // 10)},
        "yaxis": {"title": y_title},
        "height": 280,
        "margin": _MARGIN,
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0},
        "hovermode": "x unified",
    }
    return go.Figure(lines, layout)
