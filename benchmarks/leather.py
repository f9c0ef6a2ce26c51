"""How well defects of a surface in colour are found, with every default, on made-up leather.

Its grain is brighter or darker in red, green and blue alike. Its defects are dull glue, stains that are as
bright as what lies around them, scratches and holes. Each seed draws other photos and trains anew.

Run: python -m benchmarks leather
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from benchmarks import photos
from benchmarks.report import Table

SEEDS = (0, 1, 2)
_SIDE_PX = 512
_CELLS = 2600
_BROWN = np.array([0.45, 0.3, 0.2])
_GLUE = np.array([0.5, 0.42, 0.35])
_TRAIN, _GOOD, _OF_EACH = 60, 30, 15

Pixels = NDArray[np.float64]


def run() -> dict[str, Any]:
    """Draw and measure the set of every seed."""
    runs = []
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            _draw_set(Path(folder), np.random.default_rng(seed))
            runs.append(photos.measure(Path(folder), seed))
        print(runs[-1], flush=True)
    return {"sets": {"leather": runs}}


def tables(result: dict[str, Any]) -> list[Table]:
    """As those of real photos."""
    images, maps = photos.tables(result)
    title = "Made-up leather in colour, every default"
    return [
        Table(f"{title}: image AUROC, median of {len(SEEDS)} seeds", images.columns, images.rows),
        Table(f"{title}: maps, median of {len(SEEDS)} seeds", maps.columns, maps.rows),
    ]


def _draw_set(folder: Path, random: np.random.Generator) -> None:
    for part, count in (("train/good", _TRAIN), ("test/good", _GOOD)):
        for number in range(count):
            _save(folder / part / f"{number:03}.png", _leather(random))
    for defect, change in _DEFECTS.items():
        for number in range(_OF_EACH):
            place = _stroke(random) if defect == "scratch" else _blot(random, *_RADII_PX[defect])
            _save(folder / "test" / defect / f"{number:03}.png", change(_leather(random), place, random))
            _save(folder / "ground_truth" / defect / f"{number:03}_mask.png", place > 0.5)


def _leather(random: np.random.Generator) -> Pixels:
    y, x = np.mgrid[:_SIDE_PX, :_SIDE_PX]
    middles = random.uniform(-20, _SIDE_PX + 20, (_CELLS, 2))
    near, next_one = cKDTree(middles).query(np.stack([y, x], axis=-1), k=2)[0].transpose(2, 0, 1)
    grain = gaussian_filter(1 - np.exp((near - next_one) / 2.2), 0.7)
    clouds = gaussian_filter(random.normal(size=y.shape), _SIDE_PX / 6)
    light = 1 + 0.08 * clouds / clouds.std() + random.normal(0, 0.1) * (x / _SIDE_PX - 0.5)
    brown = _BROWN * random.uniform(0.92, 1.08)
    noise = random.normal(0, 0.012, (*y.shape, 3))
    return np.asarray(brown * ((0.55 + 0.45 * grain) * light)[..., None] + noise)


def _blot(random: np.random.Generator, least_px: float, most_px: float) -> Pixels:
    y, x = np.mgrid[:_SIDE_PX, :_SIDE_PX] - random.uniform(0.25, 0.75, (2, 1, 1)) * _SIDE_PX
    angle, radius_px = np.arctan2(y, x), random.uniform(least_px, most_px)
    waves = sum(random.normal(0, 0.12) * np.cos(k * angle + random.uniform(0, 6)) for k in range(1, 5))
    edge = np.clip((np.hypot(y, x) - radius_px * (1 + waves)) / (0.15 * radius_px), -50, 50)
    return np.asarray(1 / (1 + np.exp(edge)))


def _stroke(random: np.random.Generator) -> Pixels:
    fine = 4  # drawn larger, and made smaller, for smooth edges
    angle, point = random.uniform(0, 2 * np.pi), random.uniform(0.3, 0.7, 2) * _SIDE_PX * fine
    points = [tuple(point)]
    for _ in range(int(random.uniform(80, 200))):
        angle += random.normal(0, 0.1)
        point = point + fine * np.array([np.cos(angle), np.sin(angle)])
        points.append(tuple(point))
    canvas = Image.new("L", (_SIDE_PX * fine, _SIDE_PX * fine))
    ImageDraw.Draw(canvas).line(points, fill=255, width=int(fine * random.uniform(1.2, 2.5)))
    return np.asarray(canvas.resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BOX), float) / 255


def _glue(leather: Pixels, place: Pixels, _: np.random.Generator) -> Pixels:
    share = 0.6 * place[..., None]
    return np.asarray(leather * (1 - share) + share * _GLUE)


def _stain(leather: Pixels, place: Pixels, random: np.random.Generator) -> Pixels:
    colour = random.normal(size=3)
    colour -= colour.mean()
    colour *= random.uniform(0.04, 0.1) / np.linalg.norm(colour)
    return np.asarray(leather + place[..., None] * colour)


def _scratch(leather: Pixels, place: Pixels, random: np.random.Generator) -> Pixels:
    return leather + place[..., None] * float(random.choice([-1, 1]) * random.uniform(0.12, 0.3))


def _hole(leather: Pixels, place: Pixels, random: np.random.Generator) -> Pixels:
    return leather * (1 - place[..., None] * random.uniform(0.5, 0.9))


_DEFECTS: dict[str, Callable[[Pixels, Pixels, np.random.Generator], Pixels]] = {
    "glue": _glue,
    "stain": _stain,
    "scratch": _scratch,
    "hole": _hole,
}
_RADII_PX = {"glue": (12, 25), "stain": (10, 25), "hole": (5, 10)}


def _save(file: Path, pixels: NDArray[np.generic]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.round(255 * np.clip(pixels, 0, 1)).astype(np.uint8)).save(file)
