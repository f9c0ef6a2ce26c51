"""Figure of what is known of one window against the ranges of normal ones. Text comes from the caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from vaead.plots.charts import ANOMALOUS_COLOR, NORMAL_COLOR

_ROW_PX = 34
_EDGE = 0.82
"""Where on the bar the end of both ranges lies; what is beyond nears 1."""

_THINNEST = 0.008


@dataclass(frozen=True)
class WindowBar:
    """One quantity of a window.

    Attributes:
        name: Its name.
        anywhere: Range of nearly all normal windows.
        here: Range of nearly all normal windows at the same place.
        value: That of the window.
        note: Written beside the bar.
    """

    name: str
    anywhere: tuple[float, float]
    here: tuple[float, float]
    value: float
    note: str

    def position(self, value: float) -> float:
        """Place of a value on the bar, 0 to 1.

        >>> bar = WindowBar("M", (0, 10), (2, 4), 3, "")
        >>> [round(bar.position(value), 2) for value in (-99, 0, 5, 10, 20, 1e6)]
        [0.0, 0.0, 0.41, 0.82, 0.91, 1.0]
        """
        low, high = min(self.anywhere[0], self.here[0]), max(self.anywhere[1], self.here[1])
        share = (value - low) / max(high - low, 1e-9)
        return max(0.0, _EDGE * share) if share <= 1 else 1 - (1 - _EDGE) / share


def window_bars(rows: Sequence[WindowBar]) -> go.Figure:
    """Draw one bar a quantity, the first on top: light anywhere, dark at the place, a mark at the value."""
    count = len(rows)
    shapes = []
    for number, row in enumerate(rows):
        height = count - 1 - number
        shapes.append(_bar(0, 1, height, 0.06))
        for opacity, (low, high) in ((0.2, row.anywhere), (0.45, row.here)):
            shapes.append(
                _bar(row.position(low), max(row.position(high), row.position(low) + 0.008), height, opacity)
            )
    marks = go.Scatter(
        x=[row.position(row.value) for row in rows],
        y=list(range(count - 1, -1, -1)),
        text=[row.note for row in rows],
        mode="markers",
        marker={"size": 13, "color": ANOMALOUS_COLOR, "symbol": "diamond"},
        hovertemplate="%{text}<extra></extra>",
    )
    notes = [
        {
            "text": row.note,
            "xref": "paper",
            "x": 1.0,
            "y": count - 1 - number,
            "xanchor": "right",
            "yanchor": "middle",
            "showarrow": False,
            "font": {"size": 12},
        }
        for number, row in enumerate(rows)
    ]
    layout: dict[str, Any] = {
        "shapes": shapes,
        "annotations": notes,
        "xaxis": {"visible": False, "range": (-0.02, 1.02), "domain": (0, 0.6), "fixedrange": True},
        "yaxis": {
            "tickvals": list(range(count)),
            "ticktext": [row.name for row in reversed(rows)],
            "range": (-0.6, count - 0.4),
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        "height": _ROW_PX * count + 10,
        "margin": {"l": 0, "r": 0, "t": 4, "b": 4},
        "dragmode": False,
        "showlegend": False,
    }
    return go.Figure([marks], layout)


def _bar(left: float, right: float, height: int, opacity: float) -> dict[str, Any]:
    return {
        "type": "rect",
        "x0": left,
        "x1": right,
        "y0": height - 0.3,
        "y1": height + 0.3,
        "fillcolor": NORMAL_COLOR,
        "opacity": opacity,
        "line": {"width": 0},
        "layer": "below",
    }
