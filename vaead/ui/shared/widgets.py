"""Widgets of the table of controls, each of which shows and changes one value of the choice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
    asked = values()[key]
    if asked is not None and asked >= count:
        replace(key, None)
    bounds = {"min_value": 0, "max_value": count - 1, "value": None, "step": 1}
    taken: int | None = st.number_input(**_shared(key, texts) | bounds | layout)
    return taken


def _shared(key: str, texts: Texts, on_change: Callable[[], None] | None = None) -> dict[str, Any]:
    """The arguments of all widgets, after a widget that shows another value was given that of the choice.

    A widget that is new, maybe after another page, shows the value that it is made with.
    """
    if st.session_state.get(key) != values()[key]:
        st.session_state[key] = values()[key]
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
