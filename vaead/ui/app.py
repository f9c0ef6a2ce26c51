"""The frame around every page: page settings, language, navigation."""

from __future__ import annotations

import importlib
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit import runtime

from vaead.i18n.texts import Texts
from vaead.processes.at_exit import clean_up, end_within
from vaead.processes.temporary import temporary_folder
from vaead.ui.shared import query_params, sidebar, spoken, taps
from vaead.ui.shared.phone import is_phone
from vaead.version import __version__

_ICON = Path(__file__).parent / "icon.png"
_IN_MENU = ("compare", "evaluate", "images", "method")
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
    query_params.follow()
    with st.sidebar:
        texts = sidebar.choose_language()
        with st.container(key="unseen"):
            spoken.show(texts)
            taps.show()
    pages = _pages(texts)
    page = st.navigation(list(pages.values()), position="top")
    st.set_page_config(page_title=f"{page.title} · vaead")
    if is_phone():  # where Streamlit folds the navigation away
        with st.container(key="pages", horizontal=True, gap="xxsmall"):
            for path in _IN_MENU:
                st.page_link(pages[path])
    page.run()


@asynccontextmanager
async def until_the_end(_server: object) -> AsyncIterator[None]:
    """The life of the server. Its own server ends the process by the signal that it got, without more ado."""
    yield
    ending = threading.Thread(target=clean_up, daemon=True)
    ending.start()
    ending.join(_END_S)


def _pages(texts: Texts) -> dict[str, st.Page]:
    """All pages by their path; only those of `_IN_MENU` stand in a menu."""
    pages: dict[str, st.Page] = {}

    def add(path: str, show: Callable[[Texts], None], **options: Any) -> None:
        title = texts(f"page.{path}")
        visibility = "visible" if path in _IN_MENU else "hidden"
        options |= {"title": title, "url_path": path, "visibility": visibility}
        pages[path] = st.Page(partial(show, texts), **options)

    add("compare", _compare, default=True)
    add("evaluate", _evaluate)
    add("images", _your_images)
    add("method", partial(_method, pages))
    add("reference", partial(_reference, pages))
    return pages


@cache
def _prepare_server() -> None:
    """Once a server: remove what one that was killed has left, and see to it that this one ends soon."""
    if runtime.exists():
        temporary_folder()
        end_within(_END_S)


# Each imports its page only when it is opened: scikit-learn takes a second, and Compare does without.


def import_pages() -> None:
    """Import all pages, most visited first, before there is a visitor."""
    for name in ("compare", "evaluate", "your_images", "method"):
        importlib.import_module(f"vaead.ui.{name}.page")


def _compare(texts: Texts) -> None:
    from vaead.ui.compare import page

    page.show(texts)


def _evaluate(texts: Texts) -> None:
    from vaead.ui.evaluate import page

    page.show(texts)


def _your_images(texts: Texts) -> None:
    from vaead.ui.your_images import page

    page.show(texts)


def _method(pages: Mapping[str, st.Page], texts: Texts) -> None:
    from vaead.ui.method import page

    page.show(texts, pages)


def _reference(pages: Mapping[str, st.Page], texts: Texts) -> None:
    from vaead.ui.method import reference

    reference.show(texts, pages["method"])
