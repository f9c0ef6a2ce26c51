"""The frame around every page: page settings, language, navigation."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

import streamlit as st
from streamlit import runtime

from vaead.i18n.texts import Texts
from vaead.processes.at_exit import end_within
from vaead.processes.temporary import temporary_folder
from vaead.ui import method
from vaead.ui.shared import query_params, sidebar
from vaead.version import __version__

_ICON = Path(__file__).parent / "icon.png"


_END_S = 4.0
"""From the end of the server until its process ends, whatever visitors have asked for."""


def show() -> None:
    """Draw the page that the address asks for."""
    _prepare_server()
    st.set_page_config(
        page_icon=str(_ICON),
        layout="wide",
        menu_items={
            "About": f"vaead {__version__}: where a variational autoencoder finds an image anomalous."
        },
    )
    # Streamlit leaves a hand's breadth empty above a page; the pictures belong into the first screen.
    st.html(
        "<style>.stMainBlockContainer { padding-top: 4rem; } "
        ".stMainBlockContainer h1 { font-size: 1.5rem; padding: 0 0 0.3rem; } "
        ".st-key-definitions p { font-size: 0.875rem; line-height: 1.35; } "
        ".stMainBlockContainer h3 { font-size: 1.25rem; padding-bottom: 0.4rem; } "
        # On a phone, cards lie in one row that a finger moves.
        "@media (max-width: 640px) { .st-key-stories { flex-wrap: nowrap; overflow-x: auto; } "
        ".st-key-stories > div { flex: none; } }</style>"
    )
    query_params.follow()
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
    st.set_page_config(page_title=f"{page.title} · vaead")
    # Streamlit's own page says that it is English; a screen reader would read Japanese with an English voice.
    st.html(
        f"<script>document.documentElement.lang = '{texts.language}'</script>", unsafe_allow_javascript=True
    )
    page.run()


@cache
def _prepare_server() -> None:
    """Once a server: remove what one that was killed has left, and see to it that this one ends soon."""
    if runtime.exists():
        temporary_folder()
        end_within(_END_S)


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
