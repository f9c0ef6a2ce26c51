"""The controls of the sidebar and what they add up to."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from vaead.i18n.texts import Texts
from vaead.recipe import ClassSource, Recipe
from vaead.ui.shared.controls import CONTROLS, SETTINGS, Story, default_class, preset_values
from vaead.ui.shared.query_params import change, values
from vaead.ui.shared.widgets import number, segments, select

_LANGUAGE = "_language"


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


def choose_language() -> Texts:
    """Show the language control and return the catalogue of the chosen language."""
    language = values()["lang"]
    if st.session_state.get(_LANGUAGE) != language:
        # A box goes on showing the old name of its option, unless it is given the option again.
        st.session_state.update({key: values()[key] for key in CONTROLS if key in st.session_state})
        st.session_state[_LANGUAGE] = language
    texts = Texts(language)
    segments("lang", texts, label_visibility="collapsed")
    return texts


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
    """Drop the images and the window picked, and what was drawn: they belong to the classes chosen before."""
    change(normal_image=None, anomalous_image=None, drawing=None, window=None)


def choose_story(story: Story) -> None:
    """Set the controls to a pair, with the article's own model."""
    change(preset="article", **preset_values("article"))
    _choose_pair(story.dataset, story.normal, story.anomalous)
    change(lesson=None, pair=story.pair, instead=story.instead, window=story.window)


def _choose_pair(dataset: str, normal: int, anomalous: int) -> None:
    change(dataset=dataset, normal=normal, anomalous=anomalous)
    forget_images()


def _choose_default_pair() -> None:
    """After another dataset was chosen: the same class numbers mean other things there."""
    dataset = values()["dataset"]
    normal = default_class(dataset)
    _choose_pair(dataset, normal, default_class(dataset, normal))


def _keep_classes_apart() -> None:
    """After another normal class was chosen."""
    dataset, normal, anomalous = (values()[key] for key in ("dataset", "normal", "anomalous"))
    if anomalous == normal:
        anomalous = default_class(dataset, normal)
    _choose_pair(dataset, normal, anomalous)


def _take_preset_settings() -> None:
    """After another preset was chosen: its settings replace those of the one before.

    Its windows are others, too.
    """
    change(**preset_values(values()["preset"]), window=None)
