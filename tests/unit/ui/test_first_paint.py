"""The HTML that a browser gets first."""

import asyncio
from typing import Any

import pytest
import streamlit as st
from starlette.types import Receive, Scope, Send

from vaead.ui import app
from vaead.ui.first_paint import PAGES, FirstPaint


async def streamlit(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"Streamlit's own"})


def get(path: str, **scope: str) -> tuple[int, str]:
    """Status and text of an answer."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    asked = {"type": "http", "method": "GET", "path": path, "headers": []} | scope
    asyncio.run(FirstPaint(streamlit)(asked, receive, send))
    return sent[0]["status"], sent[1]["body"].decode()


@pytest.mark.parametrize("path", ["/", *(f"/{name}" for name in PAGES)])
def test_page_begins_with_its_style_and_the_address_of_its_server(path: str) -> None:
    status, html = get(path)
    assert status == 200
    head, _, body = html.partition("</head>")
    assert ".st-key-pages" in body.partition("<style>")[2]
    assert "BACKEND_BASE_URL: location.origin" in head


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/_stcore/health", {}),
        ("/static/js/index.js", {}),
        ("/media/evaluate", {}),
        ("/evaluate/_stcore/health", {}),
        ("/", {"method": "POST"}),
        ("/", {"type": "websocket"}),
    ],
)
def test_all_else_is_for_streamlit(path: str, scope: dict[str, str]) -> None:
    assert get(path, **scope) == (299, "Streamlit's own")


def test_pages_may_lie_below_another_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "get_option", {"server.baseUrlPath": "tools/vaead"}.get)
    assert get("/tools/vaead/evaluate")[0] == 200
    assert get("/tools/vaead/")[0] == 200
    assert get("/tools/vaead")[0] == 299
    assert get("/evaluate")[0] == 299
    assert get("/other/evaluate")[0] == 299


def test_all_pages_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    paths: list[str] = []
    monkeypatch.setattr(st, "Page", lambda _show, *, url_path, **_: paths.append(url_path))
    app._pages(lambda key: key)
    assert tuple(paths) == PAGES
