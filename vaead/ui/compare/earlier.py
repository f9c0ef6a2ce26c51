"""The comparison shown last, which stays, dimmed, while the model for the next one is missing or trained."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st

from vaead.i18n.texts import Texts
from vaead.ui.shared.plots import show_pair

_KEY = "_earlier"


@dataclass(frozen=True)
class Earlier:
    """A comparison: its figure, the number of columns, what it shows in words, and the name of its model."""

    figure: go.Figure
    columns: int
    alt: str
    model: str


def remember(shown: Earlier) -> None:
    """Keep what is shown, for the visitor of this page."""
    st.session_state[_KEY] = shown


def show(texts: Texts) -> None:
    """Show the comparison shown last; nothing if there was none."""
    earlier: Earlier | None = st.session_state.get(_KEY)
    if earlier is None:
        return
    st.caption(texts("earlier.caption", model=earlier.model))
    st.html("<style>.st-key-earlier_column { opacity: 0.45; }</style>")
    show_pair(earlier.figure, "earlier", earlier.alt, earlier.columns)
