"""From the page Evaluate to the page Compare, with a pair or an image of it chosen.

The address carries the choice, as it does from page to page. But Streamlit refuses to have a value written
there while a control is bound to it, so the page first draws itself without its controls.
"""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.navigation.page import Page

from vaead.data.datasets import get_spec
from vaead.ui.shared import sidebar

_CHOSEN = "_chosen"
_LINK = "_next_link"
_FREE = "_controls_are_gone"
_WAIT_S = 0.7
"""Long enough that Compare is there before a second call could follow, which would leave a blank page."""
_IMAGES = ("normal_image", "anomalous_image")


def choose_image(role: str, label: int, number: int) -> None:
    """Leave for a test image, given by its class and its number there, as "normal" or "anomalous"."""
    session = st.session_state
    keys = ("dataset", "preset", "normal", "anomalous", *sidebar.preset_settings(session.preset))
    kept = {key: session[key] for key in keys if key in session} | sidebar.kept(sidebar.DECISION)
    session[_CHOSEN] = kept | {role: label, f"{role}_image": number}


def choose_cell(preset: str, normal: int, anomalous: int) -> None:
    """Leave for a pair of classes, with a preset's own settings."""
    sidebar.forget_images()
    pair = {"dataset": st.session_state.dataset, "normal": normal, "anomalous": anomalous}
    settings = sidebar.preset_settings(preset) | sidebar.kept(sidebar.DECISION)
    st.session_state[_CHOSEN] = pair | {"preset": preset} | settings


def go() -> None:
    """Begin to leave if a click has asked for it; called where the click was, as only that part runs."""
    chosen: dict[str, Any] | None = st.session_state.pop(_CHOSEN, None)
    if chosen is None:
        return
    controls = {*map(str, st.session_state), *_IMAGES}
    others = {key: value for key, value in st.query_params.to_dict().items() if key not in controls}
    st.session_state[_LINK] = others | _link(chosen)
    st.rerun(scope="app")


def _link(chosen: dict[str, Any]) -> dict[str, str]:
    """The values of controls as the address has them."""
    spec = get_spec(chosen["dataset"])
    labels = {role: sidebar.class_label(spec, chosen[role]) for role in ("normal", "anomalous")}
    return {key: str(value) for key, value in chosen.items()} | {"dataset": str(spec.title)} | labels


def is_leaving(compare_page: Page) -> bool:
    """Whether the page is being left, so that none of its controls may be drawn."""
    if _LINK not in st.session_state:
        return False
    st.fragment(_depart, run_every=_WAIT_S)(compare_page)
    return True


def _depart(compare_page: Page) -> None:
    """Leave at the second call: then Streamlit has seen a whole page without the controls."""
    session = st.session_state
    if session.pop(_FREE, False):
        st.switch_page(compare_page, query_params=session.pop(_LINK))
    session[_FREE] = True
