"""Scoring speed and memory.

Run: python -m benchmarks.scoring

- One image, all scores and their maps, against one Keras call a window, as the tutorial does it, in turns.
- 1,000, 10,000 and 60,000 images of 28x28, all scores, each in a process of its own for its peak memory.
- One 4000x3000 image with 96x96 windows every 16 pixels, old and new.

Speed does not depend on the weights, so the networks are not trained, and nothing is calibrated.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from msgspec.structs import replace

from benchmarks import report
from benchmarks.report import Table
from vaead.calibration.class_images import ClassReference
from vaead.calibration.gaussian import GaussianReference
from vaead.calibration.whole import WholeReference
from vaead.config import NetworkConfig
from vaead.model.model import Model, TrainedNetwork
from vaead.model.store import ModelStore
from vaead.presets import get_preset
from vaead.recipe import ClassSource, Recipe
from vaead.scoring.patches import PatchGrid

COUNTS = (1_000, 10_000, 60_000)
SIDE = 28
COMPONENTS = 128
TURNS = 3
LARGE = NetworkConfig(network="dense", patch_size=96, stride=16)
CONFIGS = {
    "article": get_preset("article").networks[0],
    "position-aware": get_preset("position-aware").networks[0],
    "large": LARGE,
}


def export(config: NetworkConfig) -> bytes:
    """The program of an untrained network."""
    from vaead.training.export import to_litert
    from vaead.training.network import Vae

    return to_litert(Vae(config))


def untrained(program: bytes, config: NetworkConfig) -> Model:
    """The model of an untrained network, with the card of another one and a meaningless reference."""
    side = max(SIDE, config.patch_size)
    rows, cols = PatchGrid(side, side, config.patch_size, config.stride).shape
    shape = (rows * cols, 4 + config.latent_dim)
    size = shape[0] * shape[1]
    components = np.eye(min(COMPONENTS, size // 2), size, dtype=np.float16)
    variance = np.full(len(components), 2, np.float32)
    zeros, ones = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    place = GaussianReference(zeros, ones, zeros.ravel(), components, variance, np.array(1, np.float32))
    count = WholeReference.n_statistics(config)
    zero, one = np.zeros(count, np.float32), np.ones(count, np.float32)
    whole = WholeReference(zero, one, zero, np.eye(count, dtype=np.float32))
    reference = ClassReference(np.zeros(2, np.float32), np.ones(2, np.float32), place, whole)
    card = ModelStore().load_card(Recipe.from_preset("article", ClassSource("digits", 0)))
    card = replace(card, recipe=replace(card.recipe, networks=(config,)), image_shape=(side, side))
    return Model(card, [TrainedNetwork(config, program, reference)])


def run() -> dict[str, Any]:
    """Measure everything."""
    with tempfile.TemporaryDirectory() as folder:
        programs = {name: Path(folder) / name for name in CONFIGS}
        for name, file in programs.items():
            file.write_bytes(export(CONFIGS[name]))
        many = {
            name: [_in_a_process(name, programs[name], count) for count in COUNTS]
            for name in ("article", "position-aware")
        }
        large = _in_a_process("large", programs["large"], 0)
        one = _one_image(programs["article"].read_bytes())
    return {"one_image": one, "many_images": many, "large_image": large}


def _one_image(program: bytes) -> dict[str, Any]:
    from benchmarks import plain

    config = CONFIGS["article"]
    model = untrained(program, config)
    image = np.random.default_rng(0).random((1, SIDE, SIDE), np.float32)
    slow = plain.build(config.sigma2_floor)
    grid = PatchGrid(SIDE, SIDE, config.patch_size, config.stride)
    plain_s, ours_s = [], []
    for turn in range(TURNS + 1):
        start = time.perf_counter()
        plain.score_image(slow, image[0], grid)
        middle = time.perf_counter()
        for _ in range(100):
            terms = model.term_maps(image)
            terms.sum_maps("old"), terms.sum_maps("new"), terms.sum_maps("calibrated")
        if turn > 0:
            plain_s.append(middle - start)
            ours_s.append((time.perf_counter() - middle) / 100)
    ratio = median(a / b for a, b in zip(plain_s, ours_s, strict=True))
    return {"plain_s": plain_s, "vaead_s": ours_s, "ratio": ratio}


def _in_a_process(name: str, program: Path, count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.scoring", "measure", name, str(program), str(count)]
    result: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    print(name, result, flush=True)
    return result


def measure(name: str, program: str, count: int) -> dict[str, float]:
    """Score so many images (0: one large image) and report seconds and peak memory."""
    shape = (count, SIDE, SIDE) if count else (1, 3000, 4000)
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    model = untrained(Path(program).read_bytes(), CONFIGS[name])
    calls = []
    start = time.perf_counter()
    terms = model.term_maps(images, lambda *progress: calls.append(progress))
    seconds = time.perf_counter() - start
    return {
        "images": count or 1,
        "windows": terms.kl.size,
        "seconds": seconds,
        "peak_bytes": _peak_bytes(),
        "progress_calls": len(calls),
    }


def _peak_bytes() -> int:
    # Not getrusage: what it reports for a new process starts at the peak of its parent.
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def tables(result: dict[str, Any]) -> list[Table]:
    """One image, many images, and a large one: all scores and their maps."""
    one, large = result["one_image"], result["large_image"]
    rows = [
        [f"{part['images']:,} of 28x28, `{name}`", *_figures(part)]
        for name, parts in result["many_images"].items()
        for part in parts
    ]
    rows.append(["1 of 4000x3000, 96x96 windows every 16 pixels", *_figures(large)])
    note = (
        f"One image of 28x28 takes {1000 * median(one['vaead_s']):.2f} ms. With one Keras call a window it "
        f"takes {median(one['plain_s']):.1f} s, {one['ratio']:,.0f} times as long."
    )
    return [Table("Scoring: all scores and their maps", ("images", "time", "peak memory"), rows, note)]


def _figures(part: dict[str, float]) -> tuple[str, str]:
    return f"{part['seconds']:.1f} s", f"{part['peak_bytes'] / 1e6:.0f} MB"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[2], sys.argv[3], int(sys.argv[4]))))
    else:
        report.save("scoring", run())
