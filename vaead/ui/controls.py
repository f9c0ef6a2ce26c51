"""Bound controls beside those of the sidebar; see `vaead.ui.state`."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from vaead.ui.state import check_link


def segments(label: str, options: Sequence[str], key: str, help: str | None = None) -> str:
    """A bound choice of one of a few names, which are the same in all languages; the first is the default."""
    taken = st.segmented_control(
        label, options, default=options[0], required=True, key=key, help=help, bind="query-params"
    )
    check_link(key, taken)
    return taken or options[0]


def percent(label: str, key: str, default: int, help: str | None = None) -> int:
    """A bound share in percent, 1 to 50."""
    taken = st.slider(
        label, 1, 50, value=default, format="%d %%", key=key, help=help, bind="query-params", width=220
    )
    check_link(key, taken)
    return int(taken)


def toggle(label: str, key: str, help: str | None = None) -> bool:
    """A bound switch, off unless the link says otherwise."""
    taken = st.toggle(label, key=key, help=help, bind="query-params")
    check_link(key, taken)
    return bool(taken)
