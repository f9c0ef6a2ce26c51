"""Widgets of the table of controls, each bound to its parameter of the page's address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from vaead.i18n.texts import Texts
from vaead.ui.shared import query_params
from vaead.ui.shared.controls import CONTROLS, default, options


def select(key: str, texts: Texts, on_change: Callable[[], None] | None = None) -> Any:
    """Show a choice as a box."""
    choices, first = options(key, st.session_state), default(key, st.session_state)
    taken = st.selectbox(
        **_bound(key, texts),
        options=choices,
        index=choices.index(first),
        format_func=_writer(key),
        on_change=on_change,
        filter_mode=None,
    )
    return _note(key, taken)


def segments(key: str, texts: Texts, **layout: Any) -> Any:
    """Show a choice as a row of buttons."""
    first = default(key, st.session_state)
    taken = st.segmented_control(
        **_bound(key, texts),
        options=options(key, st.session_state),
        default=first,
        format_func=_writer(key),
        required=True,
        **layout,
    )
    return _note(key, first if taken is None else taken)


def number(key: str, texts: Texts) -> int:
    """Show a whole number as a field."""
    return int(_note(key, st.number_input(**_bound(key, texts), **_range(key))))


def percent(key: str, texts: Texts) -> int:
    """Show a whole number of per cent as a slider."""
    return int(_note(key, st.slider(**_bound(key, texts), **_range(key), format="%d %%", width=220)))


def toggle(key: str, texts: Texts) -> bool:
    """Show a switch."""
    return bool(_note(key, st.toggle(**_bound(key, texts))))


def image_number(key: str, count: int, texts: Texts) -> int | None:
    """Show the number of one of so many images, None while the pair seed draws it."""
    help_ = texts("compare.pick_help", last=count - 1)
    return _optional_number(key, count, texts, placeholder=texts("compare.pick_placeholder"), help=help_)


def window_number(count: int, texts: Texts) -> int | None:
    """Show the number of a window, None for the one that is chosen by itself."""
    return _optional_number("window", count, texts, placeholder=texts("inspector.placeholder"), width=260)


def show_link(label: str, key: str, changes: dict[str, Any]) -> None:
    """Show a link to the page Compare with these values of controls in place of those chosen so far."""
    st.link_button(label, query_params.compare_link(changes), key=key, icon=":material/open_in_new:")


def _optional_number(key: str, count: int, texts: Texts, **layout: Any) -> int | None:
    """Show a number below a count that may be left out."""
    bounds = {"min_value": 0, "max_value": count - 1, "value": None, "step": 1}
    taken: int | None = st.number_input(**_bound(key, texts) | bounds | layout)
    query_params.note(key, taken)
    return taken


def _bound(key: str, texts: Texts) -> dict[str, Any]:
    help_ = texts.get(f"control.{key}_help", "") or None
    return {"label": texts(f"control.{key}"), "key": key, "help": help_, "bind": "query-params"}


def _range(key: str) -> dict[str, Any]:
    low, high, step = CONTROLS[key].limits
    return {"min_value": low, "max_value": high, "step": step, "value": default(key, st.session_state)}


def _writer(key: str) -> Callable[[Any], str]:
    values = dict(st.session_state)  # also read when no script runs, and then there is no session
    return lambda value: CONTROLS[key].written(values, value)


def _note(key: str, taken: Any) -> Any:
    query_params.note(key, taken)
    return taken
