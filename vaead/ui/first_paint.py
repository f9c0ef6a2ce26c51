"""The HTML of all pages: that of Streamlit, with what a browser has to know before it draws anything.

Streamlit would send the style after the first texts, which it then moves, and lays a page out before its
sidebar exists. And where a page is opened directly, the browser would look for the server below the address
of the page first, and write into its console what it does not find there.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

PAGES = ("compare", "evaluate", "images", "method", "reference")
"""Paths of all pages; the first one also has the address of the app itself."""

_STYLE = Path(__file__).parent / "style.css"
_INDEX = Path(st.__file__).parent / "static" / "index.html"


class FirstPaint:
    """Answers requests for a page; all others are Streamlit's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        answer: ASGIApp = self._app
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and _is_page(scope):
            # Streamlit's script has another name in each version, so that an old page would find none.
            answer = HTMLResponse(_html(), headers={"Cache-Control": "no-cache"})
        await answer(scope, receive, send)


def _is_page(scope: Scope) -> bool:
    base = st.get_option("server.baseUrlPath").strip("/")
    root = f"/{base}/" if base else "/"  # with its slash: the addresses in the HTML are relative
    return scope["path"] in (root, *(root + name for name in PAGES))


@cache
def _html() -> str:
    style = " ".join(_STYLE.read_text(encoding="utf-8").split())
    # The path of a page is not part of the server's address, whatever else a host has put before it.
    server = f"location.origin + location.pathname.replace(/[/]({'|'.join(PAGES)})[/]?$/, '/')"
    parts = {
        "</head>": f"<script>window.__streamlit = {{ BACKEND_BASE_URL: {server} }};</script>",
        # Behind the head, where Streamlit's own rules will stand: of equal ones the last counts.
        "</body>": f"<style>{style}</style>",
    }
    html = _INDEX.read_text(encoding="utf-8")
    for end, part in parts.items():
        html = html.replace(end, f"{part}{end}", 1)
    return html
