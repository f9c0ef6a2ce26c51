"""The page Compare: one normal and one anomalous image side by side, with their maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from vaead.data.datasets import Dataset
from vaead.i18n.texts import Texts
from vaead.model.model import Model
from vaead.model.normal_windows import quantities
from vaead.scoring.loss_terms import SCORES
from vaead.scoring.patches import PatchGrid
from vaead.ui.compare import (
    canvas,
    details,
    earlier,
    figure,
    inspector,
    kept,
    latent,
    lessons,
    live,
    pair_controls,
    stories,
)
from vaead.ui.shared import loading, query_params, sidebar
from vaead.ui.shared.phone import is_phone
from vaead.ui.shared.plots import show_pair
from vaead.ui.shared.sidebar import Choice
from vaead.ui.shared.widgets import window_number
from vaead.ui.shared.windows import Window, normal_windows, numbers_of

_BOARD = (1, 3)
"""Widths of the canvas and of the maps beside it."""


def show(texts: Texts) -> None:
    """Show the controls and the comparison."""
    with st.sidebar:
        choice, slots = sidebar.choose_view(texts)
    notices = st.container()
    _show_choice(choice, slots, texts)
    stories.show(texts)
    # Last, when controls have compared themselves with the images.
    with notices:
        query_params.show_notices(texts)


def _show_choice(choice: Choice, slots: Sequence[DeltaGenerator], texts: Texts) -> None:
    """Show the comparison, or the training of its model."""
    dataset = loading.load_dataset(choice.recipe.class_source.dataset, texts)
    choice = replace(choice, recipe=choice.recipe.with_dataset(dataset.name))
    for slot, label in zip(slots, (choice.recipe.class_source.normal, choice.anomalous), strict=True):
        loading.show_thumbnails(slot, dataset, label, texts)
    images = partial(pair_controls.current_images, choice, dataset)
    model = loading.load_model(choice.recipe, texts, live.live(images, choice.recipe, choice.palette, texts))
    if model is None:
        _question(choice, dataset, texts)
        earlier.show(texts)
    else:
        _comparison(choice, dataset, model, texts)


def _question(choice: Choice, dataset: Dataset, texts: Texts) -> None:
    """What the page is about, and what the three scores are."""
    st.title(texts("compare.question", **pair_controls.names_of(choice, dataset, texts)), anchor=False)
    with st.container(key="definitions"):
        for column, score in zip(st.columns(len(SCORES), gap="small"), SCORES, strict=True):
            column.markdown(
                f":small[{texts(f'definition.{score}')}]", help=texts(f"definition.{score}_formula")
            )


@query_params.fragment
def _comparison(choice: Choice, dataset: Dataset, model: Model, texts: Texts) -> None:
    """The question, the pair and its maps. A fragment, so that another pair redraws nothing else."""
    _question(choice, dataset, texts)
    chosen = pair_controls.choose(choice, dataset, texts)
    if chosen.edited is None:
        _pair(chosen, choice, dataset, model, texts)
        return
    board, maps = st.columns(_BOARD, gap="medium")
    with board:
        chosen.images[1] = canvas.show(chosen.images[1].copy(), chosen.edited, texts)
    with maps:
        _pair(chosen, choice, dataset, model, texts)


def _pair(
    chosen: pair_controls.ChosenPair, choice: Choice, dataset: Dataset, model: Model, texts: Texts
) -> None:
    """The maps of a pair, and what there is to learn from them."""
    terms, calibration = model.term_maps(chosen.images), model.card.normal_scores
    pair, grid = figure.Pair(chosen.images, terms, chosen.names), terms.grid

    lessons.show(choice, texts)
    verdict = figure.verdict(terms, texts)
    with st.container(key="verdict"):
        st.markdown(verdict)
    picked = _picked_window(grid)
    scan = model.networks[0].scorer.scan(chosen.images)
    found = quantities(model, scan)
    window = Window.hottest(found) if picked is None else picked
    columns = 2 if is_phone() else 4
    drawn = figure.comparison(
        *(pair, calibration, choice, chosen.view, texts),
        numbers=numbers_of(grid),
        frames=[[window.frame(grid)] if window.image == index else [] for index in range(2)],
        columns=columns,
    )
    alt = texts("compare.alt", verdict=verdict.replace("**", ""), **chosen.names)
    show_pair(drawn, "comparison", alt, columns, _pick_window)
    earlier.remember(earlier.Earlier(drawn, columns, alt, choice.recipe.path.name))
    st.markdown(figure.decision(terms, calibration, choice, texts))
    rank = figure.rank(terms, calibration, texts)
    st.caption(texts("compare.caption", rank=rank, shown=chosen.shown))
    kept.show(pair, choice, model, chosen.view, texts)
    normal = normal_windows(model, dataset)
    with _window_place(picked is not None, texts):
        inspector.show(window, picked is not None, pair, found, model, normal, choice.palette, texts)
        window_number(2 * grid.shape[0] * grid.shape[1], texts)
    with st.expander(texts("latent.title"), key="plane", on_change="rerun") as plane:
        if plane.open:
            st.markdown(texts("latent.text"))
            latent.show(pair, scan.z_mean, normal, window.number(grid), _pick_window, texts)
    with st.expander(texts("details.more"), key="more", on_change="rerun") as more:
        if more.open:
            details.show(pair, model, choice.palette, texts)
    live.look_back(choice.recipe, choice.palette, texts)


def _window_place(picked: bool, texts: Texts) -> DeltaGenerator:
    """Where a window is shown; on a phone folded away until one is picked."""
    if is_phone():
        return st.expander(texts("inspector.title"), expanded=picked)
    st.header(texts("inspector.title"), anchor=False)
    return st.container()


def _picked_window(grid: PatchGrid) -> Window | None:
    """The window of the last click or of the link; its control stands further down."""
    asked = query_params.values()["window"]
    exists = asked is not None and asked < 2 * grid.shape[0] * grid.shape[1]
    return Window.of_number(asked, grid) if exists else None


def _pick_window(number: int) -> None:
    query_params.change(window=number)
