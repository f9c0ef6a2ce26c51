"""Figures on a page: their size, their colours, and clicks on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import plotly.graph_objects as go
import streamlit as st

from vaead.calibration.thresholds import NormalScores
from vaead.plots.panels import Scale


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
    take: Callable[[dict[str, Any]], None],
    width: Literal["stretch", "content"] = "content",
) -> None:
    """Show a figure that calls `take` with the point that was clicked."""

    def on_select() -> None:
        points = st.session_state[key].selection.points
        if points:
            take(points[0])

    st.plotly_chart(
        figure,
        key=key,
        on_select=on_select,
        selection_mode="points",
        width=width,
        config={"displayModeBar": False},
        alt=alt,
    )


def show_pair(figure: go.Figure, key: str, alt: str, columns: int = 4) -> None:
    """Show two rows of square panels, as high as their width needs on a wide screen and on a phone."""
    show_as_high(figure, key, alt, f"min(calc({200 / columns:.0f}cqw + 100px), 540px)")


def show_as_high(figure: go.Figure, key: str, alt: str, height: str) -> None:
    """Show a figure whose height follows its width.

    Args:
        figure: The figure.
        key: Key of the box around it; the figure's own ends in `_figure`.
        alt: Alternative text.
        height: CSS length; 100cqw is the width of the column, less than that of the page unless on a phone.
    """
    # Streamlit lets boxes in a column grow or shrink to its own taste, unless they say no.
    st.html(
        f"<style>.st-key-{key}_column {{ container-type: inline-size; }} "
        f".st-key-{key} {{ flex: none; height: {height}; }}</style>"
    )
    with st.container(key=f"{key}_column"), st.container(key=key):
        st.plotly_chart(
            figure,
            height="stretch",
            key=f"{key}_figure",
            alt=alt,
            config={"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]},
        )
