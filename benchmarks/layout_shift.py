"""How far what one reads jumps while a page loads: cumulative layout shift, of which 0.1 is good.

Each page is opened in a real Chromium on a desktop and on a phone, after a first visit has filled the
browser's cache. Streamlit lays its main area out before its sidebar exists, and then moves it aside; that
part is given on its own. Run: python -m benchmarks layout_shift
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

# What moves is told by its largest part. The main area is the one box as high as the screen.
WATCH = """
window.shifts = [];
new PerformanceObserver(list => {
    for (const entry of list.getEntries()) {
        if (entry.hadRecentInput) continue;
        const first = entry.sources[0]?.previousRect;
        const main = first && first.height >= innerHeight && first.width >= innerWidth;
        shifts.push({value: entry.value, sidebar: Boolean(main)});
    }
}).observe({type: "layout-shift", buffered: true});
"""


def run() -> dict[str, Any]:
    """Measure all pages on both devices."""
    found: dict[str, dict[str, list[dict[str, float]]]] = {}
    with sync_playwright() as playwright, running() as server:
        browser = launch(playwright)
        for device in DEVICES:
            found[device] = _visits(browser, server, device)
            print(device, found[device], flush=True)
        browser.close()
    return {"shift": found}


def _visits(browser: Browser, server: Server, device: str) -> dict[str, list[dict[str, float]]]:
    context = browser.new_context(locale="en-US", **DEVICES[device])
    context.add_init_script(WATCH)
    found: dict[str, list[dict[str, float]]] = {path: [] for path in PAGES}
    for _ in range(VISITS + 1):
        for path, visits in found.items():
            page = context.new_page()
            page.goto(f"{server.url}{path}")
            page.wait_for_timeout(_REST_MS)
            shifts = page.evaluate("shifts")
            visits.append(
                {
                    "all": sum(each["value"] for each in shifts),
                    "sidebar": sum(each["value"] for each in shifts if each["sidebar"]),
                }
            )
            page.close()
    context.close()
    return {path: visits[1:] for path, visits in found.items()}


def tables(result: dict[str, Any]) -> list[Table]:
    """The median of all visits."""
    rows = []
    for path, title in PAGES.items():
        row = [title]
        for device in DEVICES:
            visits = result["shift"][device][path]
            row.append(f"{median(each['all'] - each['sidebar'] for each in visits):.2f}")
            if device == "desktop":
                row.append(f"{median(each['sidebar'] for each in visits):.2f}")
        rows.append(row)
    columns = ("page", "desktop, without the sidebar", "the sidebar's part", "phone")
    note = "Cumulative layout shift of later visits; 0.1 is good. The sidebar's part is Streamlit's."
    return [Table("The app: what moves while a page loads", columns, rows, note)]
