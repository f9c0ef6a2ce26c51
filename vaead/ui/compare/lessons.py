"""Lessons: pairs that show one thing each, with two sentences about it. The address holds which one."""

from __future__ import annotations

import streamlit as st

from vaead.i18n.texts import Texts
from vaead.recipe import ClassSource, Recipe
from vaead.ui.shared import query_params, sidebar
from vaead.ui.shared.controls import LESSONS
from vaead.ui.shared.sidebar import Choice

_KEY = "lesson"
_TAKEN = "_lesson"


def take() -> None:
    """Set the controls as the lesson in the address says, when it is new there.

    Values that the address has beside it go before; `show` finds out whether its pair is shown at all.
    """
    name = st.query_params.get(_KEY)
    if name is None or st.session_state.get(_TAKEN) == name:
        return
    if name in LESSONS:
        choose(name)
        query_params.complete()
    else:
        query_params.refuse(_KEY, name)
        del st.query_params[_KEY]


def choose(name: str) -> None:
    """Set the controls to a lesson."""
    sidebar.choose_story(LESSONS[name])
    st.query_params[_KEY] = st.session_state[_TAKEN] = name


def show(choice: Choice, texts: Texts) -> None:
    """Show what the lesson says, as long as its pair is shown."""
    name, session = st.query_params.get(_KEY), st.session_state
    if name not in LESSONS:
        return
    story = LESSONS[name]
    recipe = Recipe.from_preset("article", ClassSource(story.dataset, story.normal))
    is_shown = (choice.recipe, choice.anomalous) == (recipe, story.anomalous)
    drawn = session.pair, session.instead, session.normal_image, session.anomalous_image
    if is_shown and drawn == (story.pair, story.instead, None, None):
        st.info(texts(f"lesson.{name}"), icon=":material/school:")
    else:
        del st.query_params[_KEY]
        session.pop(_TAKEN, None)
