"""Images as tiles that can be clicked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from vaead.plots.panels import HIDDEN_AXIS

_TILE_PX = 42


def gallery(images: NDArray[np.uint8], columns: int, hover: str) -> go.Figure:
    """Draw images as tiles that can be clicked.

    Args:
        images: (N, H, W).
        columns: Tiles in a row.
        hover: Text of the hover box with the field {number}.

    Returns:
        A figure whose selected point has the number of the image as `customdata`.
    """
    count, height, width = images.shape
    rows = -(-count // columns)
    tiles = np.zeros((rows * columns, height, width), np.uint8)
    tiles[:count] = images
    sheet = tiles.reshape(rows, columns, height, width).swapaxes(1, 2).reshape(rows * height, columns * width)
    row, column = np.divmod(np.arange(count), columns)
    # A heatmap reports no clicks, so a transparent marker lies over each tile.
    markers = go.Scatter(
        x=(column + 0.5) * width - 0.5,
        y=(row + 0.5) * height - 0.5,
        customdata=np.arange(count),
        mode="markers",
        marker={"size": _TILE_PX - 4, "symbol": "square", "opacity": 0},
        hovertemplate=hover.format(number="%{customdata}") + "<extra></extra>",
    )
    picture = go.Heatmap(z=sheet, colorscale="Greys", reversescale=True, showscale=False, hoverinfo="skip")
    layout = {
        "xaxis": {**HIDDEN_AXIS, "range": (-0.5, columns * width - 0.5)},
        "yaxis": {**HIDDEN_AXIS, "range": (rows * height - 0.5, -0.5)},
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "width": _TILE_PX * columns,
        "height": _TILE_PX * rows,
        "dragmode": False,
    }
    return go.Figure([picture, markers], layout)


def tiles(images: NDArray[np.uint8], columns: int, hovers: Sequence[str]) -> go.Figure:
    """Draw images that can be clicked, each with a hover text of its own; see `gallery`."""
    figure = gallery(images, columns, hover="{number}")
    figure.update_traces(text=hovers, hovertemplate="%{text}<extra></extra>", selector={"type": "scatter"})
    return figure
