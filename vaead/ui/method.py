"""The page Method: what is computed, and how."""

from __future__ import annotations

import streamlit as st

from vaead.i18n.texts import Texts


def show(texts: Texts) -> None:
    """Show the method in the language of the page."""
    st.markdown(texts.method)
