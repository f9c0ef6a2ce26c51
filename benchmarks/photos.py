"""How well defects in real product photos are found, with every default.

For each set of photos in VAEAD_PHOTOS_DIR, in the layout of MVTec AD, and each seed, a model is trained on
the normal photos with the settings that are proposed for them, and scores all test photos. Beside it stand
the baselines of `evaluate`. The proposals follow from facts of normal photos alone.

Run: python -m benchmarks photos
"""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Table
from vaead.data.photos import Limits, Photo, Rejected, find_photos, read_mask, read_photo
from vaead.data.photos.photo import NORMAL
from vaead.data.photos.survey import examine_each
from vaead.inference.read_photos import read_options
from vaead.metrics.baselines import BASELINES, Baselines
from vaead.metrics.image import Metrics
from vaead.metrics.pixel import PixelCounts
from vaead.model.model import Model
from vaead.photo_defaults import PhotoDefaults
from vaead.recipe import Recipe
from vaead.scoring.loss_terms import SCORES
from vaead.training.pipeline import train_photos

SEEDS = (0, 1, 2)
VARIABLE = "VAEAD_PHOTOS_DIR"
_RATE = 0.05


def run() -> dict[str, Any]:
    """Measure every set with every seed."""
    root = os.environ.get(VARIABLE)
    if not root:
        raise click.ClickException(f"{VARIABLE} must name a folder of sets of photos, got nothing")
    sets: dict[str, list[dict[str, Any]]] = {}
    for seed in SEEDS:
        for folder in sorted(path for path in Path(root).iterdir() if path.is_dir()):
            sets.setdefault(folder.name, []).append(measure(folder, seed))
            print(folder.name, sets[folder.name][-1], flush=True)
    return {"sets": sets}


def measure(folder: Path, seed: int, **training: Any) -> dict[str, Any]:
    """Train on the normal photos of a set, with other settings if given, and score the others."""
    found = find_photos(folder)
    facts = [each for each in examine_each(found.to_train, Limits()) if not isinstance(each, Rejected)]
    defaults = PhotoDefaults.choose(facts)
    settings = {"patch_size": defaults.patch_size, "seed": seed} | training
    recipe = Recipe.from_preset("industrial", defaults.source, **settings)
    normal = [read(photo, recipe) for photo in found.to_train]
    model, baselines = train_photos(normal, recipe), Baselines.fit(normal)
    names = (*SCORES, *BASELINES)
    scores: dict[str, dict[bool, list[float]]] = {name: {True: [], False: []} for name in names}
    counts = {name: PixelCounts() for name in SCORES}
    for photo in found.test:
        image = read(photo, recipe)
        anomalous = photo.defect != NORMAL
        terms, mask = model.term_maps(image[None]), _mask(photo, image, recipe)
        for name in SCORES:
            scores[name][anomalous].append(float(terms.image_scores(name)[0]))
            if mask is not None:
                counts[name].add(terms.anomaly_maps(name)[0], mask)
        for name, values in baselines.scores([image]).items():
            scores[name][anomalous].append(float(values[0]))
    return {
        "seed": seed,
        "even_light": recipe.source.even_light,
        "aligned": recipe.source.aligned,
        "scale": recipe.source.scale,
        "auroc": {name: _auroc(by_side) for name, by_side in scores.items()},
        "false_alarms": _false_alarms(model, scores["calibrated"][False]),
        "pixel": _pixel(counts) if any(photo.masks for photo in found.test) else None,
        "trial_auroc": model.card.trial_auroc,
        "held_out_loss": model.card.networks[0].history[-1].held_out_loss,
        "seconds": model.card.training_s,
    }


def read(photo: Photo, recipe: Recipe) -> NDArray[np.float32]:
    """Read a photo as a model of this recipe reads it."""
    return read_photo(photo.source, photo.label, read_options(recipe))


def _mask(photo: Photo, image: NDArray[np.float32], recipe: Recipe) -> NDArray[np.bool_] | None:
    if photo.defect == NORMAL:
        return np.zeros(image.shape[:2], np.bool_)
    if not photo.masks:
        return None
    masks = [(mask, mask) for mask in photo.masks]
    shape = (image.shape[0], image.shape[1])
    return read_mask(masks, (photo.source, photo.label), shape, read_options(recipe)).pixels


def _auroc(by_side: dict[bool, list[float]]) -> float:
    return round(Metrics.compute(np.array(by_side[False]), np.array(by_side[True])).auroc, 4)


def _false_alarms(model: Model, normal: list[float]) -> float:
    threshold = model.card.normal_scores.threshold_value("calibrated", _RATE)
    return round(float(np.mean(np.array(normal) > threshold)), 4)


def _pixel(counts: dict[str, PixelCounts]) -> dict[str, dict[str, float]]:
    found = {name: each.metrics() for name, each in counts.items()}
    return {name: {"auroc": each.auroc, "aupro": each.aupro} for name, each in found.items()}


def tables(result: dict[str, Any]) -> list[Table]:
    """Medians of the seeds."""
    rows = []
    for name, runs in result["sets"].items():
        aurocs = [f"{median(run['auroc'][score] for run in runs):.3f}" for score in (*SCORES, *BASELINES)]
        spread = f"{min(run['auroc']['calibrated'] for run in runs):.3f} to "
        spread += f"{max(run['auroc']['calibrated'] for run in runs):.3f}"
        alarms = f"{100 * median(run['false_alarms'] for run in runs):.0f}%"
        rows.append([name, *aurocs, spread, alarms, f"{median(run['seconds'] for run in runs):.0f} s"])
    pixel = [
        [f"{name}, {score}"]
        + [f"{median(run['pixel'][score][metric] for run in runs):.3f}" for metric in ("auroc", "aupro")]
        for name, runs in result["sets"].items()
        if runs[0]["pixel"]
        for score in SCORES
    ]
    columns = (
        "set",
        *SCORES,
        *(name.replace("_", " ") for name in BASELINES),
        "range of calibrated",
        "normal flagged at 5 %",
        "training",
    )
    return [
        Table(
            "Real photos, every default: image AUROC, median of 3 seeds",
            columns,
            rows,
            "Brightness is the deviation of the mean from that of normal photos: it has found no defect. The "
            "others are plain, see `vaead.metrics.baselines`. "
            "hazelnut has two normal test photos, too few for an AUROC of images.",
        ),
        Table("Real photos, every default: maps, median of 3 seeds", ("set, score", "AUROC", "AUPRO"), pixel),
    ]
