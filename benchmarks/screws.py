"""How well made-up screw holes are judged, and how long that takes.

For each seed, 100 normal images of 640x480 train a model of each preset, which reads them at its own scale;
50 others and 20 of each defect are judged. Defects are graded: by default their severity is drawn from 0 to
1, obvious, so AUROC is also measured at fixed severities. The presets were made on seeds 0 to 2, which are
not measured here. Run: python -m benchmarks screws
"""

from __future__ import annotations

import math
import time
from statistics import mean, median
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks import report
from benchmarks.report import Table
from benchmarks.screw_photos import (
    DEFECTIVE,
    NORMAL,
    SEEDS,
    TESTED,
    TRAIN,
    ScrewPhoto,
    auroc,
    compute_terms,
    read_screws,
    train,
)
from vaead.data.photos.photo import NORMAL as GOOD
from vaead.data.screws.generator import DEFECTS, make_screw
from vaead.data.screws.screw_set import ScrewSet
from vaead.metrics.baselines import BASELINES, Baselines
from vaead.metrics.image import Metrics
from vaead.metrics.pixel import PixelMetrics
from vaead.photo_defaults import default_scale
from vaead.presets import preset_names
from vaead.scoring.loss_terms import SCORES
from vaead.scoring.patches import unit
from vaead.scoring.term_maps import TermMaps

SEVERITIES = (0.3, 0.6, 1.0)
PLACES = {"thread": (80, 110), "rim": (115, 150), "plate": (180, math.inf)}
"""Distances from the middle in reference pixels that lie in these places in nearly all images."""
RUNS = 5
SCALE = default_scale(640)
_ON_IMAGES = """What calibrated misses are slight scratches and torn threads in the dark; of defects of medium
severity (0.6) and above it misses next to nothing."""
_ON_PIXELS = """Over the pixels of all images, new is not above old. Chips and broken threads can only lie on
the rim or in the thread, where old is high in every image, defect or not, so for these two it gains from the
location alone. It does not for the other three, where new is above it, and within the thread, the rim or the
plate taken alone new is above it, too."""


def run() -> dict[str, Any]:
    """Measure every seed with every preset."""
    presets: dict[str, Any] = {name: {"seeds": []} for name in preset_names(for_photos=True)}
    for seed in SEEDS:
        for name, figures in presets.items():
            figures["seeds"].append({"seed": seed, **_measure(seed, name)})
            print(name, figures["seeds"][-1], flush=True)
    for name, figures in presets.items():
        figures["full_size_s"] = _full_size(name)
        figures["scale"] = SCALE
    return {"presets": presets}


def _measure(seed: int, preset: str) -> dict[str, Any]:
    scale = SCALE
    photos = read_screws(ScrewSet(seed, NORMAL, TESTED, DEFECTIVE), scale)
    learned = [photo.image for photo in photos.pop(TRAIN)]
    start = time.monotonic()
    model = train(learned, preset, scale)
    seconds = time.monotonic() - start
    normal, drawn = photos[GOOD], {defect: photos[defect] for defect in DEFECTS}
    everything = [*normal, *(photo for found in drawn.values() for photo in found)]
    good, together = compute_terms(model, normal), compute_terms(model, everything)
    baselines = Baselines.fit(learned)
    plain_good = baselines.scores([photo.image for photo in normal])

    def aurocs(defective: list[ScrewPhoto]) -> dict[str, float]:
        terms = compute_terms(model, defective)
        plain = baselines.scores([photo.image for photo in defective])
        found = {score: auroc(good, terms, score) for score in SCORES}
        return found | {
            name: round(Metrics.compute(plain_good[name], plain[name]).auroc, 4) for name in BASELINES
        }

    def mean_aurocs(severity: float) -> dict[str, float]:
        graded = read_screws(ScrewSet(seed, 0, 0, DEFECTIVE, (severity,)), scale)
        found = [aurocs(graded[defect]) for defect in DEFECTS]
        return {name: round(mean(each[name] for each in found), 4) for name in found[0]}

    return {
        "training_s": round(seconds, 1),
        "image_auroc": aurocs(everything[len(normal) :]),
        "by_defect": {defect: aurocs(found) for defect, found in drawn.items()},
        "by_severity": {str(severity): mean_aurocs(severity) for severity in SEVERITIES},
        "pixel": _pixels(together, everything),
        "pixel_by_defect": {
            defect: _pixels(compute_terms(model, normal + found), normal + found)
            for defect, found in drawn.items()
        },
        "pixel_by_place": _by_place(together, everything, scale),
    }


def _pixels(terms: TermMaps, photos: list[ScrewPhoto]) -> dict[str, dict[str, float]]:
    """How well pixels of defects are told from all others, by score."""
    masks = [photo.mask for photo in photos]
    found = {score: PixelMetrics.compute(list(terms.anomaly_maps(score)), masks) for score in SCORES}
    return {
        score: {"auroc": round(metrics.auroc, 4), "aupro": round(metrics.aupro, 4)}
        for score, metrics in found.items()
    }


def _by_place(terms: TermMaps, photos: list[ScrewPhoto], scale: float) -> dict[str, dict[str, float]]:
    """AUROC of the pixels of one place alone, where to know the place is of no help."""
    masks = np.stack([photo.mask for photo in photos])
    height, width = masks.shape[1:]
    rows, columns = np.indices((height, width))
    distance = np.hypot(rows - height / 2, columns - width / 2) / scale
    found = {}
    for name, (nearest, farthest) in PLACES.items():
        place = (distance >= nearest) & (distance < farthest)
        found[name] = {
            score: round(float(roc_auc_score(masks[:, place].ravel(), maps[:, place].ravel())), 4)
            for score in SCORES
            for maps in (terms.anomaly_maps(score),)
        }
    return found


def _full_size(preset: str) -> list[float]:
    """Seconds to judge one image of 640x480 with windows of 96x96 every 16 pixels; how well plays no part."""
    images = [unit(make_screw(SEEDS[0], index).image) for index in range(4)]
    model = train(images, preset, 1.0, epochs=1, crops=256)
    seconds = []
    for _ in range(RUNS + 1):
        start = time.monotonic()
        model.term_maps(images[0][None])
        seconds.append(round(time.monotonic() - start, 3))
    return seconds[1:]


def tables(result: dict[str, Any]) -> list[Table]:
    """Image AUROC, pixel AUROC and AUPRO of each preset, and its times."""
    listed = [
        table for name, figures in result["presets"].items() for table in _tables(name, figures, SCORES)
    ]
    times = [
        [f"`{name}`", _seconds(figures, "training_s", ".0f"), f"{median(figures['full_size_s']):.2f} s"]
        for name, figures in result["presets"].items()
    ]
    columns = ("preset", "training on 100 images of 640x480", "scoring one of them")
    return [*listed, Table("Screws: time", columns, times)]


def _seconds(figures: dict[str, Any], name: str, form: str) -> str:
    return f"{median(seed[name] for seed in figures['seeds']):{form}} s"


def _tables(preset: str, figures: dict[str, Any], scores: tuple[str, ...]) -> list[Table]:
    seeds = figures["seeds"]

    def rows(group: str, what: str, names: tuple[str, ...] = scores) -> list[list[str]]:
        return [
            [what.format(name.replace("_", " ")), *means([seed[group][name] for seed in seeds], names)]
            for name in seeds[0][group]
        ]

    def means(values: list[dict[str, Any]], names: tuple[str, ...] = scores) -> list[str]:
        return [f"{mean(_auroc_in(value[name]) for value in values):.3f}" for name in names]

    of_images = (*scores, *BASELINES)
    aupro = [{score: seed["pixel"][score]["aupro"] for score in scores} for seed in seeds]
    images = [
        ["all", *means([seed["image_auroc"] for seed in seeds], of_images)],
        *rows("by_severity", "severity {}", of_images),
        *rows("by_defect", "{}", of_images),
    ]
    pixels = [
        ["all, AUPRO", *means(aupro)],
        ["all", *means([seed["pixel"] for seed in seeds])],
        *rows("pixel_by_defect", "{}, with all normal images"),
        *rows("pixel_by_place", "pixels of the {} alone"),
    ]
    title = f"Screws, `{preset}`: {{}} AUROC, mean of {len(seeds)} seeds"
    return [
        Table(
            title.format("image"),
            ("defects", *(name.replace("_", " ") for name in of_images)),
            images,
            _ON_IMAGES,
        ),
        Table(title.format("pixel"), ("pixels", *scores), pixels, _ON_PIXELS),
    ]


def _auroc_in(figure: float | dict[str, float]) -> float:
    """The AUROC of images is stored as a number, that of pixels beside AUPRO."""
    return figure["auroc"] if isinstance(figure, dict) else figure


if __name__ == "__main__":
    result = run()
    report.save("screws", result)
    print(*tables(result), sep="\n\n")
