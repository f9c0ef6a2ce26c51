"""Widgets of the table of controls, each of which shows and changes one value of the choice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from vaead.i18n.texts import Texts
from vaead.ui.shared.controls import CONTROLS, options
from vaead.ui.shared.labels import option_label
from vaead.ui.shared.query_params import change, compare_link, replace, values


def select(key: str, texts: Texts, on_change: Callable[[], None] | None = None) -> Any:
    """Show a choice as a box; `on_change` is called after another option was chosen."""
    choices = options(key, values())
    return st.selectbox(
        **_shared(key, texts, on_change),
        options=choices,
        index=choices.index(values()[key]),
        format_func=_labels(key, texts),
        filter_mode=None,
    )


def segments(key: str, texts: Texts, **layout: Any) -> Any:
    """Show a choice as a row of buttons."""
    taken = st.segmented_control(
        **_shared(key, texts),
        options=options(key, values()),
        default=values()[key],
        format_func=_labels(key, texts),
        required=True,
        **layout,
    )
    return values()[key] if taken is None else taken


def number(key: str, texts: Texts) -> int:
    """Show a whole number as a field."""
    return int(st.number_input(**_shared(key, texts), **_range(key)))


def percent(key: str, texts: Texts) -> int:
    """Show a whole number of per cent as a slider."""
    return int(st.slider(**_shared(key, texts), **_range(key), format="%d %%", width=220))


def slider(key: str, low: int, high: int, first: int, texts: Texts) -> int:
    """Show a whole number within these limits as a slider, the first one until another is chosen."""
    _drop_outside(key, low, high)
    shared = _shared(key, texts, first=first)
    return int(st.slider(**shared, min_value=low, max_value=high, value=st.session_state[key]))


def position(key: str, low: float, high: float, label: str, first: float, texts: Texts) -> float:
    """Show a number between two ends as a slider; what is chosen is the step, so that other ends may come."""
    _, last, _ = CONTROLS[key].limits
    at = np.linspace(low, high, last + 1).tolist()
    shared = _shared(key, texts, first=nearest_step(key, low, high, first)) | {"label": label}
    shared |= {"options": range(last + 1), "value": st.session_state[key]}
    chosen = st.select_slider(**shared, format_func=lambda step: f"{at[step]:.2f}")
    return float(at[chosen])


def nearest_step(key: str, low: float, high: float, value: float) -> int:
    """The step of `position` that is nearest to a value."""
    return round(CONTROLS[key].limits[1] * min(max((value - low) / (high - low), 0), 1))


def toggle(key: str, texts: Texts) -> bool:
    """Show a switch."""
    return st.toggle(**_shared(key, texts), value=values()[key])


def image_number(key: str, count: int, texts: Texts) -> int | None:
    """Show the number of one of so many images, None while the pair seed draws it."""
    help_ = texts("compare.pick_help", last=count - 1)
    return _optional_number(key, count, texts, placeholder=texts("compare.pick_placeholder"), help=help_)


def window_number(count: int, texts: Texts) -> int | None:
    """Show the number of a window, None for the one that is chosen by itself."""
    return _optional_number("window", count, texts, placeholder=texts("inspector.placeholder"), width=260)


def show_link(label: str, key: str, changes: dict[str, Any]) -> None:
    """Show a link to the page Compare with these values of controls in place of those chosen so far."""
    st.link_button(label, compare_link(**changes), key=key, icon=":material/open_in_new:")


def _optional_number(key: str, count: int, texts: Texts, **layout: Any) -> int | None:
    """Show a number below a count that may be left out."""
    _drop_outside(key, 0, count - 1)
    bounds = {"min_value": 0, "max_value": count - 1, "value": None, "step": 1}
    taken: int | None = st.number_input(**_shared(key, texts) | bounds | layout)
    return taken


def _drop_outside(key: str, low: int, high: int) -> None:
    asked = values()[key]
    if asked is not None and not low <= asked <= high:
        replace(key, None)


def _shared(
    key: str, texts: Texts, on_change: Callable[[], None] | None = None, first: Any = None
) -> dict[str, Any]:
    """The arguments of all widgets, after a widget that shows another value was given that of the choice.

    A widget that is new, maybe after another page, shows the value that it is made with; where nothing is
    chosen, the first one.
    """
    shown = first if values()[key] is None else values()[key]
    if st.session_state.get(key) != shown:
        st.session_state[key] = shown
    help_ = texts.get(f"control.{key}_help", "") or None
    call = {"on_change": _take, "args": (key, on_change)}
    return {"label": texts(f"control.{key}"), "key": key, "help": help_, **call}


def _take(key: str, on_change: Callable[[], None] | None) -> None:
    """After a visitor has changed a widget."""
    change(**{key: st.session_state[key]})
    if on_change is not None:
        on_change()


def _range(key: str) -> dict[str, Any]:
    low, high, step = CONTROLS[key].limits
    return {"min_value": low, "max_value": high, "step": step, "value": values()[key]}


def _labels(key: str, texts: Texts) -> Callable[[Any], str]:
    chosen = dict(values())  # also read when no script runs, and then there is no session
    return lambda value: option_label(key, value, chosen, texts)
