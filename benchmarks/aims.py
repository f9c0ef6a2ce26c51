"""What visitors and users wait for, and what it costs, each with its aim.

Run: python -m benchmarks aims

- Evaluate on a fresh server in a browser without a cache, by the models that come with vaead: until the table
  of metrics stands there, and until the matrix of all pairs does.
- `train` of the preset `article` as a whole command, and of photos: memory of all its processes together, and
  for 760 photos what comes after the last epoch.

The other aims are measured by `training`, `scoring` and `first_picture`; the table takes them from there.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import sync_playwright

from benchmarks import report
from benchmarks.browser import launch
from benchmarks.memory import PeakMemory
from benchmarks.report import Table
from benchmarks.server import running
from vaead.data.screws.generator import make_screw
from vaead.model.folder import load_card

STARTS = 3
SEED = 31
LARGE_PX, FEW, MANY = 1024, 40, 760
_PAIR = {"dataset": "MNIST", "normal": "3", "anomalous": "5"}

# Runs in the page; `performance.now()` counts from its opening.
_WHEN = """
window.when = selector => new Promise((resolve, reject) => {
    const look = () => {
        if (document.querySelector(selector)) resolve(performance.now() / 1000);
        else if (performance.now() > 120000) reject(new Error(selector));
        else requestAnimationFrame(look);
    };
    look();
});
"""
_TABLE = ".st-key-metrics [data-testid=stTable] td"
_MATRIX = ".st-key-matrix_figure .heatmaplayer image"


def run() -> dict[str, Any]:
    """Measure everything."""
    one, all_others = (
        [_evaluate(_PAIR | more) for _ in range(STARTS)] for more in ({}, {"against_all": "true"})
    )
    print(one, all_others, flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        article = _train("--dataset", "mnist", "--normal", "1", "--store", folder / "store")
        _photos(folder / "large", FEW, (LARGE_PX, LARGE_PX))
        large = _train("--images", folder / "large", "--out", folder / "of large")
        _photos(folder / "many", MANY, (160, 120))
        many = _train("--images", folder / "many", "--out", folder / "of many")
        card = load_card(folder / "of many")
    epochs_s = card.networks[0].history[-1].elapsed_s
    return {
        "evaluate": one,
        "evaluate_all": all_others,
        "article": article,
        "large": large,
        "many": many | {"epochs_s": epochs_s, "after_s": card.training_s - epochs_s},
    }


def _evaluate(link: dict[str, str]) -> dict[str, float]:
    """Seconds on a fresh server until the table and the matrix stand there."""
    with sync_playwright() as playwright, running(shipped=True) as server:
        browser = launch(playwright)
        context = browser.new_context(locale="en-US")
        context.add_init_script(_WHEN)
        page = context.new_page()
        page.goto(f"{server.url}evaluate?{urlencode(link)}", wait_until="commit")
        found = {
            "table_s": page.evaluate(f"when({_TABLE!r})"),
            "matrix_s": page.evaluate(f"when({_MATRIX!r})"),
        }
        browser.close()
    return found


def _photos(folder: Path, count: int, size: tuple[int, int]) -> None:
    folder.mkdir()
    for index in range(count):
        image = Image.fromarray(make_screw(SEED, index, scale=0.25).image)
        image.resize(size).save(folder / f"{index:03}.png")


def _train(*options: object) -> dict[str, float]:
    """Seconds and peak memory of a whole command."""
    start = time.monotonic()
    command = [sys.executable, "-m", "vaead", "train", *map(str, options), "--progress", "json"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        memory = PeakMemory(child.pid)
        child.wait()
        peak_bytes = memory.stop()
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}")
    found = {"seconds": time.monotonic() - start, "peak_bytes": peak_bytes}
    print(options[0], found, flush=True)
    return found


def tables(result: dict[str, Any]) -> list[Table]:
    """All aims, those of other benchmarks too."""
    training, scoring, first = (report.load(name) or {} for name in ("training", "scoring", "first_picture"))

    def middle(name: str, key: str) -> str:
        return f"{median(each[key] for each in result[name]):.1f} s"

    thousand = {name: parts[0] for name, parts in scoring["many_images"].items()}
    visit_s = median(start["first_visit_s"] for start in first["starts"])
    many = result["many"]
    rows = [
        ["Evaluate, first visit: table of metrics", middle("evaluate", "table_s"), "2.5 s"],
        ["Evaluate, first visit: matrix", middle("evaluate", "matrix_s"), "2.5 s"],
        ["Evaluate against all others, first visit", middle("evaluate_all", "table_s"), "5 s"],
        ["all scores of 1,000 test images, `article`", f"{thousand['article']['seconds']:.2f} s", "0.35 s"],
        [
            "an epoch of `article` against plain Keras `fit`",
            f"{training['ratio']:.1f} times as fast",
            "8 times",
        ],
        ["`train` of `article` as a whole command", f"{result['article']['seconds']:.0f} s", "30 s"],
        ["its peak memory", _mb(result["article"]["peak_bytes"]), "800 MB"],
        [
            f"peak memory of `train` with photos of {LARGE_PX}x{LARGE_PX}",
            _mb(result["large"]["peak_bytes"]),
            "900 MB",
        ],
        [
            f"after the last epoch with {MANY} photos, of the time before",
            f"{100 * many['after_s'] / many['epochs_s']:.0f} %",
            "33 %",
        ],
        ["first visit to a fresh server, both maps", f"{visit_s:.1f} s", "2.5 s"],
    ]
    return [Table("Aims", ("what", "measured", "aim"), rows)]


def _mb(n_bytes: float) -> str:
    return f"{n_bytes / 1e6:,.0f} MB"
