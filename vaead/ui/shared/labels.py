"""What options of controls, classes and scores are called in the language of the page."""

from __future__ import annotations

from typing import Any

from vaead.data.datasets import DatasetSpec, get_spec
from vaead.i18n.texts import LANGUAGES, Texts
from vaead.metrics.baselines import BASELINES
from vaead.ui.shared.controls import CONTROLS, Values


def class_name(texts: Texts, spec: DatasetSpec, number: int) -> str:
    """The name of a class."""
    return texts.get(f"class.{spec.name}.{number}", spec.class_names[number])


def score_name(name: str, texts: Texts) -> str:
    """The name of a score or of a baseline."""
    return texts(f"baseline.{name}") if name in BASELINES else texts(f"score.{name}")


def option_label(key: str, value: Any, values: Values, texts: Texts) -> str:
    """The name of an option of a control, beside the values of the controls above it."""
    if key == "lang":
        return LANGUAGES[value]
    if key in ("normal", "anomalous"):
        name = class_name(texts, get_spec(values["dataset"]), value)
        return name if name == str(value) else f"{value} {name}"
    return texts.get(f"option.{key}.{value}", CONTROLS[key].written(values, value))
