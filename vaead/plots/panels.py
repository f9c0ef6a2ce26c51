"""Plotly figures from arrays. Text comes from the caller, so that figures know no language."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from vaead.plots.gauge import OUTLINE, Gauge
from vaead.plots.png import to_png

PALETTES = ("Blues", "Cividis", "Viridis")
"""Colour scales to choose from; the first is the tutorial's."""

Values = NDArray[np.floating] | NDArray[np.uint8]

Frame = tuple[float, float, float, float]
"""Top, left, height and width in pixels."""

HIDDEN_AXIS = {"visible": False, "showgrid": False, "zeroline": False}

_COLUMN_GAP = 0.02
_ROW_GAP = 0.1
"""Gaps between panels as shares of the figure; between rows it holds the titles of the lower row."""
_TITLE_PX = 28
_BAR_PX = 56
_GAUGE_SHARE = 0.062
"""Height below each picture that bar and number take, as a share of the figure."""
_SELECTED = "#d9730d"
_TARGET_PX = 2
"""Side in pixels of the squares that can be clicked: as many as a finger can tell apart."""


@dataclass(frozen=True)
class Scale:
    """A colour scale that several panels share.

    Attributes:
        low: Value of the first colour.
        high: Value of the last colour.
        palette: Name of a Plotly colour scale.
        title: Written at the colour bar, with the unit; without it there is no bar.
        reverse: True if the palette runs backwards.
        log: True if the colour follows the logarithm of the value; `low` must be above 0 then.
        columns: First and last column of panels the bar stands under.
    """

    low: float
    high: float
    palette: str
    title: str = ""
    reverse: bool = False
    log: bool = False
    columns: tuple[int, int] = (0, 0)

    def color(self, values: Values) -> Values:
        """Values in the unit of the colour axis, in as few bytes as their digits need."""
        if self.log:
            return np.log10(values, dtype=np.float32)
        return values if values.dtype == np.uint8 else values.astype(np.float32)


@dataclass(frozen=True)
class Panel:
    """One picture of a figure.

    Attributes:
        values: (H, W); or (H, W, 3), uint8 or 0 to 1, which is shown in its own colours.
        scale: Index of its colour scale.
        title: Written above it.
        unit: Written after the value on hover.
        outlined: (H, W), the pixels around which a line is drawn, if any.
        gauge: Drawn below it, if there is one.
        frames: Rectangles that are framed.
        numbers: (H, W), what is told when a visitor clicks at a pixel, if anything.
    """

    values: Values
    scale: int
    title: str
    unit: str = ""
    outlined: NDArray[np.bool_] | None = None
    gauge: Gauge | None = None
    frames: Sequence[Frame] = ()
    numbers: NDArray[np.integer] | None = None


def article_scale(maps: NDArray[np.floating]) -> NDArray[np.float32]:
    """Scale maps that are compared to 1..10 by their joint minimum and maximum.

    Args:
        maps: (N, H, W), all maps of one score in one figure.

    Source: the figures of the tutorial on arXiv:1807.05800.
    """
    low, high = float(maps.min()), float(maps.max())
    return np.asarray(1.0 + 9.0 * (maps - low) / (high - low if high > low else 1.0), dtype=np.float32)


def panels(
    rows: Sequence[Sequence[Panel]],
    scales: Sequence[Scale],
    hover: str,
    step: int = 1,
) -> go.Figure:
    """Draw rows of pictures of one size, whose zoom is linked.

    Where panels can be clicked there is no zoom: a finger that scrolls would move the pictures.

    Args:
        rows: Panels by row, all rows equally long.
        scales: The colour scales the panels refer to.
        hover: Text of the hover box with the fields {x}, {y} and {value}.
        step: Each value stands for a square of so many pixels a side. Axes and hover are in pixels.
    """
    columns = len(rows[0])
    flat = [panel for row in rows for panel in row]
    gauges = {index: panel.gauge for index, panel in enumerate(flat) if panel.gauge is not None}
    titles = [_title(panel.title, index) for index, panel in enumerate(flat)]
    notes = [gauge.note_text(_title(gauge.note, index)) for index, gauge in gauges.items()]
    layout: dict[str, Any] = {
        "annotations": [*titles, *notes],
        "shapes": [
            *(shape for index, gauge in gauges.items() for shape in gauge.shapes(_domain(index))),
            *(_frame(frame, index) for index, panel in enumerate(flat) for frame in panel.frames),
        ],
        "margin": {
            "l": 0,
            "r": 0,
            "t": _TITLE_PX,
            "b": _BAR_PX if any(scale.title for scale in scales) else 0,
        },
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "dragmode": False if any(panel.numbers is not None for panel in flat) else "zoom",
    }
    for index in range(len(flat)):
        row, column = divmod(index, columns)
        # Titles and bars are as high with more rows, in a figure that is higher.
        top, bottom = _cell(row, len(rows), _ROW_GAP * min(1, 2 / len(rows)))
        below = _GAUGE_SHARE * 2 / len(rows) if gauges else 0
        size_px = tuple(step * length for length in flat[index].values.shape[:2])
        layout |= _axes(index, (top, bottom - below), _cell(column, columns, _COLUMN_GAP), size_px)
    for index, scale in enumerate(scales):
        layout[f"coloraxis{_suffix(index)}"] = _color_axis(scale, columns)
    # The middle of a square may lie between two pixels.
    fields = {axis: f"%{{{axis}:.0f}}" if step > 1 else f"%{{{axis}}}" for axis in "xy"}
    # A second array would double what is sent, so only where the colour is not the value itself.
    hovers = [hover.format(value=f"%{{{'customdata' if s.log else 'z'}:.3g}}", **fields) for s in scales]
    heatmaps = [
        (_colored if panel.values.ndim == 3 else _heatmap)(
            panel, scales[panel.scale], hovers[panel.scale], index
        )
        | squares(step)
        for index, panel in enumerate(flat)
    ]
    outlines = [
        _outline(panel.outlined, index, step)
        for index, panel in enumerate(flat)
        if panel.outlined is not None and panel.outlined.any()
    ]
    targets = [_targets(panel, index, hover) for index, panel in enumerate(flat) if panel.numbers is not None]
    # Made whole, in one call: each change of a Plotly figure afterwards costs milliseconds.
    return go.Figure([*heatmaps, *outlines, *targets], layout)


def squares(step: int) -> dict[str, Any]:
    """Key of the values in a trace of `panels`.

    >>> squares(2)
    {'x0': 0.5, 'dx': 2, 'y0': 0.5, 'dy': 2}
    """
    return {} if step == 1 else {"x0": (step - 1) / 2, "dx": step, "y0": (step - 1) / 2, "dy": step}


def _heatmap(panel: Panel, scale: Scale, hover: str, index: int) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "z": scale.color(panel.values),
        **({"customdata": panel.values} if scale.log else {}),
        "coloraxis": f"coloraxis{_suffix(panel.scale)}",
        "xaxis": f"x{_suffix(index)}",
        "yaxis": f"y{_suffix(index)}",
        "hovertemplate": f"{hover} {panel.unit}<extra>{panel.title}</extra>",
    }


def _colored(panel: Panel, _scale: Scale, _hover: str, index: int) -> dict[str, Any]:
    values = panel.values
    of_255 = values if values.dtype == np.uint8 else np.round(255 * np.clip(values, 0, 1))
    pixels = of_255.astype(np.uint8)
    source = f"data:image/png;base64,{base64.b64encode(to_png(pixels)).decode()}"
    axes = {"xaxis": f"x{_suffix(index)}", "yaxis": f"y{_suffix(index)}"}
    return {"type": "image", "source": source, "hoverinfo": "skip", **axes}


def _outline(pixels: NDArray[np.bool_], index: int, step: int) -> dict[str, Any]:
    # A rim of False closes lines that would run along the border of the image.
    rimmed = np.pad(pixels.astype(np.uint8), 1)
    rows, columns = (
        step * (np.clip(np.arange(-1, length - 1, dtype=np.float32), -0.5, length - 2.5) + 0.5) - 0.5
        for length in rimmed.shape
    )
    return {
        "type": "contour",
        "z": rimmed,
        "x": columns,
        "y": rows,
        "contours": {"start": 0.5, "end": 0.5, "size": 1, "coloring": "none"},
        "line": {"color": OUTLINE, "width": 1.5, "smoothing": 0},
        "showscale": False,
        "showlegend": False,
        "hoverinfo": "skip",
        "xaxis": f"x{_suffix(index)}",
        "yaxis": f"y{_suffix(index)}",
    }


def _targets(panel: Panel, index: int, hover: str) -> dict[str, Any]:
    """Transparent markers, since a heatmap reports no clicks; their hover is that of the pixel below."""
    assert panel.numbers is not None
    height, width = panel.values.shape
    y, x = (each.ravel() for each in np.mgrid[0:height:_TARGET_PX, 0:width:_TARGET_PX])
    fields = {"x": "%{customdata[3]}", "y": "%{customdata[2]}", "value": "%{customdata[1]:.3g}"}
    return {
        "type": "scatter",
        "mode": "markers",
        "x": np.minimum(x + (_TARGET_PX - 1) / 2, width - 1, dtype=np.float32),
        "y": np.minimum(y + (_TARGET_PX - 1) / 2, height - 1, dtype=np.float32),
        # In half the bytes; numbers of windows are far below 2^24.
        "customdata": np.stack([panel.numbers[y, x], panel.values[y, x], y, x], axis=1, dtype=np.float32),
        # All answer to the pointer, but one is drawn: hundreds of them would be most of the work of a figure.
        "marker": {"size": 15, "symbol": "square", "opacity": 0, "maxdisplayed": 1},
        "xaxis": f"x{_suffix(index)}",
        "yaxis": f"y{_suffix(index)}",
        "showlegend": False,
        "hovertemplate": f"{hover.format(**fields)} {panel.unit}<extra>{panel.title}</extra>",
    }


def _frame(frame: Frame, index: int) -> dict[str, Any]:
    top, left, height, width = frame
    return {
        "type": "rect",
        "xref": f"x{_suffix(index)}",
        "yref": f"y{_suffix(index)}",
        "x0": left - 0.5,
        "x1": left + width - 0.5,
        "y0": top - 0.5,
        "y1": top + height - 0.5,
        "line": {"color": _SELECTED, "width": 2.5},
    }


def _suffix(index: int) -> str:
    return "" if index == 0 else str(index + 1)


def _cell(index: int, count: int, gap: float) -> tuple[float, float]:
    """Range of cell `index` of `count` on a side of the figure, 0 to 1."""
    size = (1 - gap * (count - 1)) / count
    start = index * (size + gap)
    return start, min(start + size, 1.0)


def _axes(
    index: int, row: tuple[float, float], column: tuple[float, float], size_px: tuple[int, ...]
) -> dict[str, Any]:
    height, width = size_px
    x = {
        **HIDDEN_AXIS,
        "domain": column,
        "constrain": "domain",
        "anchor": f"y{_suffix(index)}",
        "range": (-0.5, width - 0.5),
    }
    y = {
        **HIDDEN_AXIS,
        "domain": (1 - row[1], 1 - row[0]),
        "constrain": "domain",
        "anchor": f"x{_suffix(index)}",
        "scaleanchor": f"x{_suffix(index)}",
        "range": (height - 0.5, -0.5),
    }
    if index > 0:
        x["matches"], y["matches"] = "x", "y"
    return {f"xaxis{_suffix(index)}": x, f"yaxis{_suffix(index)}": y}


def _domain(index: int) -> dict[str, str]:
    """Places are shares of a panel, from its lower left corner."""
    return {"xref": f"x{_suffix(index)} domain", "yref": f"y{_suffix(index)} domain"}


def _title(text: str, index: int) -> dict[str, Any]:
    return {
        "text": text,
        **_domain(index),
        "x": 0.5,
        "y": 1.0,
        "xanchor": "center",
        "yanchor": "bottom",
        "showarrow": False,
    }


def _color_axis(scale: Scale, columns: int) -> dict[str, Any]:
    low, high = (float(edge) for edge in scale.color(np.array([scale.low, scale.high])))
    axis: dict[str, Any] = {
        "cmin": low,
        "cmax": high,
        "colorscale": scale.palette,
        "reversescale": scale.reverse,
        "showscale": bool(scale.title),
    }
    if scale.title:
        left, right = (_cell(scale.columns[i], columns, _COLUMN_GAP)[i] for i in (0, 1))
        axis["colorbar"] = {
            "orientation": "h",
            "title": {"text": scale.title, "side": "bottom"},
            "x": (left + right) / 2,
            "len": (right - left) * 0.94,
            "y": 0,
            "yanchor": "top",
            "thickness": 10,
            "nticks": 4,
            "tickangle": 0,  # on a phone, Plotly would rather turn the numbers than leave some out
            # Thousands are written as 1k: on a phone, -2000 and -1000 would touch.
            "minexponent": 2 if max(abs(low), abs(high)) >= 1000 else 3,
            "outlinewidth": 0,
        }
        if scale.log:
            ticks = [tick for tick in (1, 2, 5, 10) if scale.low <= tick <= scale.high]
            axis["colorbar"] |= {"tickvals": np.log10(ticks), "ticktext": [str(tick) for tick in ticks]}
    return axis
