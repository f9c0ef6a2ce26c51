"""How many normal images are needed to judge made-up screw holes with the calibrated score.

For each seed, models of the preset `industrial` learn from 6 to 100 normal images; 50 others and 20 of each
defect are judged. Run: python -m benchmarks screws_few
"""

from __future__ import annotations

from statistics import mean
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.screw_photos import GOOD, NORMAL, SEEDS, TRAIN, auroc, judge, make_files, read, train
from vaead.data.screws.generator import DEFECTS
from vaead.recipe import INDUSTRIAL

COUNTS = (6, 12, 25, 50, NORMAL)
RATE = 0.05
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
    files = make_files(seed)
    photos = {kind: [read(*each, INDUSTRIAL.scale) for each in found] for kind, found in files.items()}
    defective = [photo for defect in DEFECTS for photo in photos[defect]]
    found = {}
    for count in COUNTS:
        normal = [photo.image for photo in photos[TRAIN][:count]]
        model = train(normal, INDUSTRIAL.name, INDUSTRIAL.scale)
        usual, anomalous = judge(model, photos[GOOD]), judge(model, defective)
        limit = model.card.calibration.threshold_value(_SCORE, RATE)
        flagged = [float(np.mean(terms.image_scores(_SCORE) > limit)) for terms in (usual, anomalous)]
        found[str(count)] = {
            "auroc": auroc(usual, anomalous, _SCORE),
            "false_alarms": round(flagged[0], 4),
            "found": round(flagged[1], 4),
        }
    return found


def rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Lines for the table of the README."""

    def by_count(figure: str, form: str) -> str:
        return ", ".join(
            f"{count}: {mean(seed[str(count)][figure] for seed in result['seeds']):{form}}"
            for count in COUNTS
        )

    return [
        (
            f"Screws, `{INDUSTRIAL.name}`, image AUROC of {_SCORE}, by number of normal images to learn from",
            by_count("auroc", ".3f"),
        ),
        (f"... normal images flagged where {100 * RATE:g} % may be", by_count("false_alarms", ".0%")),
        ("... anomalous images flagged", by_count("found", ".0%")),
    ]


if __name__ == "__main__":
    result = run()
    report.save("screws_few", result)
    print(*rows(result), sep="\n")
