"""How long a visitor waits for a picture, and what the app's memory grows to.

A real Chromium on this machine opens the app, always without a browser cache unless said otherwise.
Run: python -m benchmarks.first_picture

- From the start of the server to its first answers.
- From opening the page to the drawn maps of both images: on a fresh server, and later.
- From a click on "Draw another pair" to the new picture, from a click on a map to the window that it shows,
  and from the end of a stroke on the canvas to the new maps.
- Resident memory of the server after a look at all 20 class models.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Browser, BrowserContext, Page, Position, sync_playwright

from benchmarks import report
from benchmarks.browser import launch
from benchmarks.report import Table
from benchmarks.server import Server, running
from vaead.data.datasets import get_spec

STARTS = 5
VISITS = 7
CLICKS = 40
PAUSE_S = 0.3
"""Between two clicks: a visitor looks at a picture, and the page comes to rest."""

# Runs in the page before its own scripts. What is drawn is looked at before each frame, so times are those
# of frames; `performance.now()` counts from the opening of the page.
WATCH = """
window.drawn = () => {
    const maps = [...document.querySelectorAll(".st-key-comparison .heatmaplayer image")];
    const captions = [...document.querySelectorAll("[data-testid=stCaptionContainer]")];
    const caption = captions.map(element => element.innerText).join("\\n");
    if (maps.length < 8 || !caption) return null;
    return {caption, maps: maps.map(map => map.href.baseVal).join()};
};
window.when = condition => new Promise((resolve, reject) => {
    const deadline = performance.now() + 60000;
    const look = () => {
        if (condition()) resolve(performance.now());
        else if (performance.now() > deadline) reject(new Error("waited in vain for a picture"));
        else requestAnimationFrame(look);
    };
    look();
});
const watched = {
    draw: [() => drawn().caption, () => drawn().maps],
    window: [() => [...document.querySelectorAll(".st-key-window_pictures .heatmaplayer image")]
        .map(map => map.href.baseVal).join()],
    stroke: [() => drawn().maps],
};
// What a visitor does next. The new picture is there when all that is watched has changed.
window.expectChange = (what, type) => {
    const parts = watched[what], before = parts.map(part => part());
    document.addEventListener(type, event => {
        window.changed = when(() => drawn() !== null && parts.every((part, i) => part() !== before[i]))
            .then(shown => shown - event.timeStamp);
    }, {capture: true, once: true});
};
"""


def run() -> dict[str, Any]:
    """Measure everything; the load average before tells how busy the machine was with other work."""
    load = os.getloadavg()[0]
    with sync_playwright() as playwright:
        browser = launch(playwright)
        starts = []
        for _ in range(STARTS):
            with running() as server:
                starts.append({"usable_s": server.usable_s, "first_visit_s": _cold_visit(browser, server)})
                print(starts[-1], flush=True)
        with running() as server:
            _cold_visit(browser, server)
            cold = [_cold_visit(browser, server) for _ in range(VISITS)]
            context = _context(browser)
            warm = [_visit(context, server) for _ in range(VISITS + 1)][1:]
            print({"cold_visit_s": cold, "warm_visit_s": warm}, flush=True)
            draws = _draws(context, server)
            print(draws, flush=True)
        with running() as server:
            resident = _resident(context, server)
            print(resident, flush=True)
        browser.close()
    return {
        "load_average": load,
        "starts": starts,
        "cold_visit_s": cold,
        "warm_visit_s": warm,
        **draws,
        "resident_mb": resident,
    }


def _context(browser: Browser) -> BrowserContext:
    """A browser without a cache of earlier visits."""
    context = browser.new_context(locale="en-US")
    context.add_init_script(WATCH)
    return context


def _open(context: BrowserContext, server: Server, **link: str) -> tuple[Page, float]:
    """Open the app in a new tab; the time until its maps are drawn in seconds."""
    page = context.new_page()
    page.goto(f"{server.url}?{urlencode(link)}", wait_until="commit")
    return page, page.evaluate("when(() => drawn() !== null)") / 1000


def _visit(context: BrowserContext, server: Server) -> float:
    page, seconds = _open(context, server)
    page.close()
    return seconds


def _cold_visit(browser: Browser, server: Server) -> float:
    context = _context(browser)
    seconds = _visit(context, server)
    context.close()
    return seconds


def _draws(context: BrowserContext, server: Server) -> dict[str, Any]:
    """Click and paint: seconds until the new picture, and what another pair costs the server and the line."""
    page = context.new_page()
    sent: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: sent.append(len(frame))))
    page.goto(server.url, wait_until="commit")
    page.evaluate("when(() => drawn() !== null)")
    button = page.get_by_role("button", name="Draw another pair")
    button.wait_for()
    time.sleep(1)
    sent.clear()
    cpu_s = server.cpu_s
    draw_s = [_seconds(page, "draw", "click", button.click) for _ in range(CLICKS)]
    used, message_bytes = (server.cpu_s - cpu_s) / CLICKS, sum(sent) / CLICKS
    figure = page.locator(".st-key-comparison .js-plotly-plot")
    places = [Position(x=60 + 25 * (step % 4), y=70 + 20 * (step % 3)) for step in range(CLICKS)]
    window_s = [
        _seconds(page, "window", "mouseup", partial(figure.click, position=place)) for place in places
    ]
    page.goto(f"{server.url}?instead=edited", wait_until="commit")
    page.evaluate("when(() => drawn() !== null)")
    canvas = page.get_by_role("application")
    canvas.wait_for()
    # Each where nothing is painted yet.
    places = [Position(x=30 + 16 * (step % 8), y=50 + 16 * (step // 8)) for step in range(CLICKS)]
    stroke_s = [
        _seconds(page, "stroke", "pointerup", partial(canvas.click, position=place)) for place in places
    ]
    page.close()
    return {
        "draw_s": draw_s,
        "window_s": window_s,
        "stroke_s": stroke_s,
        "server_cpu_s": used,
        "message_bytes": message_bytes,
    }


def _seconds(page: Page, what: str, event: str, act: Callable[[], object]) -> float:
    """Time from an event in the browser until the picture that it changes, then a pause."""
    page.evaluate(f"expectChange('{what}', '{event}')")
    act()
    seconds = float(page.evaluate("changed")) / 1000
    page.wait_for_timeout(1000 * PAUSE_S)
    return seconds


def _resident(context: BrowserContext, server: Server) -> list[float]:
    """Resident memory before any visit and after a look at each model, both datasets."""
    resident = [server.resident_mb]
    for dataset in ("mnist", "fashion_mnist"):
        spec = get_spec(dataset)
        for number, name in enumerate(spec.class_names):
            label = name if name == str(number) else f"{number} {name}"
            page, _ = _open(context, server, dataset=spec.title, normal=label)
            page.close()
            resident.append(server.resident_mb)
    return resident


def tables(result: dict[str, Any]) -> list[Table]:
    """Waiting times of one visitor."""
    draws = quantiles(result["draw_s"], n=20)
    usable = median(max(start["usable_s"].values()) for start in result["starts"])
    first = median(start["first_visit_s"] for start in result["starts"])
    rows = [
        ["start of the server until the page is usable", f"{usable:.2f} s"],
        ["first visit to a fresh server until both maps are there, empty browser cache", f"{first:.2f} s"],
        ["later visits, empty browser cache", f"{median(result['cold_visit_s']):.2f} s"],
        ["later visits, filled browser cache", f"{median(result['warm_visit_s']):.2f} s"],
        [
            'click on "Draw another pair" until the new picture, median',
            f"{1000 * median(result['draw_s']):.0f} ms",
        ],
        ["click on a map until that window, median", f"{1000 * median(result['window_s']):.0f} ms"],
        ["end of a stroke until the new maps, median", f"{1000 * median(result['stroke_s']):.0f} ms"],
        ['click on "Draw another pair" until the new picture, 95th percentile', f"{1000 * draws[-1]:.0f} ms"],
        [
            "resident memory of the app after a look at all 20 class models",
            f"{result['resident_mb'][-1]:.0f} MB",
        ],
    ]
    return [Table("The app: first picture", ("what", "figure"), rows)]


if __name__ == "__main__":
    result = run()
    report.save("first_picture", result)
    print(*tables(result), sep="\n\n")
