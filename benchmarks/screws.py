"""How well made-up screw holes are judged, and how long that takes.

For each seed, 100 normal images train a model of each preset at the default scale; 50 others and 20 of each
defect are judged. Defects are graded: by default their severity is drawn from 0, just visible, to 1,
obvious, so AUROC is also measured at fixed severities. The presets were made on seeds 0 to 2, which are not
measured here. Run: python -m benchmarks screws
"""

from __future__ import annotations

import math
import time
from statistics import mean, median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from benchmarks import report
from vaead.datasets.screws import DEFECTS, Screw, make_screw
from vaead.evaluation import Metrics
from vaead.maps import TermMaps
from vaead.pipeline import train_photos
from vaead.pixel_metrics import PixelMetrics
from vaead.recipe import INDUSTRIAL_SCALE, PHOTO_PRESETS, PhotoOptions, Recipe
from vaead.store import Model
from vaead.terms import SCORES

SEEDS = (11, 12, 13)
SEVERITIES = (0.3, 0.6, 1.0)
NORMAL, TESTED, DEFECTIVE = 100, 50, 20
PLACES = {"thread": (80, 110), "rim": (115, 150), "plate": (180, math.inf)}
"""Distances from the middle in reference pixels that lie in these places in nearly all images."""
RUNS = 5


def run() -> dict[str, Any]:
    """Measure every seed with every preset."""
    presets: dict[str, Any] = {name: {"seeds": []} for name in PHOTO_PRESETS}
    for seed in SEEDS:
        for name, figures in presets.items():
            figures["seeds"].append({"seed": seed, **_measure(seed, name)})
            print(name, figures["seeds"][-1], flush=True)
    for name, figures in presets.items():
        figures["full_size_s"] = _full_size(name)
    return {"scale": INDUSTRIAL_SCALE, "presets": presets}


def _measure(seed: int, preset: str) -> dict[str, Any]:
    start = time.monotonic()
    model = _train([_screw(seed, index).image for index in range(NORMAL)], preset, INDUSTRIAL_SCALE)
    seconds = time.monotonic() - start
    normal = [_screw(seed, 1000 + index) for index in range(TESTED)]
    drawn = {defect: _defective(seed, defect, None) for defect in DEFECTS}
    everything = [*normal, *(screw for screws in drawn.values() for screw in screws)]
    usual = _judge(model, normal)
    anomalous = _judge(model, everything[TESTED:])
    judged = {defect: _judge(model, screws) for defect, screws in drawn.items()}
    graded = {severity: _graded(model, seed, severity) for severity in SEVERITIES}
    by_kind = {defect: _pixels(model, normal + screws) for defect, screws in drawn.items()}
    return {
        "training_s": round(seconds, 1),
        "image_auroc": {score: _auroc(usual, anomalous, score) for score in SCORES},
        "by_defect": {
            defect: {score: _auroc(usual, found, score) for score in SCORES}
            for defect, found in judged.items()
        },
        "by_severity": {
            str(severity): {
                score: round(mean(_auroc(usual, terms, score) for terms in each), 4) for score in SCORES
            }
            for severity, each in graded.items()
        },
        "pixel": _pixels(model, everything),
        "pixel_by_defect": by_kind,
        "pixel_by_place": _by_place(model, everything),
    }


def _pixels(model: Model, screws: list[Screw]) -> dict[str, dict[str, float]]:
    """How well pixels of defects are told from all others, by score."""
    terms, masks = _judge(model, screws), [screw.mask for screw in screws]
    found = {score: PixelMetrics.of(list(terms.mean_maps(score)), masks) for score in SCORES}
    return {
        score: {"auroc": round(metrics.auroc, 4), "aupro": round(metrics.aupro, 4)}
        for score, metrics in found.items()
    }


def _by_place(model: Model, screws: list[Screw]) -> dict[str, dict[str, float]]:
    """AUROC of the pixels of one place alone, where to know the place is of no help."""
    terms, masks = _judge(model, screws), np.stack([screw.mask for screw in screws])
    height, width = masks.shape[1:]
    rows, columns = np.indices((height, width))
    distance = np.hypot(rows - height / 2, columns - width / 2) / INDUSTRIAL_SCALE
    found = {}
    for name, (nearest, farthest) in PLACES.items():
        place = (distance >= nearest) & (distance < farthest)
        found[name] = {
            score: round(float(roc_auc_score(masks[:, place].ravel(), maps[:, place].ravel())), 4)
            for score in SCORES
            for maps in (terms.mean_maps(score),)
        }
    return found


def _screw(seed: int, index: int, defect: str | None = None, severity: float | None = None) -> Screw:
    return make_screw(seed, index, defect, severity, INDUSTRIAL_SCALE)


def _defective(seed: int, defect: str, severity: float | None) -> list[Screw]:
    first = 2000 + 100 * DEFECTS.index(defect)
    return [_screw(seed, first + index, defect, severity) for index in range(DEFECTIVE)]


def _graded(model: Model, seed: int, severity: float) -> list[TermMaps]:
    return [_judge(model, _defective(seed, defect, severity)) for defect in DEFECTS]


def _train(images: list[NDArray[np.uint8]], preset: str, scale: float, **settings: int) -> Model:
    card, parts, _ = train_photos(images, Recipe.from_photos(PhotoOptions(scale=scale), preset, **settings))
    return Model(card, parts)


def _judge(model: Model, screws: list[Screw]) -> TermMaps:
    return model.term_maps(np.stack([screw.image for screw in screws]))


def _auroc(normal: TermMaps, anomalous: TermMaps, score: str) -> float:
    return round(Metrics.of(normal.image_scores(score), anomalous.image_scores(score)).auroc, 4)


def _full_size(preset: str) -> list[float]:
    """Seconds to judge one image of 640x480 with windows of 96x96 every 16 pixels; how well plays no part."""
    images = [make_screw(SEEDS[0], index).image for index in range(4)]
    model = _train(images, preset, 1.0, epochs=1, crops=256)
    seconds = []
    for _ in range(RUNS + 1):
        start = time.monotonic()
        model.term_maps(images[0][None])
        seconds.append(round(time.monotonic() - start, 3))
    return seconds[1:]


def rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Lines for the table of the README."""
    main, *others = result["presets"].items()
    lines = _rows(*main, SCORES)
    for name, figures in others:  # old and new are those of the main network, which is the same
        lines += _rows(name, figures, ("calibrated",))
    return lines


def _rows(preset: str, figures: dict[str, Any], scores: tuple[str, ...]) -> list[tuple[str, str]]:
    def means(values: list[dict[str, Any]]) -> str:
        return ", ".join(
            f"{score} {mean(_auroc_in(value[score]) for value in values):.3f}" for score in scores
        )

    seeds = figures["seeds"]

    def by(group: str) -> str:
        return "; ".join(
            f"{name.replace('_', ' ')}: " + means([seed[group][name] for seed in seeds])
            for name in seeds[0][group]
        )

    return [
        (
            f"Screws, `{preset}`, image AUROC, mean of {len(seeds)} seeds",
            means([seed["image_auroc"] for seed in seeds]),
        ),
        ("... by severity of the defect", by("by_severity")),
        ("... by kind of defect", by("by_defect")),
        (f"Screws, `{preset}`, pixel AUROC", means([seed["pixel"] for seed in seeds])),
        ("... by kind of defect, each with all normal images", by("pixel_by_defect")),
        ("... of the pixels of one place alone", by("pixel_by_place")),
        (
            f"Screws, `{preset}`, AUPRO",
            means([{score: seed["pixel"][score]["aupro"] for score in scores} for seed in seeds]),
        ),
        (
            f"Training `{preset}` on 100 screws of 640x480 at a quarter of the size",
            f"{median(seed['training_s'] for seed in seeds):.0f} s",
        ),
        (
            f"One image of 640x480, 96x96 windows every 16 pixels, `{preset}`",
            f"{median(figures['full_size_s']):.2f} s",
        ),
    ]


def _auroc_in(figure: float | dict[str, float]) -> float:
    """The AUROC of images is stored as a number, that of pixels beside AUPRO."""
    return figure["auroc"] if isinstance(figure, dict) else figure


if __name__ == "__main__":
    result = run()
    report.save("screws", result)
    print(*rows(result), sep="\n")
