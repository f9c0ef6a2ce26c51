"""Which floor of sigma2 the preset `article` needs: AUROC by floor, pair and seed.

Without a floor sigma2 runs to 0 where normal pixels never vary, and then one grey level decides a score.
The choice is made on the training split alone: held-out normal images against images of the other class
that no model has seen. No test image is used.

Run: python -m benchmarks.sigma2_floor
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks import report
from vaead import Recipe, load_dataset
from vaead.scoring.image_scorer import ImageScorer
from vaead.scoring.patch_scorer import PatchScorer
from vaead.scoring.term_maps import TermMaps
from vaead.training.export import to_litert
from vaead.training.fit import fit, split_normal

PAIRS = (("mnist", 1, 9), ("fashion_mnist", 7, 9), ("fashion_mnist", 2, 3))
FLOORS = (1e-10, 1e-3, 1e-2, 2e-2, 5e-2)
SEEDS = (0, 1, 2)
ANOMALOUS_IMAGES = 1000


def auroc(dataset_name: str, normal: int, anomalous: int, floor: float, seed: int) -> dict[str, float]:
    """Train one model and return the AUROC of old and new on held-out images of the training split."""
    dataset = load_dataset(dataset_name)
    recipe = Recipe.from_preset(dataset_name, normal, seed=seed)
    recipe = dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, sigma2_floor=floor))
    train_images, held_out = split_normal(dataset.train_images(normal), recipe.train)
    vae, _ = fit(train_images, held_out, recipe.model, recipe.train)
    scorer = ImageScorer(PatchScorer(to_litert(vae)), recipe.model)
    images = np.concatenate([held_out, dataset.train_images(anomalous)[:ANOMALOUS_IMAGES]])
    truth = np.arange(len(images)) >= len(held_out)
    scan = scorer.scan(images)
    terms = TermMaps(scan.kl, scan.log_variance, scan.mahalanobis, scan.grid)
    return {score: round(float(roc_auc_score(truth, terms.image_scores(score))), 4) for score in terms.scores}


def run() -> dict[str, Any]:
    """Train and measure every combination."""
    results = []
    for seed, pair, floor in itertools.product(SEEDS, PAIRS, FLOORS):
        results.append({"pair": pair, "floor": floor, "seed": seed, "auroc": auroc(*pair, floor, seed)})
        print(results[-1], flush=True)
    return {"runs": results}


if __name__ == "__main__":
    report.save("sigma2_floor", run())
