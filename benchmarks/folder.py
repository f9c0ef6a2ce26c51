"""Rate and memory of scoring a large folder by the command line, with a table and a report.

Run: python -m benchmarks folder

100 and 10,000 screws of 160x120 pixels are scored in one process, and in one process a core, which is the
default for many; the few several times, before and after the many. Of the images 500 are
different; the others are links to those. The rate is that between the first image and the last, so it leaves
out the start of Python and of the processes. Memory is that of all processes together, looked at five times a
second; what they share counts for each.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import joblib
from PIL import Image

from benchmarks import report
from benchmarks.memory import PeakMemory
from benchmarks.report import Table
from vaead.data.screws.generator import DEFECTS, make_screw
from vaead.model.folder import save_model
from vaead.recipe import PhotoSource, Recipe
from vaead.training.pipeline import train_photos

FEW, MANY, DIFFERENT = 100, 10_000, 500
SCALE = 0.25
SEED = 21
TURNS = 3


def run() -> dict[str, Any]:
    """Measure both sizes of folders."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _train(folder / "model")
        _make(folder)
        by_jobs = {}
        for jobs in (1, joblib.cpu_count()):
            few = [_score(folder, FEW, jobs) for _ in range(TURNS)]
            many = _score(folder, MANY, jobs)
            few += [_score(folder, FEW, jobs) for _ in range(TURNS)]
            by_jobs[str(jobs)] = {"few": few, "many": many}
    return {"seed": SEED, "scale": SCALE, "different": DIFFERENT, "by_jobs": by_jobs}


def _train(folder: Path) -> None:
    """How well it judges plays no part."""
    images = [make_screw(SEED, index, scale=SCALE).image for index in range(20)]
    recipe = Recipe.from_preset(
        "industrial", PhotoSource(scale=1), patch_size=24, stride=4, epochs=1, crops=2048
    )
    save_model(folder, train_photos(images, recipe))


def _make(folder: Path) -> None:
    """One folder of the different images, and two of links to them."""
    (folder / "different").mkdir()
    for index in range(DIFFERENT):
        defect = DEFECTS[index // 4 % len(DEFECTS)] if index % 4 == 0 else None
        screw = make_screw(SEED, 1000 + index, defect, None, SCALE)
        Image.fromarray(screw.image).save(folder / "different" / f"{index}.png")
    for count in (FEW, MANY):
        (folder / str(count)).mkdir()
        for index in range(count):
            (folder / str(count) / f"{index:05}.png").hardlink_to(
                folder / "different" / f"{index % DIFFERENT}.png"
            )


def _score(folder: Path, count: int, jobs: int) -> dict[str, Any]:
    score = [sys.executable, "-m", "vaead", "score", "--model", folder / "model", folder / str(count)]
    outputs = ["--csv", folder / "scores.csv", "--report", folder / "report.html"]
    command = [*score, *outputs, "--jobs", jobs]
    started = time.monotonic()
    with subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True) as child:
        memory = PeakMemory(child.pid)
        assert child.stdout is not None
        times = [time.monotonic() for _ in child.stdout]
        child.wait()
        peak_bytes = memory.stop()
    if child.returncode or len(times) != count:
        raise RuntimeError(f"scored {len(times)} of {count} images, exit code {child.returncode}")
    result = {
        "images_per_s": _rate(times),
        "images_per_s_by_quarter": [_rate(times[i * count // 4 : (i + 1) * count // 4]) for i in range(4)],
        "seconds_with_start": round(time.monotonic() - started, 2),
        "start_s": round(times[0] - started, 2),
        "peak_bytes": peak_bytes,
    }
    print(jobs, count, result, flush=True)
    return result


def _rate(times: list[float]) -> float:
    # With several processes lines come in batches; those of the first were done before the clock starts.
    first = sum(each - times[0] < 0.02 for each in times)
    return round((len(times) - first) / (times[-1] - times[0]), 2)


def tables(result: dict[str, Any]) -> list[Table]:
    """Rate and memory by number of processes and of photos."""
    rows = []
    for jobs, measured in result["by_jobs"].items():
        few, many = measured["few"], measured["many"]
        rate, peak = median(each["images_per_s"] for each in few), max(each["peak_bytes"] for each in few)
        rows.append([jobs, f"{FEW:,}", f"{rate:.0f}", f"{peak / 1e6:.0f} MB"])
        rows.append([jobs, f"{MANY:,}", f"{many['images_per_s']:.0f}", f"{many['peak_bytes'] / 1e6:.0f} MB"])
    return [
        Table(
            "The command line: a folder of photos of 160x120, with table and report",
            ("processes", "photos", "images a second", "peak memory of all processes"),
            rows,
            "Of a small folder each photo is drawn for the report, of a large one the most anomalous alone.",
        )
    ]


if __name__ == "__main__":
    result = run()
    report.save("folder", result)
    print(*tables(result), sep="\n\n")
