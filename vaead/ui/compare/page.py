"""The page Compare: one normal and one anomalous image side by side, with their maps."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from vaead.data.datasets import Dataset, get_spec
from vaead.i18n.texts import Texts
from vaead.model.model import Model
from vaead.ui.compare import details, figure
from vaead.ui.shared import loading, query_params, sidebar
from vaead.ui.shared.cache import gallery
from vaead.ui.shared.controls import PAIRS
from vaead.ui.shared.plots import show_clickable, show_pair
from vaead.ui.shared.sidebar import Choice
from vaead.ui.shared.widgets import image_number, number


def show(texts: Texts) -> None:
    """Show the controls and the comparison."""
    with st.sidebar:
        choice, slots = sidebar.choose_view(texts)
    _pair_buttons(texts)
    notices = st.container()
    _show_choice(choice, slots, texts)
    # Last, when every control has compared itself with the link.
    with notices:
        query_params.show_notices(texts)


def _show_choice(choice: Choice, slots: Sequence[DeltaGenerator], texts: Texts) -> None:
    """Show the comparison, or the training of its model."""
    dataset = loading.load_dataset(choice.recipe.class_source.dataset, texts)
    choice = replace(choice, recipe=choice.recipe.with_dataset(dataset.name))
    for slot, label in zip(slots, (choice.recipe.class_source.normal, choice.anomalous), strict=True):
        loading.show_thumbnails(slot, dataset, label, texts)
    model = loading.load_model(choice.recipe, texts)
    if model is not None:
        _comparison(choice, dataset, model, texts)


def _pair_buttons(texts: Texts) -> None:
    with st.container(horizontal=True, key="pairs"):
        for dataset, normal, anomalous in PAIRS:
            name = f"{dataset}_{normal}_{anomalous}"
            st.button(
                texts(f"pairs.{name}"),
                key=name,
                type="tertiary",
                help=texts("pairs.help"),
                on_click=sidebar.choose_article_pair,
                args=(dataset, normal, anomalous),
            )


@st.fragment
def _comparison(choice: Choice, dataset: Dataset, model: Model, texts: Texts) -> None:
    """The pair and its maps. A fragment, so that another pair redraws nothing else."""
    classes = {"normal": choice.recipe.class_source.normal, "anomalous": choice.anomalous}
    numbers = _pair_controls(dataset, classes, texts)
    spec = get_spec(dataset.name)
    images = np.stack([dataset.test.of_class(classes[role])[number] for role, number in numbers.items()])
    names = {role: sidebar.class_name(texts, spec, label) for role, label in classes.items()}
    pair, calibration = figure.Pair(images, model.term_maps(images), names), model.card.normal_scores

    verdict = figure.verdict(pair.terms, texts)
    st.markdown(verdict)
    drawn = figure.comparison(pair, calibration, choice, texts)
    show_pair(drawn, "comparison", texts("compare.alt", verdict=verdict.replace("**", ""), **names))
    st.markdown(figure.decision(pair.terms, calibration, choice, texts))
    rank = figure.rank(pair.terms, calibration, texts)
    shown = {f"{role}_number": number for role, number in numbers.items()}
    st.caption(texts("compare.caption", rank=rank, **names, **shown))
    details.show(pair, model, choice.palette, texts)


def _pair_controls(dataset: Dataset, classes: dict[str, int], texts: Texts) -> dict[str, int]:
    """Draw, seed and gallery; takes the class of each role and returns the number of the image in it."""
    counts = {role: int(np.count_nonzero(dataset.test.labels == label)) for role, label in classes.items()}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.button(texts("compare.draw"), key="draw", type="primary", icon=":material/casino:", on_click=_draw)
        with st.container(width=140):
            seed = number("pair", texts)
        # Tracked, because galleries of a closed box would only keep a visitor waiting.
        box = st.popover(
            texts("compare.pick"), icon=":material/photo_library:", key="pick", on_change="rerun"
        )
        with box:
            picked = {}
            for role, label in classes.items():
                picked[role] = image_number(f"{role}_image", counts[role], texts)
                if box.open:
                    _gallery(role, gallery(dataset, label, texts("compare.gallery_hover")), texts)
    drawn = np.random.default_rng(seed)
    numbers = {role: int(drawn.integers(count)) for role, count in counts.items()}
    return numbers | {role: chosen for role, chosen in picked.items() if chosen is not None}


def _draw() -> None:
    st.session_state.pair = random.randrange(1_000_000)
    sidebar.forget_images()


def _gallery(role: str, images: go.Figure, texts: Texts) -> None:
    key = f"{role}_image"

    def take(index: int) -> None:
        st.session_state[key] = index

    show_clickable(images, f"{key}_gallery", texts(f"control.{role}_image"), take)
