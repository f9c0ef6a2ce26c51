"""Figure of two scores over pairs of classes, one dot a pair. Text comes from the caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from vaead.plots.charts import ANOMALOUS_COLOR, NORMAL_COLOR, Axes


@dataclass(frozen=True)
class PairDots:
    """Pairs of classes of one dataset.

    Attributes:
        name: Name of the dataset.
        x: AUROC of one score for each pair, (n,).
        y: AUROC of the other.
        hovers: Texts of the hover boxes.
        first: Number that a click on the first dot tells; the others follow.
    """

    name: str
    x: NDArray[np.floating]
    y: NDArray[np.floating]
    hovers: Sequence[str]
    first: int


def pair_dots(datasets: Sequence[PairDots], axes: Axes) -> go.Figure:
    """Draw up to two datasets; above the diagonal the score of the y axis is better."""
    dots = [
        go.Scatter(
            **{"x": each.x, "y": each.y, "text": each.hovers, "name": each.name, "mode": "markers"},
            customdata=each.first + np.arange(len(each.x))[:, None],
            marker={"color": color, "symbol": symbol, "size": 11, "opacity": 0.65},
            hovertemplate="%{text}<extra></extra>",
        )
        for each, color, symbol in zip(
            datasets, (NORMAL_COLOR, ANOMALOUS_COLOR), ("circle", "diamond"), strict=False
        )
    ]
    equal = {"type": "line", "x0": 0, "y0": 0, "x1": 1, "y1": 1, "layer": "below"}
    side = {"range": (-0.03, 1.03), "dtick": 0.25, "zeroline": False}
    layout = {
        "xaxis": {"title": axes.x, **side},
        "yaxis": {"title": axes.y, **side},
        "shapes": [equal | {"line": {"color": "#888888", "width": 1, "dash": "dot"}}],
        "margin": {"l": 0, "r": 0, "t": 8, "b": 0},
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0},
        "dragmode": False,
        "hovermode": "closest",
    }
    return go.Figure(dots, layout)
