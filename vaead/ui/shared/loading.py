"""The dataset and the model of a page, or what stands in for them."""

from __future__ import annotations

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from vaead.data.datasets import Dataset, get_spec
from vaead.errors import DataUnavailableError, InvalidInputError, ModelFormatError, ModelNotFoundError
from vaead.i18n.texts import Texts
from vaead.i18n.training_warnings import training_warnings
from vaead.model.model import Model
from vaead.model.store import ModelStore
from vaead.recipe import Recipe
from vaead.ui.shared import training_panel
from vaead.ui.shared.cache import dataset_source, load_stored
from vaead.ui.shared.labels import class_name, option_label
from vaead.ui.shared.pictures import data_url

_THUMBNAILS = 6
_FALLBACK = "digits"


def load_dataset(name: str, texts: Texts) -> Dataset:
    """The dataset of that name, or the bundled digits where it cannot be had."""
    title = option_label("dataset", name, {}, texts)
    slot = st.empty()

    def on_progress(received: int, total: int) -> None:
        megabytes = {"received": f"{received / 1e6:.1f}", "total": f"{total / 1e6:.1f}"}
        slot.progress(min(received / max(total, 1), 1.0), texts("data.downloading", title=title, **megabytes))

    try:
        with st.spinner(texts("data.loading", title=title), show_time=False):
            dataset = dataset_source().load(name, on_progress)
        slot.empty()
        return dataset
    except (DataUnavailableError, InvalidInputError) as error:  # the second: a bad VAEAD_MIRROR
        with slot.container():
            st.warning(texts("data.fallback", title=title, reason=str(error)))
            st.button(texts("data.retry"), key="retry", on_click=dataset_source().retry, args=(name,))
        return dataset_source().load(_FALLBACK, on_progress)


def show_thumbnails(slot: DeltaGenerator, dataset: Dataset, number: int, texts: Texts) -> None:
    """Show a few test images of a class."""
    images = dataset.test.of_class(number)[:_THUMBNAILS]
    name = class_name(texts, get_spec(dataset.name), number)
    alt = texts("data.thumbnails", count=len(images), name=name)
    slot.image(data_url(np.hstack(list(images))), width="stretch", caption=name, alt=alt)


def load_model(recipe: Recipe, texts: Texts, live: training_panel.Live | None = None) -> Model | None:
    """The model of a recipe; where there is none, its training is offered in its place."""
    if recipe not in ModelStore():
        training_panel.panel(recipe, texts, live)
        return None
    try:
        model = load_stored(recipe)
    except (ModelFormatError, ModelNotFoundError) as error:  # the second: removed a moment ago
        st.error(str(error))
        training_panel.panel(recipe, texts, live)
        return None
    for fault in training_warnings(model.card.diagnostics, texts):
        st.warning(fault)
    return model
