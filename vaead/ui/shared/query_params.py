"""Values of controls in the address: asked for by a link, taken along to another page, put into a link."""

from __future__ import annotations

from typing import Any, NoReturn
from urllib.parse import urlencode

import streamlit as st

from vaead.i18n.texts import LANGUAGES, Texts
from vaead.ui.shared.controls import CONTROLS, Values, default

_KEPT = "_kept"
_LINK = "_link"
_PAGE = "_page"
_REPLACED = "_replaced"
_MAX_SHOWN = 60
"""Characters of a bad value that are repeated to the visitor."""


def remember() -> None:
    """Keep what the page's address asks for, before the first control takes its value from it."""
    if _LINK not in st.session_state:
        language = st.query_params.get("lang")
        if language in LANGUAGES:  # a code, as people write it, in place of the name in the control
            st.session_state.lang = language
            del st.query_params["lang"]
        st.session_state[_LINK] = dict(st.query_params)
        st.session_state[_REPLACED] = []


def note(key: str, taken: Any) -> None:
    """Keep the value of a control for the other pages, and note if the link asked for another one."""
    control = CONTROLS[key]
    if control.kept:
        _kept()[key] = taken
    asked = st.session_state.get(_LINK, {}).pop(key, None)
    # A switch is on for "True" and "TRUE", too.
    if asked is not None and control.written(st.session_state, taken) not in (asked, asked.lower()):
        st.session_state[_REPLACED].append((key, asked))


def complete() -> None:
    """Write into the address what it lacks of the values of the session, before the first control is drawn.

    Streamlit writes a value there when it changes, and not when a control begins with it.
    """
    for key, value in _parameters({}).items():
        if key not in st.query_params:
            st.query_params[key] = value


def refuse(key: str, asked: str) -> None:
    """Note that the link asks for something that does not exist."""
    st.session_state[_REPLACED].append((key, asked))


def show_notices(texts: Texts) -> None:
    """Say once which values of the link were replaced by defaults."""
    for name, value in st.session_state[_REPLACED]:
        # As code, so that a link cannot put pictures or links of its own on the page.
        shown = " ".join(value.replace("`", "'").split())[:_MAX_SHOWN]
        st.warning(texts("link.bad", name=name, value=f"`{shown}`"), icon=":material/link_off:")
    st.session_state[_REPLACED] = []


def carry_over(page: str) -> None:
    """On another page than before, take the values of the controls along, unless the address has others."""
    session = st.session_state
    if session.get(_PAGE, page) != page:
        session.update({key: value for key, value in _kept().items() if key not in st.query_params})
    session[_PAGE] = page


def compare_link(changes: Values) -> str:
    """Address of the page Compare as another page would link it, with all values that are not the default.

    Args:
        changes: Values by key in place of those chosen so far.
    """
    return f"./?{urlencode(_parameters(changes, with_language=True))}"


def open_compare(page: st.Page, changes: Values) -> NoReturn:
    """Go to the page Compare, with the values of `compare_link` in the address."""
    _kept().update({key: value for key, value in changes.items() if CONTROLS[key].kept})
    st.switch_page(page, query_params=_parameters(changes))


def _parameters(changes: Values, *, with_language: bool = False) -> dict[str, str]:
    """What an address says of values; all pages have the control of the language, which keeps its own."""
    known: dict[str, Any] = {**st.session_state.to_dict(), **_kept(), **changes}
    values: dict[str, Any] = {}
    link: dict[str, str] = {}
    for key, control in CONTROLS.items():
        usual = default(key, values)
        values[key] = known.get(key, usual)
        if control.compare and key not in known and key in st.query_params:
            link[key] = st.query_params[key]  # of a control that this page does not have
        elif control.compare and values[key] != usual:
            link[key] = control.written(values, values[key])
    if not with_language:
        link.pop("lang", None)
    return link


def _kept() -> dict[str, Any]:
    """Latest values of the controls that pages take over from each other."""
    values: dict[str, Any] = st.session_state.setdefault(_KEPT, {})
    return values
