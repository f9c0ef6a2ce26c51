"""The frame around every page: page settings, language, navigation."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st

from vaead.i18n.texts import Texts
from vaead.ui import method
from vaead.ui.shared import query_params, sidebar
from vaead.version import __version__

_ICON = Path(__file__).parent / "icon.png"


def show() -> None:
    """Draw the page that the address asks for."""
    st.set_page_config(
        page_title="vaead",
        page_icon=str(_ICON),
        layout="wide",
        menu_items={
            "About": f"vaead {__version__}: where a variational autoencoder finds an image anomalous."
        },
    )
    # Streamlit leaves a hand's breadth empty above a page; the pictures belong into the first screen.
    st.html("<style>.stMainBlockContainer { padding-top: 4rem; }</style>")
    query_params.remember()
    with st.sidebar:
        texts = sidebar.choose_language()
    page = st.navigation(
        [
            st.Page(partial(_compare, texts), title=texts("page.compare"), url_path="compare", default=True),
            st.Page(partial(_evaluate, texts), title=texts("page.evaluate"), url_path="evaluate"),
            st.Page(partial(_your_images, texts), title=texts("page.images"), url_path="images"),
            st.Page(partial(method.show, texts), title=texts("page.method"), url_path="method"),
        ],
        position="top",
    )
    query_params.carry_over(page.url_path)
    page.run()


# Each imports its page only when it is opened: scikit-learn takes a second, and Compare does without.


def _compare(texts: Texts) -> None:
    from vaead.ui.compare import page

    page.show(texts)


def _evaluate(texts: Texts) -> None:
    from vaead.ui.evaluate import page

    page.show(texts)


def _your_images(texts: Texts) -> None:
    from vaead.ui.your_images import page

    page.show(texts)
