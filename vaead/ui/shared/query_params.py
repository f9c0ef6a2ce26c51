"""What the address of the page asks for, and what of it does not exist."""

from __future__ import annotations

import streamlit as st

from vaead.i18n.texts import Texts

_LINK = "_link"
_ASKED = "_asked"
_LONGEST_SHOWN = 60
"""Characters of a bad value that are repeated to the visitor."""


def remember() -> None:
    """Keep what the page's address asks for, before the first control takes its value from it."""
    if _LINK not in st.session_state:
        st.session_state[_LINK] = dict(st.query_params)
        st.session_state[_ASKED] = []


def check(key: str, taken: object) -> None:
    """Note it if the link asked for another value of a control than the one taken."""
    asked = st.session_state.get(_LINK, {}).pop(key, None)
    if asked is not None and not _same(asked, taken):
        st.session_state[_ASKED].append((key, asked))


def _same(asked: str, taken: object) -> bool:
    if isinstance(taken, bool):
        return asked.lower() == str(taken).lower()
    return asked == str(taken)


def show_notices(texts: Texts) -> None:
    """Say once which values of the link were replaced by defaults."""
    for name, value in st.session_state[_ASKED]:
        # As code, so that a link cannot put pictures or links of its own on the page.
        shown = " ".join(value.replace("`", "'").split())[:_LONGEST_SHOWN]
        st.warning(texts("link.bad", name=name, value=f"`{shown}`"), icon=":material/link_off:")
    st.session_state[_ASKED] = []
