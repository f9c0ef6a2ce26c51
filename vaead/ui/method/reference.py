"""The reference of the method, in words."""

from __future__ import annotations

import streamlit as st

from vaead.i18n.texts import Texts


def show(texts: Texts, method: st.Page) -> None:
    """Show it, and the way back to the page Method."""
    st.page_link(method, label=texts("method.back"), icon=":material/arrow_back:")
    st.markdown(texts.method)
