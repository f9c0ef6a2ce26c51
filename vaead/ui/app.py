"""The frame around every page: page settings, language, navigation."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

import vaead
from vaead.i18n.texts import Texts
from vaead.ui import method
from vaead.ui.compare import page as compare
from vaead.ui.shared import query_params, sidebar

_ICON = Path(__file__).parent / "icon.png"


def show() -> None:
    """Draw the page that the address asks for."""
    st.set_page_config(
        page_title="vaead",
        page_icon=str(_ICON),
        layout="wide",
        menu_items={
            "About": f"vaead {vaead.__version__}: where a variational autoencoder finds an image anomalous."
        },
    )
    # Streamlit leaves a hand's breadth empty above a page; the pictures belong into the first screen.
    st.html("<style>.stMainBlockContainer { padding-top: 4rem; }</style>")
    query_params.remember()
    with st.sidebar:
        texts = sidebar.choose_language()
    first = st.Page(
        partial(compare.page, texts), title=texts("page.compare"), url_path="compare", default=True
    )
    page = st.navigation(
        [
            first,
            st.Page(partial(_evaluate, texts, first), title=texts("page.evaluate"), url_path="evaluate"),
            st.Page(partial(_own_images, texts), title=texts("page.images"), url_path="images"),
            st.Page(partial(method.page, texts), title=texts("page.method"), url_path="method"),
        ],
        position="top",
    )
    sidebar.carry_over(page.url_path)
    page.run()


def _evaluate(texts: Texts, compare_page: Page) -> None:
    from vaead.ui.evaluate import (
        page as evaluate,  # scikit-learn takes a second to import, and Compare does without
    )

    evaluate.page(texts, compare_page)


def _own_images(texts: Texts) -> None:
    from vaead.ui.your_images import page as your_images  # scikit-learn again, and the generator of the demo

    your_images.page(texts)
