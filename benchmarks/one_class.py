"""Mean one-against-rest AUROC over the ten classes: our presets, and other one-class methods as yardsticks.

Every preset trains on one half of the normal training images and calibrates on the other; the peers learn
from all of them. All 10,000 test images. Models that the store (VAEAD_STORE, or a new folder) holds already
are not trained again. Needs the extra `peers`. Run: python -m benchmarks one_class
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from benchmarks.peers import PEERS
from benchmarks.report import Table
from vaead.data.datasets import load_dataset
from vaead.metrics.image import class_aurocs
from vaead.model.folder import STORE_VARIABLE
from vaead.model.store import ModelStore
from vaead.processes.workers import Workers
from vaead.zoo.pretrain import pretrain, recipes

DATASETS = ("mnist", "fashion_mnist")
PRESETS = ("article", "position-aware", "multi-scale")
CLASSES = range(10)
TITLES = {
    "pca_error": "PCA(64), reconstruction error",
    "nearest_neighbour": "5th nearest neighbour of 3,000 raw images",
    "isolation_forest": "isolation forest on raw pixels",
    "mahalanobis": "Ledoit-Wolf Mahalanobis distance on raw pixels",
    "pyod_vae": "VAE of PyOD with its own defaults",
}
_OURS, _RAW = "multi-scale, calibrated", "mahalanobis"


def run() -> dict[str, Any]:
    """Train and score everything."""
    with tempfile.TemporaryDirectory() as folder:
        store = ModelStore(os.environ.get(STORE_VARIABLE) or folder)
        wanted = recipes(DATASETS, PRESETS, seeds=1)
        with Workers() as workers:
            for done, recipe in enumerate(pretrain(wanted, store, workers), start=1):
                print(f"{done} of {len(wanted)}: {recipe.path}", flush=True)
        results: dict[str, dict[str, list[float]]] = {}
        for recipe in wanted:
            for score, auroc in store.load(recipe).card.auroc.items():
                entry = results.setdefault(f"{recipe.preset}, {score}", {})
                entry.setdefault(recipe.class_source.dataset, []).append(auroc["all"])
    tasks = [(peer, dataset, normal) for peer in PEERS for dataset in DATASETS for normal in CLASSES]
    aurocs = Parallel(n_jobs=os.cpu_count())(delayed(_judge)(*task) for task in tasks)
    for (peer, dataset, _), auroc in zip(tasks, aurocs, strict=True):
        results.setdefault(peer, {}).setdefault(dataset, []).append(auroc)
    return {"seed": 0, "auroc": results}


def _judge(peer: str, name: str, normal: int) -> float:
    dataset = load_dataset(name)
    scores = PEERS[peer](dataset.train.of_class(normal), dataset.test.images)
    auroc = class_aurocs(scores, dataset.test.labels, normal)["all"]
    print(peer, name, normal, round(auroc, 4), flush=True)
    return round(auroc, 5)


def tables(result: dict[str, Any]) -> list[Table]:
    """Means of all classes, and by class how much the VAE adds to raw pixels."""
    auroc = result["auroc"]
    means = [
        [TITLES.get(name, name), *(f"{np.mean(by_dataset[dataset]):.3f}" for dataset in DATASETS)]
        for name, by_dataset in auroc.items()
    ]
    gains = [
        [
            f"`{dataset}`",
            *(f"{gain:+.3f}" for gain in np.subtract(auroc[_OURS][dataset], auroc[_RAW][dataset])),
        ]
        for dataset in DATASETS
    ]
    return [
        Table("One class against the rest: mean AUROC", ("preset, score, or method", *DATASETS), means),
        Table(
            "One class against the rest: AUROC that the VAE adds to the distance on raw pixels",
            ("normal class", *map(str, CLASSES)),
            gains,
            f"{_OURS} minus {TITLES[_RAW]}.",
        ),
    ]
