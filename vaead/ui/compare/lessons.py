"""Lessons: pairs that show one thing each, with two sentences about it."""

from __future__ import annotations

import streamlit as st

from vaead.i18n.texts import Texts
from vaead.ui.shared import sidebar
from vaead.ui.shared.controls import LESSONS
from vaead.ui.shared.query_params import change, values
from vaead.ui.shared.sidebar import Choice


def choose(name: str) -> None:
    """Set the controls to a lesson."""
    sidebar.choose_story(LESSONS[name])
    change(lesson=name)


def show(choice: Choice, texts: Texts) -> None:
    """Show what the lesson says, unless another dataset stands in for that of its pair."""
    name = values()["lesson"]
    if name is not None and choice.recipe.class_source.dataset == LESSONS[name].dataset:
        st.info(texts(f"lesson.{name}"), icon=":material/school:")
