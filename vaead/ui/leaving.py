"""From the page Evaluate to the page Compare, with a pair or an image of it chosen.

Streamlit lets no program change a bound control's value in the address, and a control that it has not seen
before does not write its own. So the chosen values wait in the session until the other page has been drawn.
"""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.navigation.page import Page

from vaead.ui import state

_LEAVE = "_leave"
_ARRIVE = "_arrive"
_DRAWN = "_drawn"
_IMAGES = ("normal_image", "anomalous_image")


def choose_image(role: str, label: int, number: int) -> None:
    """Leave for a test image, given by its class and its number there, as "normal" or "anomalous"."""
    session = st.session_state
    keys = ("dataset", "preset", "normal", "anomalous", *state.preset_settings(session.preset))
    kept = {key: session[key] for key in keys if key in session}
    session[_LEAVE] = kept | {role: label, f"{role}_image": number}


def choose_cell(preset: str, normal: int, anomalous: int) -> None:
    """Leave for a pair of classes, with a preset's own settings."""
    pair = {"dataset": st.session_state.dataset, "normal": normal, "anomalous": anomalous}
    settings = {"preset": preset} | state.preset_settings(preset)
    st.session_state[_LEAVE] = pair | settings | dict.fromkeys(_IMAGES)


def go(compare_page: Page) -> None:
    """Leave if a click has asked for it; called where the click was, because only that part runs."""
    chosen: dict[str, Any] | None = st.session_state.pop(_LEAVE, None)
    if chosen is None:
        return
    st.session_state[_ARRIVE] = chosen
    known = {*chosen, *map(str, st.session_state)}
    others = {key: value for key, value in st.query_params.to_dict().items() if key not in known}
    st.switch_page(compare_page, query_params=others)


def arrive() -> None:
    """On the page Compare, before its first control: take over what was chosen."""
    st.session_state.update(st.session_state.get(_ARRIVE, {}))


def settle() -> None:
    """On the page Compare, after its last control: draw it once more, so that the address follows."""
    if _ARRIVE not in st.session_state:
        return
    if st.session_state.pop(_DRAWN, False):
        del st.session_state[_ARRIVE]
    else:
        st.session_state[_DRAWN] = True
        st.rerun()
