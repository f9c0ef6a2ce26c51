"""The frame of a step: heading, text, formula, and room for its control and its figure."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from vaead.i18n.texts import Texts

STEPS = ("crops", "plane", "terms", "complexity", "map", "calibration", "blank", "wins")
"""Names of all parts of the page, which are their anchors in the address, too."""
_LESSONS = {"complexity": "complex", "calibration": "calibration", "blank": "blank", "wins": "new"}
"""Lesson of the page Compare that shows what a step tells."""
HISTOGRAM_PX = 240
"""Height of histograms of which three stand side by side, or below each other on a phone."""


def section(name: str, formula: str, texts: Texts, **values: object) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Show heading, text and formula of a step.

    Args:
        name: One of `STEPS`.
        formula: LaTeX.
        texts: The language.
        values: What is filled into its text.

    Returns:
        Places of its control and of its figure.
    """
    st.header(texts(f"method.{name}_title"), anchor=name)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.markdown(texts(f"method.{name}_text", **values))
        # Above the control, which lies next to its figure on a phone.
        with st.popover(texts("method.formula"), icon=":material/function:", type="tertiary"):
            st.latex(formula)
        control = st.container()
        if name in _LESSONS:
            lesson = _LESSONS[name]
            title = texts("method.lesson", title=texts(f"stories.{lesson}"))
            st.markdown(f"[{title}](./?lesson={lesson}&lang={texts.language})")
        return control, right
