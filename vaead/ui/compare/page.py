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
from vaead.scoring.loss_terms import SCORES
from vaead.scoring.patches import PatchGrid
from vaead.ui.compare import details, figure, inspector, stories
from vaead.ui.compare.stories import draw_pair
from vaead.ui.shared import loading, query_params, sidebar
from vaead.ui.shared.cache import gallery
from vaead.ui.shared.phone import is_phone
from vaead.ui.shared.plots import show_clickable, show_pair
from vaead.ui.shared.sidebar import Choice
from vaead.ui.shared.widgets import image_number, number, segments, window_number


def show(texts: Texts) -> None:
    """Show the controls and the comparison."""
    with st.sidebar:
        choice, slots = sidebar.choose_view(texts)
    notices = st.container()
    _show_choice(choice, slots, texts)
    stories.show(texts)
    # Last, when every control has compared itself with the link.
    with notices:
        query_params.show_notices(texts)


def _show_choice(choice: Choice, slots: Sequence[DeltaGenerator], texts: Texts) -> None:
    """Show the comparison, or the training of its model."""
    dataset = loading.load_dataset(choice.recipe.class_source.dataset, texts)
    choice = replace(choice, recipe=choice.recipe.with_dataset(dataset.name))
    for slot, label in zip(slots, (choice.recipe.class_source.normal, choice.anomalous), strict=True):
        loading.show_thumbnails(slot, dataset, label, texts)
    _question(choice, dataset, texts)
    model = loading.load_model(choice.recipe, texts)
    if model is not None:
        _comparison(choice, dataset, model, texts)


def _question(choice: Choice, dataset: Dataset, texts: Texts) -> None:
    """What the page is about, and what the three scores are."""
    spec = get_spec(dataset.name)
    classes = {"normal": choice.recipe.class_source.normal, "anomalous": choice.anomalous}
    names = {role: sidebar.class_name(texts, spec, label) for role, label in classes.items()}
    st.title(texts("compare.question", **names), anchor=False)
    for column, score in zip(st.columns(len(SCORES), gap="small"), SCORES, strict=True):
        column.markdown(texts(f"definition.{score}"), help=texts(f"definition.{score}_formula"))


@st.fragment
def _comparison(choice: Choice, dataset: Dataset, model: Model, texts: Texts) -> None:
    """The pair and its maps. A fragment, so that another pair redraws nothing else."""
    classes = {"normal": choice.recipe.class_source.normal, "anomalous": choice.anomalous}
    numbers, view = _pair_controls(dataset, classes, texts)
    spec = get_spec(dataset.name)
    images = np.stack([dataset.test.of_class(classes[role])[number] for role, number in numbers.items()])
    names = {role: sidebar.class_name(texts, spec, label) for role, label in classes.items()}
    pair, calibration = figure.Pair(images, model.term_maps(images), names), model.card.normal_scores

    verdict = figure.verdict(pair.terms, texts)
    st.markdown(verdict)
    picked = _picked_window(pair.terms.grid)
    window = inspector.Window.hottest(model, pair) if picked is None else picked
    frames = [window.frame(pair.terms.grid) if window.image == index else None for index in range(2)]
    columns = 2 if is_phone() else 4
    drawn = figure.comparison(
        *(pair, calibration, choice, view, texts),
        numbers=inspector.numbers_of(pair.terms.grid),
        frames=frames,
        columns=columns,
    )
    alt = texts("compare.alt", verdict=verdict.replace("**", ""), **names)
    show_pair(drawn, "comparison", alt, columns, _pick_window)
    st.markdown(figure.decision(pair.terms, calibration, choice, texts))
    rank = figure.rank(pair.terms, calibration, texts)
    shown = {f"{role}_number": number for role, number in numbers.items()}
    st.caption(texts("compare.caption", rank=rank, **names, **shown))
    inspector.show(window, pair, model, dataset, choice.palette, texts)
    window_number(2 * pair.terms.grid.shape[0] * pair.terms.grid.shape[1], texts)
    with st.expander(texts("details.more"), key="more", on_change="rerun") as more:
        if more.open:
            details.show(pair, model, choice.palette, texts)


def _picked_window(grid: PatchGrid) -> inspector.Window | None:
    """The window of the last click or of the link; its control stands further down."""
    asked = st.session_state.get("window", st.query_params.get("window"))
    try:
        return None if asked is None else inspector.Window.of_number(int(asked), grid)
    except ValueError:  # a link may hold anything
        return None


def _pick_window(number: int) -> None:
    st.session_state.window = number


def _pair_controls(dataset: Dataset, classes: dict[str, int], texts: Texts) -> tuple[dict[str, int], str]:
    """Draw, seed, gallery and view.

    Args:
        dataset: The dataset.
        classes: The class of each role.
        texts: The language.

    Returns:
        The number of the image of each role in its class, and how maps are drawn.
    """
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
        view = segments("view", texts)
    numbers = draw_pair(seed, counts)
    return numbers | {role: chosen for role, chosen in picked.items() if chosen is not None}, view


def _draw() -> None:
    st.session_state.pair = random.randrange(1_000_000)
    sidebar.forget_images()


def _gallery(role: str, images: go.Figure, texts: Texts) -> None:
    key = f"{role}_image"

    def take(index: int) -> None:
        st.session_state[key] = index

    show_clickable(images, f"{key}_gallery", texts(f"control.{role}_image"), take)
