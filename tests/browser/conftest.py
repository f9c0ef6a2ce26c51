"""One server and one browser for all tests of this folder. No test needs the network."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import psutil
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    FloatRect,
    Locator,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

ROOT = Path(__file__).parents[2]
SHIPPED = (
    "digits/1/article",
    "digits/2/article",
    "mnist/1/article",
    "fashion_mnist/7/article",
    "fashion_mnist/2/article",
    "screws/industrial",
)
TABLES = ("mnist/article.pairs.json", "fashion_mnist/article.pairs.json")
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True} | {
    "user_agent": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"
}
DIGITS = "Digits (scikit-learn)"
_CAPTION = re.compile("calibration images|較正用画像")
DEADLINE_S = 30.0
STEADY_MS = 300
"""Plotly draws a figure twice within this time, the first time without the room of its colour bars."""

# No sandbox, because a container often has none; the rest keeps the browser off the network.
CHROMIUM_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@dataclass(frozen=True)
class Server:
    """The running app."""

    url: str
    process: psutil.Process
    log: Path

    def trainings(self) -> list[psutil.Process]:
        """The training processes that live, zombies left out."""
        found = []
        for child in self.process.children(recursive=True):
            try:
                if "train" in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                    found.append(child)
            except psutil.NoSuchProcess:
                continue
        return found


class Visit:
    """One visitor and their tab."""

    def __init__(self, page: Page, server: Server, faults: list[str]) -> None:
        self.page = page
        self.server = server
        self.faults = faults
        page.on("console", self._keep_error)
        page.on("pageerror", lambda error: faults.append(str(error)))

    def _keep_error(self, message: ConsoleMessage) -> None:
        # Streamlit takes the page's icon from an external server, which is out of reach here.
        if message.type == "error" and message.location["url"].startswith(self.server.url):
            self.faults.append(message.text)

    def open(self, url: str) -> "Visit":
        self.page.goto(url)
        return self

    @property
    def link(self) -> dict[str, str]:
        """The values in the page's address."""
        return dict(parse_qsl(urlsplit(self.page.url).query, keep_blank_values=True))

    @property
    def caption(self) -> Locator:
        """What the page says of the pair."""
        return self.page.get_by_test_id("stCaptionContainer").filter(has_text=_CAPTION)

    @property
    def figure(self) -> Locator:
        """The figure of the comparison."""
        return self.page.locator(".st-key-comparison").get_by_role("figure")

    @property
    def maps(self) -> Locator:
        """The pictures of the comparison as drawn: image and three scores of both images."""
        return self.figure.locator(".heatmaplayer image")

    @property
    def alerts(self) -> Locator:
        return self.page.get_by_test_id("stAlert")

    @property
    def widths(self) -> list[int]:
        """Widths in pixels of what could be scrolled sideways."""
        return self.page.evaluate(
            """[document.scrollingElement, document.querySelector("[data-testid=stMain]")]
                .map(element => element.scrollWidth)"""
        )

    @property
    def texts_over_figures(self) -> list[str]:
        """Texts that lie where a figure is, which must have none but its own."""
        return self.page.evaluate(
            """() => {
                const boxes = query => [...document.querySelectorAll(query)]
                    .filter(e => e.checkVisibility()).map(e => [e, e.getBoundingClientRect()])
                    .filter(([e, box]) => box.width * box.height > 0);
                const figures = boxes(".stMain .js-plotly-plot");
                const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1
                    && a.top < b.bottom - 1 && b.top < a.bottom - 1;
                return boxes(".stMain :is(p, h1, h2, h3, label, button, td)")
                    .filter(([e, box]) => figures.some(([figure, b]) => !figure.contains(e) && meet(box, b)))
                    .map(([e]) => e.textContent);
            }"""
        )

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name)

    def wait_for_maps(self, deadline_s: float = DEADLINE_S) -> None:
        expect(self.maps).to_have_count(8, timeout=1000 * deadline_s)
        expect(self.caption).to_be_visible()

    def map_boxes(self) -> list[FloatRect]:
        """Places of the pictures of the comparison, once Plotly has drawn them in their last size."""
        boxes = "maps => maps.map(map => map.getBoundingClientRect().toJSON())"
        seen: list[list[FloatRect]] = [[]]

        def steady() -> object:
            self.page.wait_for_timeout(STEADY_MS)
            seen.append(self.maps.evaluate_all(boxes))
            drawn = seen[-1] and all(box["width"] > 0 for box in seen[-1])
            return drawn and seen[-1] == seen[-2]

        wait_until(steady, self.page)
        return seen[-1]

    def choose(self, control: str, option: str) -> None:
        box = self.page.get_by_role("combobox", name=control)
        box.scroll_into_view_if_needed()  # a list of options closes when the page scrolls
        box.click()
        self.page.get_by_role("option", name=option, exact=True).click()

    def plotly(self, code: str) -> Any:
        """Evaluate JavaScript in which `gd` is the Plotly figure of the comparison."""
        return self.figure.locator(".js-plotly-plot").evaluate(f"gd => {code}")


Visitor = Callable[..., Visit]


def wait_until(condition: Callable[[], object], page: Page) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        page.wait_for_timeout(20)  # lets the browser go on, unlike time.sleep


@pytest.fixture(name="wait_until")
def _wait_until() -> Callable[[Callable[[], object], Page], None]:
    return wait_until


def _browser_path(playwright: Playwright) -> str | None:
    """Path of an installed browser, or None if there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    installed = next((path for path in map(shutil.which, names) if path), None)
    own = playwright.chromium.executable_path
    return installed or (own if Path(own).exists() else None)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = _browser_path(playwright)
        if path is None:
            reason = "no browser found: install Chromium, as make test does"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        expect.set_options(timeout=DEADLINE_S * 1000)
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_OPTIONS))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app for all visitors; needs a browser, else it is not started."""
    with run_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(name="run_server")
def _run_server(browser: Browser) -> Callable[[Path], AbstractContextManager[Server]]:
    return run_server


@contextmanager
def run_server(folder: Path) -> Iterator[Server]:
    """The app on a free port, with shipped models, a matrix of digits, and its own temporary files."""
    for model in SHIPPED:
        shutil.copytree(ROOT / "models" / model, folder / "store" / model, dirs_exist_ok=True)
    for table in TABLES:
        shutil.copy(ROOT / "models" / table, folder / "store" / table)
    table = [[None if row == column else 0.75 for column in range(10)] for row in range(10)]
    seeds = {"0": dict.fromkeys(("old", "new", "calibrated"), table)}
    pairs = json.dumps({"measured": "2026-01-02", "seeds": seeds})
    (folder / "store/digits/article.pairs.json").write_text(pairs)
    for name in ("no_data", "temporary"):
        (folder / name).mkdir(exist_ok=True)
    env = os.environ | {
        "VAEAD_STORE": str(folder / "store"),
        "TMPDIR": str(folder / "temporary"),
        # An empty folder: MNIST cannot be had, but nobody tries to download it.
        "VAEAD_DATA_DIR": os.environ.get("VAEAD_DATA_DIR") or str(folder / "no_data"),
    }
    port = _free_port()
    options = [f"--server.port={port}", "--server.address=127.0.0.1"]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
    with (folder / "log").open("wb") as log:
        # In a session of its own: its trainings have a low priority, and would wait for the tests beside it.
        process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        server = Server(f"http://127.0.0.1:{port}/", psutil.Process(process.pid), folder / "log")
        try:
            _wait_for_health(server, process)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_health(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            with urllib.request.urlopen(f"{server.url}_stcore/health", timeout=1):
                return
        except OSError:
            assert process.poll() is None, server.log.read_text()
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.05)


@pytest.fixture(scope="package")
def profile(browser: Browser) -> BrowserContext:
    """A browser profile that has the scripts of the page in its cache, which saves seconds a visit."""
    return browser.new_context(locale="en-US")


@pytest.fixture
def visit(browser: Browser, profile: BrowserContext, server: Server) -> Iterator[Visitor]:
    """Open the app in a tab of its own, with values of its controls.

    At the end, neither the browser nor the server may have met a fault.
    """
    opened: list[Page | BrowserContext] = []
    faults: list[str] = []
    log_start = server.log.stat().st_size

    def visit_app(
        *, device: dict[str, Any] | None = None, url: str | None = None, path: str = "", **link: str
    ) -> Visit:
        if device is None:
            page = profile.new_page()
            opened.append(page)
        else:
            opened.append(browser.new_context(**device))
            page = opened[-1].new_page()
        visit = Visit(page, server, faults)
        return visit.open(url or f"{server.url}{path}?{urlencode({'dataset': DIGITS} | link)}")

    yield visit_app
    for each in opened:
        each.close()
    assert faults == []
    log = server.log.read_bytes()[log_start:].decode()
    assert "Traceback" not in log, log
