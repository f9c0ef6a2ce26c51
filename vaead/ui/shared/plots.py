"""Figures on a page: their size, their colours, and clicks on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import plotly.graph_objects as go
import streamlit as st

from vaead.calibration.thresholds import NormalScores
from vaead.plots.panels import Scale

_HEIGHTS = {
    2: "calc(200cqw + 160px)",
    3: "min(calc(67cqw + 100px), 540px)",
    4: "min(calc(62cqw + 22px), 935px, max(430px, 201vh - 1240px))",
}
"""Height of two images' panels by the number of columns. Four fit into the first screen of a laptop (570 px
of 900), and have 320 px each on a projector (930 px of 1080)."""
_FIRST_PX = {2: 876, 3: 540, 4: 569}
"""These heights on a phone of 390 px, and on a laptop, until the browser has the rule."""


def mean_scale(calibration: NormalScores, name: str, palette: str, title: str, column: int) -> Scale:
    """Colours of the mean maps of a score or term: fixed by held-out normal images, equal for all images."""
    low, high = calibration.color_range(name)
    return Scale(low, high, palette, title, columns=(column, column))


def show_chart(figure: go.Figure, key: str, alt: str) -> None:
    """Show a figure without tools, as wide as its column."""
    st.plotly_chart(figure, key=key, alt=alt, config={"displayModeBar": False})


def show_clickable(
    figure: go.Figure,
    key: str,
    alt: str,
    on_click: Callable[[int], None] | None = None,
    width: Literal["stretch", "content"] = "content",
) -> int | None:
    """Show a figure whose points can be clicked.

    Args:
        figure: The figure.
        key: Its key.
        alt: Alternative text.
        on_click: Called with the index of a point that was clicked, before the page is drawn again.
        width: As the figure says, or as its column.

    Returns:
        Index of the point that was clicked last, None without one.
    """

    def clicked() -> int | None:
        points = st.session_state[key].selection.points
        return int(points[0]["point_index"]) if points else None

    def take() -> None:
        index = clicked()
        if on_click is not None and index is not None:
            on_click(index)

    st.plotly_chart(
        figure,
        key=key,
        on_select=take,
        selection_mode="points",
        width=width,
        config={"displayModeBar": False},
        alt=alt,
    )
    return clicked()


def show_pair(
    figure: go.Figure,
    key: str,
    alt: str,
    columns: int = 4,
    on_click: Callable[[int], None] | None = None,
) -> None:
    """Show the panels of two images, as high as their width needs."""
    show_as_high(figure, key, alt, _HEIGHTS[columns], on_click, _FIRST_PX[columns])


def show_as_high(
    figure: go.Figure,
    key: str,
    alt: str,
    height: str,
    on_click: Callable[[int], None] | None = None,
    first_px: int | None = None,
) -> None:
    """Show a figure whose height follows its width.

    Args:
        figure: The figure.
        key: Key of the box around it; the figure's own ends in `_figure`.
        alt: Alternative text.
        height: CSS length; 100cqw is the width of the column, less than that of the page unless on a phone.
        on_click: Called with the number of what was clicked, see `vaead.plots.panels.Panel.numbers`.
        first_px: Height until the browser can follow `height`, for which it loads a script.
    """

    def take() -> None:
        points = st.session_state[f"{key}_figure"].selection.points
        if points and on_click is not None:
            # The browser sends an array as an object.
            on_click(int(points[0]["customdata"]["0"]))

    clickable: dict[str, Any] = {"on_select": take, "selection_mode": "points"} if on_click else {}
    # Streamlit lets boxes in a column grow or shrink to its own taste, unless they say no, and puts the first
    # height on a box around them, too. The class stands twice to be stronger than its own rule.
    style = (
        f".st-key-{key}_column {{ container-type: inline-size; }} "
        f"[data-testid=stLayoutWrapper]:has(> .st-key-{key}) {{ flex: none; height: auto; }} "
        f".st-key-{key}.st-key-{key} {{ flex: none; height: {height}; overflow: visible; }}"
    )
    with st.container(key=f"{key}_column"):
        # Read sooner than Markdown is, so that no figure is drawn in its first height before. A style alone
        # would leave the column, for a place that parts of a page which run alone overwrite.
        st.html(f"<style>{style}</style><i></i>")
        with st.container(key=key, height=first_px or "content", border=False):
            st.plotly_chart(
                figure,
                height="stretch",
                key=f"{key}_figure",
                alt=alt,
                config={
                    "displaylogo": False,
                    "displayModeBar": False if on_click else None,
                    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
                },
                **clickable,
            )
