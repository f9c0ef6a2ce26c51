"""How far what one reads jumps while a page loads: cumulative layout shift, of which 0.1 is good.

Each page is opened in a real Chromium on a desktop and on a phone, after a first visit has filled the
browser's cache. Run: python -m benchmarks layout_shift
"""

from __future__ import annotations

from statistics import median
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from benchmarks.browser import launch
from benchmarks.report import Table
from benchmarks.server import Server, running

PAGES = {"": "Compare", "evaluate": "Evaluate", "images": "Your images", "method": "Method"}
DEVICES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1366, "height": 768}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
    | {"user_agent": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"},
}
VISITS = 5
_REST_MS = 6500
"""From opening a page until nothing moves any more."""

WATCH = """
window.shift = 0;
new PerformanceObserver(list => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) shift += entry.value;
}).observe({type: "layout-shift", buffered: true});
"""


def run() -> dict[str, Any]:
    """Measure all pages on both devices."""
    found: dict[str, dict[str, list[float]]] = {}
    with sync_playwright() as playwright, running() as server:
        browser = launch(playwright)
        for device in DEVICES:
            found[device] = _visits(browser, server, device)
            print(device, found[device], flush=True)
        browser.close()
    return {"shift": found}


def _visits(browser: Browser, server: Server, device: str) -> dict[str, list[float]]:
    context = browser.new_context(locale="en-US", **DEVICES[device])
    context.add_init_script(WATCH)
    found: dict[str, list[float]] = {path: [] for path in PAGES}
    for _ in range(VISITS + 1):
        for path, visits in found.items():
            page = context.new_page()
            page.goto(f"{server.url}{path}")
            page.wait_for_timeout(_REST_MS)
            visits.append(page.evaluate("shift"))
            page.close()
    context.close()
    return {path: visits[1:] for path, visits in found.items()}


def tables(result: dict[str, Any]) -> list[Table]:
    """The median of all visits."""
    rows = [
        [title, *(f"{median(result['shift'][device][path]):.2f}" for device in DEVICES)]
        for path, title in PAGES.items()
    ]
    note = "Cumulative layout shift of later visits; 0.1 is good."
    return [Table("The app: what moves while a page loads", ("page", *DEVICES), rows, note)]
