"""Figure of the plane of z: what the decoder makes there, normal windows, and those of two images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from vaead.plots.charts import ANOMALOUS_COLOR, NORMAL_COLOR

_CHOSEN = "#e4572e"


@dataclass(frozen=True)
class PlaneGrid:
    """Small pictures side by side, each at its place in the plane.

    Attributes:
        sheet: The pictures, (H, W), in [0, 1]; the lowest row of pictures first.
        low: Smallest x and y of the plane.
        high: Largest x and y.
    """

    sheet: NDArray[np.float32]
    low: tuple[float, float]
    high: tuple[float, float]


@dataclass(frozen=True)
class PlanePoints:
    """Windows of one image in the plane.

    Attributes:
        name: Name of the image.
        z: (n, 2).
        numbers: What a click tells, (n,).
    """

    name: str
    z: NDArray[np.float32]
    numbers: NDArray[np.integer]


def latent_plane(
    grid: PlaneGrid,
    normal: NDArray[np.float32],
    images: Sequence[PlanePoints],
    chosen: int,
    axes: tuple[str, str],
    normal_name: str,
) -> go.Figure:
    """Draw the plane.

    Args:
        grid: What the decoder makes.
        normal: z of normal windows, (n, 2).
        images: Windows of up to two images, the normal one first.
        chosen: Number of the window that is marked.
        axes: Titles of the axes.
        normal_name: Name of the contours.
    """
    (left, bottom), (right, top) = grid.low, grid.high
    rows, columns = grid.sheet.shape
    x_step, y_step = (right - left) / columns, (top - bottom) / rows
    traces: list[Any] = [
        go.Heatmap(
            z=grid.sheet,
            **{"x0": left + x_step / 2, "dx": x_step, "y0": bottom + y_step / 2, "dy": y_step},
            **{"zmin": 0, "zmax": 1, "colorscale": "Greys", "reversescale": True},
            showscale=False,
            opacity=0.55,
            hoverinfo="skip",
        ),
        go.Histogram2dContour(
            **{"x": normal[:, 0], "y": normal[:, 1], "ncontours": 8, "name": normal_name},
            contours={"coloring": "none"},
            line={"color": NORMAL_COLOR, "width": 1.5},
            hoverinfo="skip",
            showlegend=True,
        ),
    ]
    for each, color, symbol in zip(
        images, (NORMAL_COLOR, ANOMALOUS_COLOR), ("circle", "diamond"), strict=False
    ):
        is_chosen = each.numbers == chosen
        line = {"width": np.where(is_chosen, 3, 1), "color": np.where(is_chosen, _CHOSEN, "white")}
        traces.append(
            go.Scatter(
                **{"x": each.z[:, 0], "y": each.z[:, 1], "mode": "markers", "name": each.name},
                customdata=each.numbers[:, None],
                marker={"color": color, "symbol": symbol, "size": np.where(is_chosen, 16, 9), "line": line},
                hovertemplate="%{x:.2f}, %{y:.2f}<extra>" + each.name + "</extra>",
            )
        )
    layout = {
        "xaxis": {"title": axes[0], "range": (left, right), "showgrid": False, "zeroline": False},
        "yaxis": {"title": axes[1], "range": (bottom, top), "showgrid": False, "zeroline": False},
        "margin": {"l": 0, "r": 0, "t": 8, "b": 0},
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0},
        "dragmode": False,
    }
    return go.Figure(traces, layout)


def add_handle(
    figure: go.Figure, at: tuple[float, float], nearest: tuple[float, float], places: NDArray[np.floating]
) -> None:
    """Draw a handle over a plane, a line to the window that lies nearest, and places to click.

    Args:
        figure: From `latent_plane`.
        at: Place of the handle.
        nearest: Place of the window.
        places: (n, 2); a click tells the number of one.
    """
    figure.add_traces(
        [
            go.Scatter(
                **{"x": (at[0], nearest[0]), "y": (at[1], nearest[1]), "mode": "lines+markers"},
                line={"color": _CHOSEN, "width": 2},
                marker={"color": _CHOSEN, "size": (18, 8), "symbol": ("cross-thin", "circle")}
                | {"line": {"width": (4, 1), "color": (_CHOSEN, "white")}},
                **{"hoverinfo": "skip", "showlegend": False},
            ),
            go.Scatter(
                **{"x": places[:, 0], "y": places[:, 1], "mode": "markers", "showlegend": False},
                customdata=np.arange(len(places))[:, None],
                marker={"size": 22, "symbol": "square", "opacity": 0},
                hovertemplate="%{x:.2f}, %{y:.2f}<extra></extra>",
            ),
        ]
    )
