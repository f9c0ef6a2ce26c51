"""Many visitors while two others ask for all that the page gives: a training, and photos that take long.

Run: python -m benchmarks.rough_visitors

30 visitors as in `benchmarks.visitors`. Beside them, in a browser, one first brings a model with a loop,
which must be refused in a sentence, and then has photos of 12 million pixels scored by the demo's model;
another one trains a model. At the end the server gets SIGTERM while all that goes on.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import os
import signal
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import flatbuffers
import numpy as np
import psutil
from ai_edge_litert import schema_py_generated as schema
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks import report
from benchmarks.browser import launch
from benchmarks.report import Table
from benchmarks.server import ROOT, Server, running
from benchmarks.visitors import visits

SESSIONS = 30
_MODEL = ROOT / "models" / "screws" / "industrial"
_PHOTOS = 40
_SIZE = (3000, 4000)


def _zip(folder: Path, program: bytes | None = None) -> Path:
    """The model of the demo as a ZIP, maybe with another program."""
    files = {file.name: file.read_bytes() for file in _MODEL.iterdir()}
    if program is not None:
        files["network0.tflite.gz"] = gzip.compress(program)
        card = json.loads(files["card.json"])
        card["sha256"]["network0.tflite.gz"] = hashlib.sha256(files["network0.tflite.gz"]).hexdigest()
        files["card.json"] = json.dumps(card).encode()
    path = folder / f"{'sound' if program is None else 'loop'}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def _loop() -> bytes:
    """The program of the demo with a loop in place of an operator."""
    model = schema.ModelT.InitFromPackedBuf(gzip.decompress((_MODEL / "network0.tflite.gz").read_bytes()), 0)
    for code in model.operatorCodes:
        if code.builtinCode == schema.BuiltinOperator.EXP:
            code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.WHILE
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _photos(folder: Path) -> list[Path]:
    files = []
    for number in range(_PHOTOS):
        pixels = np.random.default_rng(number).integers(0, 256, (_SIZE[0] // 20, _SIZE[1] // 20), np.uint8)
        files.append(folder / f"{number}.jpg")
        Image.fromarray(pixels).resize(_SIZE[::-1]).save(files[-1], quality=80)
    return files


def _bring(page: Page, model: Path) -> None:
    page.get_by_role("button", name="Use a model downloaded here").click()
    page.locator("input[type=file]").last.set_input_files(model)


def _lower_priority_of_browsers() -> None:
    """Visitors have computers of their own; here, their browsers must not take the server's."""
    for process in psutil.Process().children(recursive=True):
        if "chrom" in process.name():
            process.nice(19)


def _be_rough(server: Server, folder: Path, told: dict[str, Any], ready: threading.Event) -> None:
    """The two visitors; returns when the server is gone."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        _lower_priority_of_browsers()
        scorer, trainer = browser.new_page(), browser.new_page()
        trainer.goto(f"{server.url}?dataset=MNIST&normal=3&epochs=100")
        trainer.get_by_role("button", name="Train this model").click(timeout=60_000)
        scorer.goto(f"{server.url}images")
        scorer.locator("input[type=file]").nth(1).set_input_files(_photos(folder), timeout=60_000)
        scorer.get_by_role("button", name="Use a model downloaded here").wait_for(timeout=120_000)
        _bring(scorer, _zip(folder, _loop()))
        alert = scorer.get_by_text("which no program of vaead has")
        alert.wait_for(timeout=60_000)
        told["refusal"] = alert.text_content()
        _bring(scorer, _zip(folder))
        scorer.get_by_text("Scoring image").wait_for(timeout=60_000)
        ready.set()
        while server.process.is_running():
            time.sleep(1)


def run() -> dict[str, Any]:
    """Measure all visitors while the others are at work, and how long the server takes to end."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, running() as server:
        ready, told = threading.Event(), dict[str, Any]()
        rough = threading.Thread(target=_be_rough, args=(server, Path(folder), told, ready), daemon=True)
        rough.start()
        if not ready.wait(300):
            raise RuntimeError("the visitors in the browser are not served")
        result = asyncio.run(visits(server, SESSIONS))
        children = server.process.children(recursive=True)
        start = time.perf_counter()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(60)
        end_s = time.perf_counter() - start
        left = [child.pid for child in children if child.is_running()]
    return {
        "load_average": load,
        "sessions": SESSIONS,
        "children": len(children),
        "end_s": end_s,
        "children_left": len(left),
        **told,
        **result,
    }


def tables(result: dict[str, Any]) -> list[Table]:
    """Waiting times of the visitors, memory, and the end of the server."""
    draws = quantiles(result["draw_s"], n=100)
    errors = len(result["errors"]) + result["faults_in_log"]
    rows = [
        ["wait, median / 95th percentile", f"{1000 * median(draws):.0f} / {1000 * draws[94]:.0f} ms"],
        ["errors", str(errors)],
        ["largest resident memory of the server", f"{max(result['resident_mb']):.0f} MB"],
        ["end of the server after SIGTERM", f"{result['end_s']:.1f} s"],
        ["its children then, and those left", f"{result['children']}, {result['children_left']}"],
    ]
    title = f"The app: {result['sessions']} visitors beside a training and the scoring of large photos"
    return [Table(title, ("what", "figure"), rows)]


if __name__ == "__main__":
    result = run()
    report.save("rough_visitors", result)
    print(*tables(result), sep="\n\n")
