"""Figure of the scores of two images against the range of normal ones. Text comes from the caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from vaead.plots.charts import ANOMALOUS_COLOR, NORMAL_COLOR


@dataclass(frozen=True)
class ScoreBand:
    """Scores of two images against the range of normal ones.

    Attributes:
        name: Name of the score.
        band: Quantiles 1 %, 25 %, 50 %, 75 % and 99 % of held-out normal images.
        values: Scores of the normal and the anomalous image.
    """

    name: str
    band: tuple[float, float, float, float, float]
    values: tuple[float, float]


def score_bands(rows: Sequence[ScoreBand], sides: Sequence[str], title: str) -> go.Figure:
    """Draw one row a score: a band where normal images lie, and the two images as points.

    Scores have different units, so in each row 0 is the 1 % point of normal images and 1 their 99 % point.

    Args:
        rows: From the bottom up.
        sides: Names of the normal and the anomalous image.
        title: Title of the axis.
    """
    shapes, scaled = [], []
    for height, row in enumerate(rows):
        low, high = row.band[0], row.band[-1]
        width = (high - low) or 1.0
        at = [(value - low) / width for value in row.band]
        for left, right, opacity in ((at[0], at[4], 0.18), (at[1], at[3], 0.3), (at[2], at[2], 1.0)):
            shapes.append(_bar(left, right, height, opacity))
        scaled.append([(value - low) / width for value in row.values])
    points = [
        go.Scatter(
            x=[values[index] for values in scaled],
            y=list(range(len(rows))),
            customdata=[row.values[index] for row in rows],
            name=name,
            mode="markers",
            marker={"size": 13, "color": color, "symbol": symbol, "line": {"width": 1, "color": "white"}},
            hovertemplate="%{customdata:.3g}",
        )
        for index, (name, color, symbol) in enumerate(
            zip(sides, (NORMAL_COLOR, ANOMALOUS_COLOR), ("circle", "diamond"), strict=True)
        )
    ]
    names = {"tickvals": list(range(len(rows))), "ticktext": [row.name for row in rows]}
    layout = {
        "shapes": shapes,
        "xaxis": {"title": title, "zeroline": False},
        "yaxis": {**names, "range": (-0.6, len(rows) - 0.4), "showgrid": False, "zeroline": False},
        "height": 60 * len(rows) + 90,
        "margin": {"l": 0, "r": 0, "t": 8, "b": 0},
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0},
        "dragmode": False,
    }
    return go.Figure(points, layout)


def _bar(left: float, right: float, height: int, opacity: float) -> dict[str, Any]:
    return {
        "type": "rect",
        "x0": left,
        "x1": right,
        "y0": height - 0.28,
        "y1": height + 0.28,
        "fillcolor": NORMAL_COLOR,
        "opacity": opacity,
        "line": {"width": 2 if left == right else 0, "color": NORMAL_COLOR},
        "layer": "below",
    }
