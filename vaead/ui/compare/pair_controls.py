"""The controls of the pair: seed, galleries, what stands in for the second image, how maps are drawn."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from vaead.data.datasets import Dataset, get_spec
from vaead.i18n.texts import Texts
from vaead.ui.shared import query_params, sidebar
from vaead.ui.shared.cache import gallery
from vaead.ui.shared.controls import EDITED, INSTEAD
from vaead.ui.shared.labels import class_name
from vaead.ui.shared.pairs import draw_pair, make_image
from vaead.ui.shared.plots import show_clickable
from vaead.ui.shared.sidebar import Choice
from vaead.ui.shared.widgets import image_number, number, segments, select


@dataclass(frozen=True)
class ChosenPair:
    """A pair of images.

    Attributes:
        images: (2, H, W), the normal one first.
        names: Name of each by role, "normal" first.
        shown: Sentence about where they come from.
        view: How maps are drawn, one of `vaead.ui.shared.controls.VIEWS`.
        edited: The same for the same test image if the visitor edits it, else None.
    """

    images: NDArray[np.uint8]
    names: dict[str, str]
    shown: str
    view: str
    edited: str | None


def names_of(choice: Choice, dataset: Dataset, texts: Texts) -> dict[str, str]:
    """Name of each image by role: its class, or what stands in for it."""
    names = {
        role: class_name(texts, get_spec(dataset.name), label) for role, label in _classes(choice).items()
    }
    made_name = texts.get(f"instead.{query_params.values()['instead'].replace(' ', '_')}", "")
    return names | ({"anomalous": made_name} if made_name else {})


def _classes(choice: Choice) -> dict[str, int]:
    return {"normal": choice.recipe.class_source.normal, "anomalous": choice.anomalous}


def _counts(choice: Choice, dataset: Dataset) -> dict[str, int]:
    labels = dataset.test.labels
    return {role: int(np.count_nonzero(labels == label)) for role, label in _classes(choice).items()}


def current_images(choice: Choice, dataset: Dataset) -> NDArray[np.uint8]:
    """The test images (2, H, W) that the address asks for, where the controls of the pair are not shown."""
    counts, chosen, classes = _counts(choice, dataset), query_params.values(), _classes(choice)
    numbers = draw_pair(chosen["pair"], counts)
    for role, count in counts.items():
        asked = chosen[f"{role}_image"]
        if asked is not None and asked < count:
            numbers[role] = asked
    return np.stack([dataset.test.of_class(classes[role])[each] for role, each in numbers.items()])


def choose(choice: Choice, dataset: Dataset, texts: Texts) -> ChosenPair:
    """Show the controls, and return the pair."""
    classes, counts = _classes(choice), _counts(choice, dataset)
    with st.container(key="pair_controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.button(texts("compare.draw"), key="draw", type="primary", icon=":material/casino:", on_click=_draw)
        with st.container(width=120):
            seed = number("pair", texts)
        picked = _pick(dataset, classes, counts, texts)
        with st.container(width=130):
            made = select("instead", texts)
        view = segments("view", texts)
    numbers = draw_pair(seed, counts) | {role: each for role, each in picked.items() if each is not None}
    normal, anomalous = (dataset.test.of_class(classes[role])[each] for role, each in numbers.items())
    names = names_of(choice, dataset, texts)
    shown = {f"{role}_number": each for role, each in numbers.items()} | names
    in_place = make_image(made, normal, seed)
    is_test_image = made == INSTEAD[0]
    sentence = texts("compare.shown", **shown) if is_test_image else texts("compare.shown_made", **shown)
    edited = f"{dataset.name} {choice.anomalous} {numbers['anomalous']}" if made == EDITED else None
    images = np.stack([normal, anomalous if in_place is None else in_place])
    return ChosenPair(images, names, sentence, view, edited)


def _pick(
    dataset: Dataset, classes: dict[str, int], counts: dict[str, int], texts: Texts
) -> dict[str, int | None]:
    """Number of the image that is picked for each role, None where none is."""
    # Tracked, because galleries of a closed box would only keep a visitor waiting.
    box = st.popover(texts("compare.pick"), icon=":material/photo_library:", key="pick", on_change="rerun")
    picked = {}
    with box:
        for role, label in classes.items():
            picked[role] = image_number(f"{role}_image", counts[role], texts)
            if box.open:
                _gallery(role, gallery(dataset, label, texts("compare.gallery_hover")), texts)
    return picked


def _draw() -> None:
    query_params.change(pair=random.randrange(1_000_000))
    sidebar.forget_images()


def _gallery(role: str, images: go.Figure, texts: Texts) -> None:
    key = f"{role}_image"

    def take(index: int) -> None:
        query_params.change(**{key: index})

    show_clickable(images, f"{key}_gallery", texts(f"control.{role}_image"), take)
