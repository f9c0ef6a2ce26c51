"""Lessons: pairs that show one thing each, with two sentences about it."""

from __future__ import annotations

import streamlit as st

from vaead.i18n.texts import Texts
from vaead.recipe import ClassSource, Recipe
from vaead.ui.shared import sidebar
from vaead.ui.shared.controls import LESSONS
from vaead.ui.shared.query_params import change, values
from vaead.ui.shared.sidebar import Choice


def choose(name: str) -> None:
    """Set the controls to a lesson."""
    sidebar.choose_story(LESSONS[name])
    change(lesson=name)


def show(choice: Choice, texts: Texts) -> None:
    """Show what the lesson says, as long as its pair is shown."""
    name = values()["lesson"]
    if name is None:
        return
    story = LESSONS[name]
    recipe = Recipe.from_preset("article", ClassSource(story.dataset, story.normal))
    is_shown = (choice.recipe, choice.anomalous) == (recipe, story.anomalous)
    drawn = tuple(values()[key] for key in ("pair", "instead", "normal_image", "anomalous_image"))
    if is_shown and drawn == (story.pair, story.instead, None, None):
        st.info(texts(f"lesson.{name}"), icon=":material/school:")
    else:
        change(lesson=None)
