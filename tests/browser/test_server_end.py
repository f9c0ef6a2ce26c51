"""The end of the server, whatever its visitors have asked for."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

if TYPE_CHECKING:
    from tests.browser.conftest import Server

    RunServer = Callable[[Path], AbstractContextManager[Server]]

pytestmark = pytest.mark.browser

END_S = 5.0


def start_demo(page: Page, server: Server, wait_until: Callable[..., None]) -> psutil.Process:
    """Let a visitor have images scored; returns the process that does it, halted."""
    page.goto(f"{server.url}images")
    page.get_by_role("button", name="Try it with screw holes").click()
    workers: list[psutil.Process] = []

    def found() -> bool:
        workers[:] = [
            each for each in server.process.children() if "vaead.inference.photo_worker" in each.cmdline()
        ]
        return bool(workers)

    wait_until(found, page)
    workers[0].suspend()
    expect(page.get_by_text("Reading image")).to_be_visible()
    return workers[0]


def test_server_ends_at_once_and_leaves_nothing(
    browser: Browser, run_server: RunServer, tmp_path: Path, wait_until: Callable[..., None]
) -> None:
    temporary = tmp_path / "temporary"
    page = browser.new_page()
    with run_server(tmp_path) as server:
        worker = start_demo(page, server, wait_until)
        assert [each.name.startswith("vaead-server-") for each in temporary.iterdir()] == [True]
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(END_S)
        assert not worker.is_running()
        assert list(temporary.iterdir()) == []
    page.close()


def test_next_server_removes_what_a_killed_one_has_left(
    browser: Browser, run_server: RunServer, tmp_path: Path, wait_until: Callable[..., None]
) -> None:
    page = browser.new_page()
    with run_server(tmp_path) as server:
        worker = start_demo(page, server, wait_until)
        (left,) = (tmp_path / "temporary").iterdir()
        server.process.kill()
        server.process.wait()
        worker.resume()
        assert psutil.wait_procs([worker], timeout=END_S)[1] == []
        assert left.is_dir()
    with run_server(tmp_path) as server:
        page.goto(server.url)
        wait_until(lambda: not left.exists(), page)
    page.close()
