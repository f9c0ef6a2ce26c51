"""Have the browser ask before it leaves or reloads a page whose images and model would be lost."""

from __future__ import annotations

import streamlit as st

from vaead.ui.shared import script

KEY = "leaving"


def ask(would_lose: bool) -> None:
    """Ask from now on, or no more; it holds on the other pages too, from which a way leads back."""
    with st.container(key=KEY):
        script.run(__file__, would_lose)
