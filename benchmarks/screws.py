"""How well made-up screw holes are judged, and how long that takes.

For each seed, 100 normal images train a model of the preset `industrial` at its scale; 50 others and 20 of
each defect are judged. Defects are graded: by default their severity is drawn from 0, just visible, to 1,
obvious, so AUROC is also measured at fixed severities. The preset was made on seed 0, which is not measured
here. Run: python -m benchmarks screws
"""

from __future__ import annotations

import time
from statistics import mean, median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import report
from vaead.datasets.screws import DEFECTS, Screw, make_screw
from vaead.evaluation import Metrics
from vaead.maps import TermMaps
from vaead.pipeline import train_photos
from vaead.pixel_metrics import PixelMetrics
from vaead.recipe import INDUSTRIAL_SCALE, PhotoOptions, Recipe
from vaead.store import Model
from vaead.terms import SCORES

SEEDS = (11, 12, 13)
SEVERITIES = (0.3, 0.6, 1.0)
NORMAL, TESTED, DEFECTIVE = 100, 50, 20
RUNS = 5


def run() -> dict[str, Any]:
    """Measure every seed."""
    seeds = []
    for seed in SEEDS:
        seeds.append({"seed": seed, **_measure(seed)})
        print(seeds[-1], flush=True)
    return {"scale": INDUSTRIAL_SCALE, "seeds": seeds, "full_size_s": _full_size()}


def _measure(seed: int) -> dict[str, Any]:
    start = time.monotonic()
    model = _train([_screw(seed, index).image for index in range(NORMAL)], INDUSTRIAL_SCALE)
    seconds = time.monotonic() - start
    normal = [_screw(seed, 1000 + index) for index in range(TESTED)]
    drawn = {defect: _defective(seed, defect, None) for defect in DEFECTS}
    everything = [*normal, *(screw for screws in drawn.values() for screw in screws)]
    usual, terms = _judge(model, normal), _judge(model, everything)
    anomalous = _judge(model, everything[TESTED:])
    judged = {defect: _judge(model, screws) for defect, screws in drawn.items()}
    graded = {severity: _graded(model, seed, severity) for severity in SEVERITIES}
    masks = [screw.mask for screw in everything]
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
        "pixel": {
            score: {"auroc": round(found.auroc, 4), "aupro": round(found.aupro, 4)}
            for score in SCORES
            for found in (PixelMetrics.of(list(terms.mean_maps(score)), masks),)
        },
    }


def _screw(seed: int, index: int, defect: str | None = None, severity: float | None = None) -> Screw:
    return make_screw(seed, index, defect, severity, INDUSTRIAL_SCALE)


def _defective(seed: int, defect: str, severity: float | None) -> list[Screw]:
    first = 2000 + 100 * DEFECTS.index(defect)
    return [_screw(seed, first + index, defect, severity) for index in range(DEFECTIVE)]


def _graded(model: Model, seed: int, severity: float) -> list[TermMaps]:
    return [_judge(model, _defective(seed, defect, severity)) for defect in DEFECTS]


def _train(images: list[NDArray[np.uint8]], scale: float, **settings: int) -> Model:
    card, parts, _ = train_photos(images, Recipe.from_photos(PhotoOptions(scale=scale), **settings))
    return Model(card, parts)


def _judge(model: Model, screws: list[Screw]) -> TermMaps:
    return model.term_maps(np.stack([screw.image for screw in screws]))


def _auroc(normal: TermMaps, anomalous: TermMaps, score: str) -> float:
    return round(Metrics.of(normal.image_scores(score), anomalous.image_scores(score)).auroc, 4)


def _full_size() -> list[float]:
    """Seconds to judge one image of 640x480 with windows of 96x96 every 16 pixels; how well plays no part."""
    images = [make_screw(SEEDS[0], index).image for index in range(4)]
    model = _train(images, 1.0, epochs=1, crops=256)
    seconds = []
    for _ in range(RUNS + 1):
        start = time.monotonic()
        model.term_maps(images[0][None])
        seconds.append(round(time.monotonic() - start, 3))
    return seconds[1:]


def rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Lines for the table of the README."""

    def means(values: list[dict[str, float]]) -> str:
        return ", ".join(f"{score} {mean(value[score] for value in values):.3f}" for score in SCORES)

    seeds = result["seeds"]
    pixels = [{score: seed["pixel"][score]["auroc"] for score in SCORES} for seed in seeds]
    graded = "; ".join(
        f"{severity}: " + means([seed["by_severity"][severity] for seed in seeds])
        for severity in seeds[0]["by_severity"]
    )
    return [
        (
            f"Screws, image AUROC, mean of {len(seeds)} seeds",
            means([seed["image_auroc"] for seed in seeds]),
        ),
        ("... by severity of the defect", graded),
        ("Screws, pixel AUROC", means(pixels)),
        (
            "Training on 100 screws of 640x480 at a quarter of the size",
            f"{median(seed['training_s'] for seed in seeds):.0f} s",
        ),
        (
            "One image of 640x480, 96x96 windows every 16 pixels, `industrial`",
            f"{median(result['full_size_s']):.2f} s",
        ),
    ]


if __name__ == "__main__":
    result = run()
    report.save("screws", result)
    print(*rows(result), sep="\n")
