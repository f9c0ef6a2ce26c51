"""The controls of the sidebar and what they add up to."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from vaead.data.datasets import DatasetSpec
from vaead.i18n.texts import Texts, language_of
from vaead.recipe import ClassSource, Recipe
from vaead.ui.shared.controls import SETTINGS, Story, default_class, preset_values
from vaead.ui.shared.widgets import number, segments, select


@dataclass(frozen=True)
class Choice:
    """A model, a pair of classes, and how their maps are drawn and judged.

    Attributes:
        recipe: The model.
        anomalous: The class compared with the recipe's normal class.
        palette: Name of the colour scale.
        false_alarm_rate: Fraction of normal images that may be flagged, above 0 and below 1.
        rule: What flags an image, one of `vaead.calibration.thresholds.RULES`.
    """

    recipe: Recipe
    anomalous: int
    palette: str
    false_alarm_rate: float
    rule: str


def class_name(texts: Texts, spec: DatasetSpec, number: int) -> str:
    """The name of a class in the language of the page."""
    return texts.get(f"class.{spec.name}.{number}", spec.class_names[number])


def choose_language() -> Texts:
    """Show the language control and return the catalogue of the chosen language."""
    return Texts(segments("lang", Texts(language_of(st.context.locale)), label_visibility="collapsed"))


def choose_view(texts: Texts) -> tuple[Choice, tuple[DeltaGenerator, DeltaGenerator]]:
    """Show all controls in the order of thought: dataset, normal, anomalous, model, colours, threshold.

    Returns:
        The choice, and the slots under the two class controls for their pictures.
    """
    recipe, anomalous, slots = choose_model(texts)
    palette = select("colors", texts)
    percent = number("false_alarms", texts)
    choice = Choice(recipe, anomalous, palette, percent / 100, select("rule", texts))
    return choice, slots


def choose_model(texts: Texts) -> tuple[Recipe, int, tuple[DeltaGenerator, DeltaGenerator]]:
    """Show the controls of the model and its classes: dataset, normal, anomalous, model.

    Returns:
        The recipe, the anomalous class, and the slots under the two class controls for their pictures.
    """
    dataset = select("dataset", texts, _choose_default_pair)
    normal, normal_slot = select("normal", texts, _keep_classes_apart), st.empty()
    anomalous, anomalous_slot = select("anomalous", texts, forget_images), st.empty()
    preset = select("preset", texts, _take_preset_settings)
    with st.expander(texts("control.settings")):
        settings = {key: number(key, texts) for key in SETTINGS}
    settings["latent_dim"] = settings.pop("latent")
    recipe = Recipe.from_preset(preset, ClassSource(dataset, normal), **settings)
    return recipe, anomalous, (normal_slot, anomalous_slot)


def forget_images() -> None:
    """Drop the images and the window picked, and what was drawn: they belong to the classes chosen before.

    On a page that has no controls for them, only the address holds them.
    """
    for key in ("normal_image", "anomalous_image", "drawing", "window"):
        _forget(key)


def _forget(key: str) -> None:
    if key in st.session_state:
        st.session_state[key] = None
    elif key in st.query_params:
        del st.query_params[key]


def choose_story(story: Story) -> None:
    """Set the controls to a pair, with the article's own model."""
    st.session_state.preset = "article"
    _take_preset_settings()
    _choose_pair(story.dataset, story.normal, story.anomalous)
    st.session_state.update(pair=story.pair, instead=story.instead)
    if story.window is not None:
        st.session_state.window = story.window


def _choose_pair(dataset: str, normal: int, anomalous: int) -> None:
    st.session_state.update(dataset=dataset, normal=normal, anomalous=anomalous)
    forget_images()


def _choose_default_pair() -> None:
    """After another dataset was chosen: the same class numbers mean other things there."""
    dataset = st.session_state.dataset
    normal = default_class(dataset)
    _choose_pair(dataset, normal, default_class(dataset, normal))


def _keep_classes_apart() -> None:
    """After another normal class was chosen.

    The anomalous class is set even where it stays the same: its default has changed, and only then does
    Streamlit compare the address with it again.
    """
    session = st.session_state
    anomalous = session.anomalous
    if anomalous == session.normal:
        anomalous = default_class(session.dataset, session.normal)
    _choose_pair(session.dataset, session.normal, anomalous)


def _take_preset_settings() -> None:
    """After another preset was chosen: its settings replace those of the one before.

    Its windows are others, too.
    """
    st.session_state.update(preset_values(st.session_state.preset))
    _forget("window")
