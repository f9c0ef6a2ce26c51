"""AUROC of old and new on the article's three pairs: all test images, preset `article`, several seeds.

An image's score is its largest window. Run: python -m benchmarks.pairs
"""

from __future__ import annotations

import tempfile
from statistics import median
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.report import Table
from vaead import ClassSource, ModelStore, Recipe, load_dataset, train
from vaead.metrics.image import class_aurocs
from vaead.model.model import Model
from vaead.scoring.loss_terms import SCORES

PAIRS = (("mnist", 1, 9), ("fashion_mnist", 7, 9), ("fashion_mnist", 2, 3))
SEEDS = (0, 1, 2)
SHOWN = ("old", "new")


def aurocs(model: Model, dataset: str, normal: int, anomalous: int) -> dict[str, float]:
    """AUROC of each score on all test images of two classes."""
    test = load_dataset(dataset).test
    chosen = np.isin(test.labels, (normal, anomalous))
    terms = model.term_maps(test.images[chosen])
    return {
        score: class_aurocs(terms.image_scores(score), test.labels[chosen], normal)["all"] for score in SCORES
    }


def run() -> dict[str, Any]:
    """Train each pair with each seed and measure it."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for dataset, normal, anomalous in PAIRS:
            measured = [
                aurocs(
                    train(
                        Recipe.from_preset("article", ClassSource(dataset, normal), seed=seed),
                        ModelStore(folder),
                    ),
                    dataset,
                    normal,
                    anomalous,
                )
                for seed in SEEDS
            ]
            scores = {score: [round(result[score], 4) for result in measured] for score in SCORES}
            results.append({"pair": [dataset, normal, anomalous], "auroc": scores})
            print(dataset, normal, anomalous, scores, flush=True)
    return {"seeds": SEEDS, "pairs": results}


def tables(result: dict[str, Any]) -> list[Table]:
    """AUROC by pair and score, median and range of the seeds."""
    rows = [
        ["`{}` {} against {}".format(*pair["pair"]), *(_spread(pair["auroc"][score]) for score in SHOWN)]
        for pair in result["pairs"]
    ]
    title = f"The article's pairs: AUROC, preset `article`, {len(result['seeds'])} seeds"
    return [Table(title, ("pair", *SHOWN), rows)]


def _spread(values: list[float]) -> str:
    return f"{median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


if __name__ == "__main__":
    report.save("pairs", run())
