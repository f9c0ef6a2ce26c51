"""Training speed against plain Keras `fit`, and what the loss curves say.

Run: python -m benchmarks.training

Both are measured in turns on the same crops; the first epoch of each, which compiles, does not count.
"""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks import plain, report
from benchmarks.report import Table
from vaead import ClassSource, Recipe, load_dataset
from vaead.config import TrainConfig
from vaead.held_out.split import Images, split_normal
from vaead.training.fit import compile_epoch, unit_crops
from vaead.training.network import Vae

TURNS = 5
SEEDS = (0, 1, 2)
LOSS_EPOCHS = 3


def run() -> dict[str, Any]:
    """Measure both ways of training."""
    recipe = Recipe.from_preset("article", ClassSource("mnist", 1))
    images, _ = split_normal(load_dataset("mnist").train.of_class(1), recipe.train)
    crops, positions = unit_crops(images, recipe.networks[0], recipe.train.crops, np.random.default_rng(0))
    seconds = _alternate(recipe, crops, positions)
    print({name: median(times) for name, times in seconds.items()}, flush=True)
    aware = Recipe.from_preset("position-aware", ClassSource("mnist", 1))
    return {
        "crops": recipe.train.crops,
        "epoch_s": seconds,
        "ratio": median(a / b for a, b in zip(seconds["plain"], seconds["vaead"], strict=True)),
        "position_aware_epoch_s": _position_aware(aware, images),
        "loss": _losses(recipe, images),
    }


def _alternate(
    recipe: Recipe, crops: NDArray[np.float32], positions: NDArray[np.float32]
) -> dict[str, list[float]]:
    vae = Vae(recipe.networks[0])
    run_epoch = compile_epoch(vae, recipe.train)
    fit = plain.build(recipe.networks[0].sigma2_floor).fit
    seconds: dict[str, list[float]] = {"plain": [], "vaead": []}
    for turn in range(TURNS + 1):
        start = time.perf_counter()
        fit(crops[..., None], crops[..., None], batch_size=plain.BATCH_SIZE, epochs=1, verbose=0)
        middle = time.perf_counter()
        run_epoch(crops, positions, tf.constant([0, turn])).numpy()
        if turn > 0:
            seconds["plain"].append(middle - start)
            seconds["vaead"].append(time.perf_counter() - middle)
    return seconds


def _position_aware(recipe: Recipe, images: Images) -> list[float]:
    crops = unit_crops(images, recipe.networks[0], recipe.train.crops, np.random.default_rng(0))
    run_epoch = compile_epoch(Vae(recipe.networks[0]), recipe.train)
    seconds = []
    for turn in range(TURNS + 1):
        start = time.perf_counter()
        run_epoch(*crops, tf.constant([0, turn])).numpy()
        seconds.append(time.perf_counter() - start)
    return seconds[1:]


def _losses(recipe: Recipe, images: Images) -> dict[str, list[list[float]]]:
    """Loss by seed and epoch of both ways, on the same crops."""
    config: TrainConfig = recipe.train
    losses: dict[str, list[list[float]]] = {"plain": [], "vaead": []}
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        crops, positions = unit_crops(images, recipe.networks[0], config.crops, rng)
        tf.keras.utils.set_random_seed(seed)
        history = plain.build(recipe.networks[0].sigma2_floor).fit(
            crops[..., None], crops[..., None], batch_size=plain.BATCH_SIZE, epochs=LOSS_EPOCHS, verbose=0
        )
        losses["plain"].append([float(loss) for loss in history.history["loss"]])
        run_epoch = compile_epoch(Vae(recipe.networks[0]), config)
        curve = []
        for epoch in range(LOSS_EPOCHS):
            order = rng.permutation(config.crops)
            kl, log_variance, mahalanobis = run_epoch(
                crops[order], positions[order], tf.constant([seed, epoch])
            ).numpy()
            curve.append(float(log_variance + mahalanobis + config.kl_weight * kl))
        losses["vaead"].append(curve)
        print(seed, losses["plain"][-1], losses["vaead"][-1], flush=True)
    return losses


def tables(result: dict[str, Any]) -> list[Table]:
    """Seconds an epoch."""
    ours, theirs = median(result["epoch_s"]["vaead"]), median(result["epoch_s"]["plain"])
    aware = median(result["position_aware_epoch_s"])
    rows = [
        ["`article`, 100,000 crops", f"{ours:.2f} s", f"{theirs:.2f} s", f"{result['ratio']:.1f}"],
        ["`position-aware`, 51,200 crops", f"{aware:.2f} s", "", ""],
    ]
    return [Table("Training: one epoch", ("preset", "vaead", "plain Keras `fit`", "times as fast"), rows)]


if __name__ == "__main__":
    report.save("training", run())
