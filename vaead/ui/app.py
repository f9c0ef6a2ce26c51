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
from vaead.ui.shared import query_params, sidebar, spoken
from vaead.version import __version__

_ICON = Path(__file__).parent / "icon.png"
_STYLE = Path(__file__).parent / "style.css"


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
    # Not as HTML, whose part of Streamlit comes after the texts of the page: they would move.
    st.markdown(f"<style>{_style()}</style>", unsafe_allow_html=True)
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
    spoken.show(texts)
    page.run()


@cache
def _style() -> str:
    return " ".join(_STYLE.read_text(encoding="utf-8").split())


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
