"""The table of controls, from which widgets, addresses and links are made.

A control is called by its key everywhere: in the table, in the address, in the session and in the catalogue
of texts (`control.{key}`, `control.{key}_help` for its help, `option.{key}` for the names of its options).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import streamlit as st

from vaead.calibration.thresholds import RULES
from vaead.data.datasets import DatasetSpec, dataset_names, get_spec
from vaead.i18n.texts import LANGUAGES, language_of
from vaead.plots.panels import PALETTES
from vaead.presets import Preset, get_preset, preset_names
from vaead.scoring.loss_terms import SCORES

PAIRS = (("mnist", 1, 9), ("fashion_mnist", 2, 3), ("fashion_mnist", 7, 9))
"""The article's pairs: dataset, normal class, anomalous class."""


class Story(NamedTuple):
    """A pair of images; `instead` is one of `INSTEAD`, and `window` the number of the one that is framed."""

    dataset: str
    normal: int
    anomalous: int
    pair: int
    instead: str = "test image"
    window: int | None = None


LESSONS = {
    "calibration": Story("fashion_mnist", 2, 3, 133),
    "complex": Story("fashion_mnist", 2, 3, 606, window=8),
    "new": Story("mnist", 1, 9, 132, window=137),
    "blank": Story("fashion_mnist", 2, 3, 133, "blank"),
}
"""Pairs that show one thing each with the preset article."""
_FIRST = "calibration"
"""The first visit opens on the pair of this lesson."""

VIEWS = ("mean", "rank", "article")
"""How maps are drawn: as means in nats, as ranks among normal windows, or on the article's scale."""

EDITED = "edited"
MADE = ("blank", "noise", "upside down")
"""Images that no class has."""
INSTEAD = ("test image", EDITED, *MADE)
"""What the second image of a pair is: a test image, as it is or edited by hand, or one that is made."""

THRESHOLDS = ("false alarms", "best F1", "95 % recall")
"""How a threshold is set on the page Evaluate."""

MATRICES = ("old", "new", "calibrated", "new - old", "calibrated - new")
"""What the matrix of all pairs shows: a score, or a score minus another."""
MINUS = " - "
COMPARED = tuple(each for each in MATRICES if MINUS in each)
"""What the dots of all pairs compare."""

SETTINGS = ("epochs", "crops", "latent", "seed")
"""Controls that a preset sets."""

Values = Mapping[Any, Any]
"""Values of controls by key."""


@dataclass(frozen=True)
class Control:
    """One row of the table.

    Attributes:
        options: Values to choose from; none for a number or a switch.
        default: Value unless the address or a visitor has chosen another; without one, the first option.
            Both may be functions of the values of the rows above.
        limits: Lowest value, highest value and step of a number.
        written: Value in the address, the same in all languages, so that links made in one work in others.
        is_text: True if any text may be asked for, and the page finds out whether it means anything.
    """

    options: Any = ()
    default: Any = None
    limits: tuple[int, int, int] = (0, 999_999, 1)
    written: Callable[[Values, Any], str] = lambda _, value: str(value)
    is_text: bool = False


def class_label(spec: DatasetSpec, number: int) -> str:
    """Number and the dataset's own name of a class: "7 Sneaker", or "7" where the name is the number."""
    name = spec.class_names[number]
    return name if name == str(number) else f"{number} {name}"


def default_class(dataset: str, normal: int | None = None) -> int:
    """The normal class of the article's pair, or beside a normal class the anomalous one or the next free."""
    for name, pair_normal, pair_anomalous in (*PAIRS, ("digits", 1, 9)):
        if name == dataset and normal is None:
            return pair_normal
        if name == dataset and normal == pair_normal:
            return pair_anomalous
    return 0 if normal != 0 else 1


def _classes(values: Values) -> list[int]:
    return list(range(len(get_spec(values["dataset"]).class_names)))


def _class_written(values: Values, number: int) -> str:
    return class_label(get_spec(values["dataset"]), number)


def _base(values: Values) -> Preset:
    return get_preset(values["preset"])


def _story(values: Values) -> Story:
    """The pair of the lesson, or of the first visit."""
    return LESSONS[values["lesson"] or _FIRST]


def _first_pair(values: Values) -> int:
    """The seed of the pair of the lesson or of the first visit, on its classes; else 0."""
    chosen = tuple(values[key] for key in ("dataset", "normal", "anomalous"))
    return _story(values).pair if chosen == _story(values)[:3] else 0


CONTROLS = {
    "lang": Control(tuple(LANGUAGES), lambda _: language_of(st.context.locale)),
    # A lesson is a default of what follows, so that its link holds nothing else.
    "lesson": Control((None, *LESSONS)),
    "dataset": Control(
        lambda _: dataset_names(),
        lambda v: _story(v).dataset,
        written=lambda _, name: str(get_spec(name).title),
    ),
    "normal": Control(_classes, lambda v: default_class(v["dataset"]), written=_class_written),
    "anomalous": Control(
        # Without the normal class, so that the two always differ.
        lambda v: [number for number in _classes(v) if number != v["normal"]],
        lambda v: default_class(v["dataset"], v["normal"]),
        written=_class_written,
    ),
    "preset": Control(preset_names()),
    "epochs": Control(default=lambda v: _base(v).train.epochs, limits=(1, 100, 1)),
    "crops": Control(default=lambda v: _base(v).train.crops, limits=(1_000, 1_000_000, 1_000)),
    "latent": Control(default=lambda v: _base(v).networks[0].latent_dim, limits=(1, 64, 1)),
    "seed": Control(default=lambda v: _base(v).train.seed, limits=(0, 999_999, 1)),
    "view": Control(VIEWS),
    "colors": Control(PALETTES),
    "false_alarms": Control(default=5, limits=(1, 50, 1)),
    "rule": Control(RULES),
    "pair": Control(default=_first_pair, limits=(0, 999_999, 1)),
    "instead": Control(INSTEAD, lambda v: LESSONS[v["lesson"]].instead if v["lesson"] else INSTEAD[0]),
    "drawing": Control(is_text=True),
    "kept": Control(is_text=True),
    "window": Control(default=lambda v: LESSONS[v["lesson"]].window if v["lesson"] else None),
    "normal_image": Control(),
    "anomalous_image": Control(),
    "against_all": Control(default=False, written=lambda _, on: str(on).lower()),
    "simple_methods": Control(default=False, written=lambda _, on: str(on).lower()),
    "score": Control(tuple(reversed(SCORES))),
    "threshold": Control(THRESHOLDS),
    "matrix": Control(MATRICES),
    "other_crops": Control(default=0),
    "z1": Control(limits=(0, 100, 1)),
    "z2": Control(limits=(0, 100, 1)),
    "patch": Control(),
    "share": Control(default=5, limits=(1, 50, 1)),
    "map_windows": Control(),
    "place_window": Control(),
    "made_image": Control(MADE),
    "compared": Control(COMPARED),
}
"""All controls that the address holds, in the order in which they depend on each other."""


def default(key: str, values: Values) -> Any:
    """The default of a control beside the values of the controls above it."""
    value = CONTROLS[key].default
    if value is None and CONTROLS[key].options:
        return options(key, values)[0]
    return value(values) if callable(value) else value


def options(key: str, values: Values) -> Sequence[Any]:
    """The values to choose from beside the values of the controls above."""
    found = CONTROLS[key].options
    return tuple(found(values) if callable(found) else found)


def parsed(key: str, text: str, values: Values) -> Any:
    """The value of a control that an address asks for, beside the values of the controls above.

    Raises:
        ValueError: There is no such value.
    """
    control = CONTROLS[key]
    if control.is_text:
        return text
    if control.options:
        named = {control.written(values, value): value for value in options(key, values)}
        if key == "lang":
            named |= {name: code for code, name in LANGUAGES.items()}
    elif isinstance(control.default, bool):
        named, text = {"true": True, "false": False}, text.lower()
    else:
        low, high, _ = control.limits
        if not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)
    if text not in named:
        raise ValueError(text)
    return named[text]


def lesson_holds(values: Values) -> bool:
    """Whether the pair of the lesson is still what is chosen, by the article's own model."""
    if values["lesson"] is None:
        return True
    story, usual = LESSONS[values["lesson"]], {"preset": preset_names()[0]} | preset_values(preset_names()[0])
    wanted = usual | {"normal_image": None, "anomalous_image": None}
    wanted |= {name: value for name, value in story._asdict().items() if name != "window"}
    return all(values[name] == value for name, value in wanted.items())


def preset_values(preset: str) -> dict[str, Any]:
    """The values of the controls that a preset sets."""
    return {key: default(key, {"preset": preset}) for key in SETTINGS}
