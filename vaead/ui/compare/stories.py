"""Pairs worth a look: the lessons, and the three of the article."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from vaead.data.datasets import get_spec
from vaead.data.datasets.base import Split
from vaead.errors import VaeadError
from vaead.i18n.texts import Texts
from vaead.model.card import ModelCard
from vaead.model.store import ModelStore
from vaead.recipe import ClassSource, Recipe
from vaead.scoring.loss_terms import SCORES
from vaead.ui.compare import lessons
from vaead.ui.shared import sidebar
from vaead.ui.shared.cache import dataset_source
from vaead.ui.shared.controls import LESSONS, PAIRS, Story
from vaead.ui.shared.labels import class_name
from vaead.ui.shared.pairs import draw_pair, make_image
from vaead.ui.shared.pictures import data_url

_CARD_PX = 180
_GAP_PX = 4


def show(texts: Texts) -> None:
    """Show a card for each pair."""
    st.header(texts("stories.title"), anchor=False)
    with st.container(horizontal=True, key="stories", gap="small"):
        for name, story in LESSONS.items():
            _card(name, story, texts(f"stories.{name}_text"), partial(lessons.choose, name), texts)
        for pair in PAIRS:
            name, story = "{}_{}_{}".format(*pair), Story(*pair, pair=0)
            _card(name, story, _seen(*pair, texts), partial(sidebar.choose_story, story), texts)


def _card(name: str, story: Story, text: str, on_click: Callable[[], None], texts: Texts) -> None:
    with st.container(width=_CARD_PX, border=True, gap="xsmall"):
        dataset = dataset_source().load_soon(story.dataset)
        if dataset is not None:
            st.image(data_url(_side_by_side(story, dataset.test)), width=120, alt=_alt(story, texts))
        st.button(texts(f"stories.{name}"), key=name, type="tertiary", on_click=on_click)
        st.caption(text)


def _alt(story: Story, texts: Texts) -> str:
    """What the pictures of a pair show."""
    spec = get_spec(story.dataset)
    made = texts.get(f"instead.{story.instead.replace(' ', '_')}", "")
    names = class_name(texts, spec, story.normal), made or class_name(texts, spec, story.anomalous)
    return texts("stories.pictures", normal=names[0], anomalous=names[1])


def _seen(dataset: str, normal: int, anomalous: int, texts: Texts) -> str:
    """What the article has shown of a pair, and what the model here gives on all test images."""
    shown = texts(f"stories.{dataset}_{normal}_{anomalous}_text")
    recipe = Recipe.from_preset("article", ClassSource(dataset, normal))
    try:
        card: ModelCard = ModelStore().load_card(recipe)
    except VaeadError:
        return shown
    aurocs = {score: card.auroc.get(score, {}).get(str(anomalous)) for score in SCORES}
    if None in aurocs.values():
        return shown
    values = {score: f"{value:.2f}" for score, value in aurocs.items()}
    return f"{shown} {texts('stories.here', **values)}"


@st.cache_data(show_spinner=False)
def _side_by_side(story: Story, _test: Split) -> NDArray[np.uint8]:
    """Both images of a pair; the story names the dataset of the test images."""
    images = {"normal": _test.of_class(story.normal), "anomalous": _test.of_class(story.anomalous)}
    numbers = draw_pair(story.pair, {role: len(each) for role, each in images.items()})
    left, right = (images[role][number] for role, number in numbers.items())
    made = make_image(story.instead, left, story.pair)
    gap = np.full((len(left), _GAP_PX), 255, np.uint8)
    return np.hstack([left, gap, right if made is None else made])
