"""The page Compare: one normal and one anomalous image side by side, with their maps."""

from __future__ import annotations

import random

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from vaead.datasets import Dataset, get_spec
from vaead.errors import DataUnavailableError, InvalidInputError, ModelFormatError, ModelNotFoundError
from vaead.store import Model, ModelStore
from vaead.ui import details, pictures, state, training
from vaead.ui.resources import dataset_source, gallery, load_stored
from vaead.ui.state import Choice
from vaead.ui.texts import Texts

_THUMBNAILS = 6
_FALLBACK = "digits"


def page(texts: Texts) -> None:
    """Show the controls and the comparison."""
    with st.sidebar:
        choice, *places = state.sidebar(texts)
    _pair_buttons(texts)
    notices = st.container()
    _show_choice(choice, places, texts)
    # Last, when every control has compared itself with the link.
    with notices:
        state.show_link_notices(texts)


def _show_choice(choice: Choice, places: list[DeltaGenerator], texts: Texts) -> None:
    """Show the comparison, or the training of its model."""
    choice, dataset = _load(choice, texts)
    for place, number in zip(places, (choice.recipe.normal, choice.anomalous), strict=True):
        _thumbnails(place, dataset, number, texts)
    if choice.recipe not in ModelStore():
        training.panel(choice.recipe, texts)
        return
    try:
        model = load_stored(choice.recipe)
    except (ModelFormatError, ModelNotFoundError) as error:  # the second: removed a moment ago
        st.error(str(error))
        training.panel(choice.recipe, texts)
        return
    for fault in model.card.health.faults:
        health = model.card.health
        explained = f"{100 * health.explained_variance:.2g} %"
        st.warning(texts(f"health.{fault}", explained=explained, error=f"{health.error_per_pixel:.3g}"))
    _comparison(choice, dataset, model, texts)


def _pair_buttons(texts: Texts) -> None:
    with st.container(horizontal=True, key="pairs"):
        for dataset, normal, anomalous in state.PAIRS:
            name = f"{dataset}_{normal}_{anomalous}"
            st.button(
                texts(f"pairs.{name}"),
                key=name,
                type="tertiary",
                help=texts("pairs.help"),
                on_click=state.choose_article_pair,
                args=(dataset, normal, anomalous),
            )


def _load(choice: Choice, texts: Texts) -> tuple[Choice, Dataset]:
    """The dataset of a choice, or the bundled digits where it cannot be had."""
    name = choice.recipe.dataset
    title = get_spec(name).title
    place = st.empty()

    def on_progress(received: int, total: int) -> None:
        megabytes = {"received": f"{received / 1e6:.1f}", "total": f"{total / 1e6:.1f}"}
        place.progress(
            min(received / max(total, 1), 1.0), texts("data.downloading", title=title, **megabytes)
        )

    try:
        with st.spinner(texts("data.loading", title=title), show_time=False):
            dataset = dataset_source().load(name, on_progress)
        place.empty()
        return choice, dataset
    except (DataUnavailableError, InvalidInputError) as error:  # the second: a bad VAEAD_MIRROR
        with place.container():
            st.warning(texts("data.fallback", title=title, reason=str(error)))
            st.button(texts("data.retry"), key="retry", on_click=dataset_source().retry, args=(name,))
        return state.with_dataset(choice, _FALLBACK), dataset_source().load(_FALLBACK, on_progress)


def _thumbnails(place: DeltaGenerator, dataset: Dataset, number: int, texts: Texts) -> None:
    images = dataset.test_images(number)[:_THUMBNAILS]
    name = state.class_name(texts, get_spec(dataset.name), number)
    place.image(np.hstack(list(images)), width="stretch", caption=name, alt=name)


@st.fragment
def _comparison(choice: Choice, dataset: Dataset, model: Model, texts: Texts) -> None:
    """The pair and its maps. A fragment, so that another pair redraws nothing else."""
    classes = {"normal": choice.recipe.normal, "anomalous": choice.anomalous}
    numbers = _pair_controls(dataset, classes, texts)
    pair = np.stack([dataset.test_images(classes[role])[number] for role, number in numbers.items()])
    names = {
        role: state.class_name(texts, get_spec(dataset.name), number) for role, number in classes.items()
    }
    terms = model.term_maps(pair)

    verdict = pictures.verdict(terms, texts)
    st.markdown(verdict)
    figure = pictures.comparison(pair, terms, names, model.card.calibration, choice, texts)
    pictures.show(figure, "comparison", texts("compare.alt", verdict=verdict.replace("**", ""), **names))
    st.caption(
        texts(
            "compare.caption",
            rank=pictures.rank(terms, model.card.calibration, texts),
            **names,
            **{f"{role}_number": number for role, number in numbers.items()},
        )
    )
    details.show(pair, terms, model, choice, names, texts)


def _pair_controls(dataset: Dataset, classes: dict[str, int], texts: Texts) -> dict[str, int]:
    """Draw, seed and gallery; takes the class of each role and returns the number of the image in it."""
    counts = {role: int(np.count_nonzero(dataset.y_test == number)) for role, number in classes.items()}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.button(texts("compare.draw"), key="draw", type="primary", icon=":material/casino:", on_click=_draw)
        with st.container(width=140):
            seed = state.whole_number(
                texts("compare.draw_seed"), "pair", 0, 999_999, 0, help=texts("compare.draw_seed_help")
            )
        with st.popover(texts("compare.pick"), icon=":material/photo_library:"):
            picked = {}
            for role, number in classes.items():
                picked[role] = state.image_number(
                    texts(f"compare.pick_{role}"), f"{role}_image", counts[role], texts
                )
                _gallery(role, gallery(dataset, number, texts("compare.gallery_hover")), texts)
    drawn = np.random.default_rng(seed)
    numbers = {role: int(drawn.integers(count)) for role, count in counts.items()}
    return numbers | {role: number for role, number in picked.items() if number is not None}


def _draw() -> None:
    st.session_state.pair = random.randrange(1_000_000)
    state.forget_images()


def _gallery(role: str, figure: go.Figure, texts: Texts) -> None:
    key = f"{role}_image"

    def take() -> None:
        points = st.session_state[f"{key}_gallery"].selection.points
        if points:
            st.session_state[key] = int(points[0]["customdata"])

    st.plotly_chart(
        figure,
        key=f"{key}_gallery",
        on_select=take,
        selection_mode="points",
        width="content",
        config={"displayModeBar": False},
        alt=texts(f"compare.pick_{role}"),
    )
