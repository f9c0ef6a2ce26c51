"""How many normal images are needed to judge made-up screw holes with the calibrated score.

For each seed, models of the preset `industrial` learn from 6 to 100 normal images; 50 others and 20 of each
defect are judged. Run: python -m benchmarks screws_few
"""

from __future__ import annotations

from statistics import mean
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.report import Table
from benchmarks.screw_photos import (
    DEFECTIVE,
    NORMAL,
    SEEDS,
    TESTED,
    TRAIN,
    auroc,
    compute_terms,
    read_screws,
    train,
)
from vaead.data.photos.photo import NORMAL as GOOD
from vaead.data.screws.generator import DEFECTS
from vaead.data.screws.screw_set import ScrewSet
from vaead.photo_defaults import default_scale

COUNTS = (6, 12, 25, 50, NORMAL)
RATE = 0.05
PRESET = "industrial"
SCALE = default_scale(640)
_SCORE = "calibrated"


def run() -> dict[str, Any]:
    """Measure every seed."""
    seeds = []
    for seed in SEEDS:
        seeds.append({"seed": seed, **_measure(seed)})
        print(seeds[-1], flush=True)
    return {"seeds": seeds}


def _measure(seed: int) -> dict[str, dict[str, float]]:
    """Figures by number of normal images."""
    photos = read_screws(ScrewSet(seed, NORMAL, TESTED, DEFECTIVE), SCALE)
    defective = [photo for defect in DEFECTS for photo in photos[defect]]
    found = {}
    for count in COUNTS:
        normal = [photo.image for photo in photos[TRAIN][:count]]
        model = train(normal, PRESET, SCALE)
        good, anomalous = compute_terms(model, photos[GOOD]), compute_terms(model, defective)
        limit = model.card.normal_scores.threshold_value(_SCORE, RATE)
        flagged = [float(np.mean(terms.image_scores(_SCORE) > limit)) for terms in (good, anomalous)]
        found[str(count)] = {
            "auroc": auroc(good, anomalous, _SCORE),
            "false_alarms": round(flagged[0], 4),
            "found": round(flagged[1], 4),
        }
    return found


def tables(result: dict[str, Any]) -> list[Table]:
    """Image AUROC and flagged images by number of normal images."""

    def means(figure: str, form: str) -> list[str]:
        seeds = result["seeds"]
        return [format(mean(seed[str(count)][figure] for seed in seeds), form) for count in COUNTS]

    columns = zip(means("auroc", ".3f"), means("false_alarms", ".0%"), means("found", ".0%"), strict=True)
    return [
        Table(
            f"Screws, `{PRESET}`: by number of normal images to learn from, {_SCORE}",
            (
                "normal images",
                "image AUROC",
                f"normal images flagged where {100 * RATE:g} % may be",
                "anomalous images flagged",
            ),
            [[str(count), *figures] for count, figures in zip(COUNTS, columns, strict=True)],
            "50 normal images do as well as 100, and even 6 rank images nearly as well. But with few of them "
            "the threshold is rough: half are held out to set it, and 5 % of 12 images is a guess.",
        )
    ]


if __name__ == "__main__":
    result = run()
    report.save("screws_few", result)
    print(*tables(result), sep="\n\n")
