"""Controls that are bound to a parameter of the page's address.

Streamlit writes a control's label into the address, so labels of bound choices are the same in every
language: a link made in one language works in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st

from vaead.i18n.texts import Texts
from vaead.ui.shared import query_params

T = TypeVar("T")


def select(
    label: str,
    options: Sequence[T],
    key: str,
    *,
    format_func: Callable[[Any], str] = str,
    help: str | None = None,
    default: int = 0,
    on_change: Callable[[], None] | None = None,
) -> T:
    """A bound choice of one option."""
    taken = st.selectbox(
        label,
        options,
        index=default,
        format_func=format_func,
        key=key,
        help=help,
        on_change=on_change,
        bind="query-params",
        filter_mode=None,
    )
    query_params.check(key, format_func(taken))
    return taken


def whole_number(
    label: str, key: str, low: int, high: int, default: int, *, step: int = 1, help: str | None = None
) -> int:
    """A bound whole number."""
    taken = st.number_input(
        label, low, high, value=default, step=step, key=key, help=help, bind="query-params"
    )
    query_params.check(key, taken)
    return int(taken)


def image_number(label: str, key: str, count: int, texts: Texts) -> int | None:
    """A bound number of an image, or None while the pair seed draws it."""
    taken = st.number_input(
        label,
        0,
        count - 1,
        value=None,
        step=1,
        key=key,
        placeholder=texts("compare.pick_placeholder"),
        help=texts("compare.pick_help", last=count - 1),
        bind="query-params",
    )
    query_params.check(key, taken)
    return taken


def segments(label: str, options: Sequence[str], key: str, help: str | None = None) -> str:
    """A bound choice of one of a few names, which are the same in all languages; the first is the default."""
    taken = st.segmented_control(
        label, options, default=options[0], required=True, key=key, help=help, bind="query-params"
    )
    query_params.check(key, taken)
    return taken or options[0]


def percent(label: str, key: str, default: int, help: str | None = None) -> int:
    """A bound share in percent, 1 to 50."""
    taken = st.slider(
        label, 1, 50, value=default, format="%d %%", key=key, help=help, bind="query-params", width=220
    )
    query_params.check(key, taken)
    return int(taken)


def toggle(label: str, key: str, help: str | None = None) -> bool:
    """A bound switch, off unless the link says otherwise."""
    taken = st.toggle(label, key=key, help=help, bind="query-params")
    query_params.check(key, taken)
    return bool(taken)
