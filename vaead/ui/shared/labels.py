"""What options of controls are called in the language of the page; the address has `Control.written`."""

from __future__ import annotations

from typing import Any

from vaead.data.datasets import DatasetSpec, get_spec
from vaead.i18n.texts import LANGUAGES, Texts
from vaead.ui.shared.controls import CONTROLS, Values


def class_name(texts: Texts, spec: DatasetSpec, number: int) -> str:
    """The name of a class."""
    return texts.get(f"class.{spec.name}.{number}", spec.class_names[number])


def option_label(key: str, value: Any, values: Values, texts: Texts) -> str:
    """The name of an option of a control, beside the values of the controls above it."""
    if key == "lang":
        return LANGUAGES[value]
    if key in ("normal", "anomalous"):
        name = class_name(texts, get_spec(values["dataset"]), value)
        return name if name == str(value) else f"{value} {name}"
    return texts.get(f"option.{key}.{value}", CONTROLS[key].written(values, value))
