"""The choice of a visitor: a value for each control, of all pages, which the address always holds.

The choice is taken from the address when the app is opened, and when the browser goes back or forward.
Whatever else a visitor does changes the choice, and the address follows in one step, before the page is
drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, NoReturn
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from vaead.i18n.texts import Texts
from vaead.ui.shared.controls import CONTROLS, Values, default, lesson_holds, parsed

_VALUES = "_values"
_ADDRESS = "_address"
_REPLACED = "_replaced"
_MAX_SHOWN = 60
"""Characters of a bad value that are repeated to the visitor."""


def follow() -> None:
    """At the start of a run, take the choice from the address, or see to it that the address holds it."""
    context = get_script_run_ctx()
    if _VALUES not in st.session_state or (context is not None and context.is_history_navigation):
        _take(st.query_params.to_dict())
    else:
        _write()


def fragment(show: Callable[..., None]) -> Callable[..., None]:
    """As `st.fragment`, for a part of a page that has controls: the address follows them."""

    @wraps(show)
    def show_and_write(*args: Any) -> None:
        _write()
        show(*args)

    return st.fragment(show_and_write)


def values() -> Values:
    """The value of each control by its key, whether this page has the control or not."""
    return _values()


def change(**changes: Any) -> None:
    """Change the choice, by the key of the control; controls that are drawn later show it."""
    _values().update(changes)
    if not lesson_holds(values()):
        _values()["lesson"] = None


def replace(key: str, value: Any) -> None:
    """Put a default in the place of a value that the address asks for and that does not exist here."""
    st.session_state[_REPLACED].append((key, str(values()[key])))
    change(**{key: value})


def show_notices(texts: Texts) -> None:
    """Say once which values of the address were replaced by defaults."""
    for name, value in st.session_state[_REPLACED]:
        # As code, so that a link cannot put pictures or links of its own on the page.
        shown = " ".join(value.replace("`", "'").split())[:_MAX_SHOWN]
        st.warning(texts("link.bad", name=name, value=f"`{shown}`"), icon=":material/link_off:")
    st.session_state[_REPLACED] = []


def compare_link(**changes: Any) -> str:
    """Address of the page Compare with the choice, some values changed."""
    return f"./?{urlencode(_written({**values(), **changes}))}"


def open_compare(page: st.Page) -> NoReturn:
    """Go to the page Compare with the choice."""
    st.switch_page(page, query_params=_written(values()))


def _values() -> dict[str, Any]:
    found: dict[str, Any] = st.session_state[_VALUES]
    return found


def _take(address: Mapping[str, str]) -> None:
    found, replaced = _read(address)
    st.session_state.update({_VALUES: found, _ADDRESS: address, _REPLACED: replaced})


def _write() -> None:
    """Write the choice, unless the address says the same in its own words.

    All in one step, as each is a place to which the browser goes back. What is not ours is left alone.
    """
    address: Mapping[str, str] = st.session_state[_ADDRESS]
    if _read(address)[0] != values():
        others = {key: value for key, value in address.items() if key not in CONTROLS}
        address = st.session_state[_ADDRESS] = others | _written(values())
    if st.query_params.to_dict() != address:
        st.query_params.from_dict(address)


def _read(address: Mapping[str, str]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The choice that an address asks for, and the keys and values that cannot be had."""
    found: dict[str, Any] = {}
    replaced = []
    for key in CONTROLS:
        found[key] = default(key, found)
        if key in address:
            try:
                found[key] = parsed(key, address[key], found)
            except ValueError:
                replaced.append((key, address[key]))
    if not lesson_holds(found):
        found["lesson"] = None
    return found, replaced


def _written(chosen: Values) -> dict[str, str]:
    """The values as an address holds them, without those that are the default beside the others."""
    return {
        key: control.written(chosen, chosen[key])
        for key, control in CONTROLS.items()
        if chosen[key] != default(key, chosen)
    }
