"""The controls of the sidebar and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from vaead.calibration.thresholds import RULES
from vaead.data.datasets import DatasetSpec, dataset_names, get_spec
from vaead.i18n.texts import LANGUAGES, Texts, language_of
from vaead.plots.panels import PALETTES
from vaead.presets import get_preset, preset_names
from vaead.recipe import ClassSource, Recipe
from vaead.ui.shared import query_params
from vaead.ui.shared.widgets import select, whole_number

_KEPT = "_kept"
_PAGE = "_page"


@dataclass(frozen=True)
class Choice:
    """What a visitor looks at.

    Attributes:
        recipe: The model.
        anomalous: The class compared with the recipe's normal class.
        view: How maps are drawn, one of `VIEWS`.
        palette: Name of the colour scale.
        false_alarm_rate: Share of normal images that may be flagged, above 0 and below 1.
        rule: What flags an image, one of `vaead.calibration.thresholds.RULES`.
    """

    recipe: Recipe
    anomalous: int
    view: str
    palette: str
    false_alarm_rate: float
    rule: str


def with_dataset(choice: Choice, dataset: str) -> Choice:
    """The same choice on another dataset."""
    return replace(choice, recipe=choice.recipe.with_dataset(dataset))


VIEWS = ("article", "mean", "rank")
"""How maps are drawn: on the article's scale, as means in nats, or as ranks among normal windows."""

DECISION = ("rule", "false_alarms")
"""Controls of what flags an image, which Compare and Evaluate share."""

PAIRS = (("mnist", 1, 9), ("fashion_mnist", 7, 9), ("fashion_mnist", 2, 3))
"""The article's pairs: dataset, normal class, anomalous class."""


def class_label(spec: DatasetSpec, number: int) -> str:
    """Number and the dataset's own name of a class: "7 Sneaker", or "7" where the name is the number."""
    name = spec.class_names[number]
    return name if name == str(number) else f"{number} {name}"


def class_name(texts: Texts, spec: DatasetSpec, number: int) -> str:
    """The name of a class in the language of the page."""
    return texts.get(f"class.{spec.name}.{number}", spec.class_names[number])


def choose_language() -> Texts:
    """Show the language control and return the catalogue of the chosen language."""
    codes = list(LANGUAGES)
    label = Texts(language_of(st.context.locale))("language")
    chosen = st.segmented_control(
        label,
        codes,
        format_func=LANGUAGES.__getitem__,
        default=language_of(st.context.locale),
        required=True,
        key="lang",
        bind="query-params",
        label_visibility="collapsed",
    )
    query_params.check("lang", LANGUAGES[chosen or codes[0]])
    return Texts(chosen or codes[0])


def forget_images() -> None:
    """Drop the images picked by number: they belong to the classes chosen before.

    On a page that has no controls for them, only the address holds them.
    """
    for key in ("normal_image", "anomalous_image"):
        if key in st.session_state:
            st.session_state[key] = None
        elif key in st.query_params:
            del st.query_params[key]


def choose_pair(dataset: str, normal: int, anomalous: int) -> None:
    """Set the controls to a dataset and two classes."""
    st.session_state.update(dataset=dataset, normal=normal, anomalous=anomalous)
    forget_images()


def choose_article_pair(dataset: str, normal: int, anomalous: int) -> None:
    """Set the controls to one of the article's pairs, with the article's own model."""
    st.session_state.preset = "article"
    _take_preset_settings()
    choose_pair(dataset, normal, anomalous)


def _choose_default_pair() -> None:
    """After another dataset was chosen: the same class numbers mean other things there."""
    dataset = st.session_state.dataset
    normal = _default_class(dataset, None)
    choose_pair(dataset, normal, _default_class(dataset, normal))


def _keep_classes_apart() -> None:
    """After another normal class was chosen.

    The anomalous class is set even where it stays the same: its default has changed, and only then does
    Streamlit compare the address with it again.
    """
    session = st.session_state
    anomalous = session.anomalous
    if anomalous == session.normal:
        anomalous = _default_class(session.dataset, session.normal)
    choose_pair(session.dataset, session.normal, anomalous)


def sidebar(texts: Texts) -> tuple[Choice, Any, Any]:
    """Show the controls in the order of thought: dataset, normal, anomalous, model, view.

    Returns:
        The choice, and the places under the two class controls for their pictures.
    """
    recipe, anomalous, normal_place, anomalous_place = model_controls(texts)
    view = select(
        texts("sidebar.view"),
        VIEWS,
        "view",
        default=VIEWS.index(_suited_view(recipe.preset)),
        help=texts("sidebar.view_help"),
    )
    palette = select(texts("sidebar.colors"), PALETTES, "colors")
    percent = whole_number(
        texts("sidebar.false_alarms"), "false_alarms", 1, 50, 5, help=texts("sidebar.false_alarms_help")
    )
    rule = select(texts("sidebar.rule"), RULES, "rule", help=texts("sidebar.rule_help"))
    keep(*DECISION)
    choice = Choice(recipe, anomalous, view, palette, percent / 100, rule)
    return choice, normal_place, anomalous_place


def model_controls(texts: Texts) -> tuple[Recipe, int, Any, Any]:
    """Show the controls of the model and its classes: dataset, normal, anomalous, model.

    Returns:
        The recipe, the anomalous class, and the places under the two class controls for their pictures.
    """
    names = dataset_names()
    dataset = select(
        texts("sidebar.dataset"),
        names,
        "dataset",
        format_func=lambda name: str(get_spec(name).title),
        on_change=_choose_default_pair,
    )
    spec = get_spec(dataset)
    normal, normal_place = _class_control(texts("sidebar.normal"), "normal", spec, None)
    anomalous, anomalous_place = _class_control(texts("sidebar.anomalous"), "anomalous", spec, normal)
    recipe = _recipe_controls(texts, dataset, normal)
    keep("dataset", "normal", "anomalous", "preset", *_settings(recipe.preset))
    return recipe, anomalous, normal_place, anomalous_place


def keep(*keys: str) -> None:
    """Remember the values of controls for the next page, on which `carry_over` hands them on."""
    session = st.session_state
    session[_KEPT] = session.get(_KEPT, {}) | {key: session[key] for key in keys}


def kept(keys: Iterable[str]) -> dict[str, Any]:
    """The values of those controls that `keep` has remembered."""
    values: dict[str, Any] = st.session_state.get(_KEPT, {})
    return {key: values[key] for key in keys if key in values}


def carry_over(page: str) -> None:
    """On another page than before, take the values of the controls along, unless the address has others."""
    session = st.session_state
    if session.get(_PAGE, page) != page:
        session.update({k: v for k, v in session.get(_KEPT, {}).items() if k not in st.query_params})
    session[_PAGE] = page


def _class_control(label: str, key: str, spec: DatasetSpec, other: int | None) -> tuple[int, Any]:
    """A class control; the anomalous one leaves the normal class out, so the two always differ."""
    options = [number for number in range(len(spec.class_names)) if number != other]
    wanted = _default_class(spec.name, other)
    chosen = select(
        label,
        options,
        key,
        format_func=lambda number: class_label(spec, number),
        default=options.index(wanted),
        on_change=_keep_classes_apart if other is None else forget_images,
    )
    return chosen, st.empty()


def _default_class(dataset: str, normal: int | None) -> int:
    """The class of the article's pair, or the next free one."""
    for name, pair_normal, pair_anomalous in (*PAIRS, ("digits", 1, 9)):
        if name == dataset and normal is None:
            return pair_normal
        if name == dataset and normal == pair_normal:
            return pair_anomalous
    return 0 if normal != 0 else 1


def _recipe_controls(texts: Texts, dataset: str, normal: int) -> Recipe:
    preset = select(
        texts("sidebar.preset"),
        preset_names(),
        "preset",
        help=texts("sidebar.preset_help"),
        on_change=_take_preset_settings,
    )
    with st.expander(texts("sidebar.settings")):
        settings = {
            key: whole_number(
                texts(f"sidebar.{key}"), key, low, high, default, step=step, help=texts(f"sidebar.{key}_help")
            )
            for key, (low, high, default, step) in _settings(preset).items()
        }
    settings["latent_dim"] = settings.pop("latent")
    return Recipe.from_preset(preset, ClassSource(dataset, normal), **settings)


def _settings(preset: str) -> dict[str, tuple[int, int, int, int]]:
    """Lowest, highest, default and step of each model setting."""
    base = get_preset(preset)
    return {
        "epochs": (1, 100, base.train.epochs, 1),
        "crops": (1_000, 1_000_000, base.train.crops, 1_000),
        "latent": (1, 64, base.networks[0].latent_dim, 1),
        "seed": (0, 999_999, base.train.seed, 1),
    }


def _suited_view(preset: str) -> str:
    """The article's sum over windows shows nothing for larger patches: they cover the middle too often."""
    return "article" if preset == "article" else "mean"


def _take_preset_settings() -> None:
    """After another preset was chosen: its settings and its view replace those of the one before."""
    st.session_state.update(preset_settings(st.session_state.preset))


def preset_settings(preset: str) -> dict[str, Any]:
    """The values of the controls that a preset sets: its settings and its view."""
    settings = {key: default for key, (_, _, default, _) in _settings(preset).items()}
    return {"view": _suited_view(preset), **settings}
