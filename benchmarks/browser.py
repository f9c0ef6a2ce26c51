"""The browser of the benchmarks."""

from __future__ import annotations

import shutil

from playwright.sync_api import Browser, Playwright

CHROMIUM_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def launch(playwright: Playwright) -> Browser:
    """Start the Chromium of the system, or else that of Playwright, without a window."""
    path = next((path for path in map(shutil.which, ("chromium", "google-chrome")) if path), None)
    return playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_OPTIONS))
