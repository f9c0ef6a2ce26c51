"""Train the network of a recipe on patches of normal images.

An epoch is one compiled XLA program: batches are cut, passed forward and back and applied to the weights
without a return to Python, which would cost more than the arithmetic of such a small network.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from vaead.config import Recipe, TrainConfig
from vaead.errors import InvalidInputError, TrainingError
from vaead.model import Vae
from vaead.patches import random_crops
from vaead.terms import TERMS, Array


@dataclass(frozen=True)
class EpochReport:
    """Where training stands after an epoch. Losses are means over the epoch's patches, in nats.

    Attributes:
        epoch: Epochs done, from 1.
        epochs: Epochs in all.
        loss: A + M + kl_weight * D, what the optimizer lowers.
        kl: D.
        log_variance: A.
        mahalanobis: M.
        elapsed_s: Seconds since training began.
        remaining_s: Estimated seconds to the end.
    """

    epoch: int
    epochs: int
    loss: float
    kl: float
    log_variance: float
    mahalanobis: float
    elapsed_s: float
    remaining_s: float


OnEpoch = Callable[[EpochReport], None]


def split_normal(
    images: NDArray[np.uint8], config: TrainConfig
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Split the normal training images by the recipe's seed.

    Args:
        images: (N, H, W), at least 2.

    Returns:
        Images to train on and held-out images, which training never sees.

    Raises:
        InvalidInputError: There are too few images.
    """
    if len(images) < 2:
        raise InvalidInputError(
            f"images must hold at least 2 normal images, got {len(images)}; add more of them"
        )
    order = np.random.default_rng([config.seed, 0]).permutation(len(images))
    held_out = max(1, round(len(images) * config.held_out))
    return images[order[held_out:]], images[order[:held_out]]


def fit(
    images: NDArray[np.uint8], recipe: Recipe, on_epoch: OnEpoch | None = None
) -> tuple[Vae, list[EpochReport]]:
    """Train a network on random crops of normal images.

    The same images and recipe give the same weights on the same machine.

    Args:
        images: (N, H, W), 0 to 255.
        recipe: Network, training and seed.
        on_epoch: Called after each epoch; what it raises ends the training.

    Returns:
        The trained network and one report an epoch.

    Raises:
        TrainingError: The loss is no longer a number.
    """
    config = recipe.train
    keras.utils.set_random_seed(config.seed)
    rng = np.random.default_rng([config.seed, 1])
    vae = Vae.from_model_config(recipe.model)
    crops = random_crops(images, recipe.model.patch_size, config.crops, rng).astype(np.float32) / 255
    run_epoch = _compile_epoch(vae, config)

    history: list[EpochReport] = []
    start = time.monotonic()
    for epoch in range(1, config.epochs + 1):
        losses = run_epoch(tf.constant(crops[rng.permutation(len(crops))]), tf.constant([config.seed, epoch]))
        history.append(_report(epoch, config, dict(zip(TERMS, losses.numpy().tolist(), strict=True)), start))
        if not np.isfinite(history[-1].loss):
            raise TrainingError(
                f"loss must be a number, got {history[-1].loss} in epoch {epoch}; try another seed"
            )
        if on_epoch is not None:
            on_epoch(history[-1])
    return vae, history


def _report(epoch: int, config: TrainConfig, losses: dict[str, float], start: float) -> EpochReport:
    elapsed_s = time.monotonic() - start
    return EpochReport(
        epoch=epoch,
        epochs=config.epochs,
        loss=losses["log_variance"] + losses["mahalanobis"] + config.kl_weight * losses["kl"],
        **losses,
        elapsed_s=elapsed_s,
        remaining_s=elapsed_s / epoch * (config.epochs - epoch),
    )


def _compile_epoch(vae: Vae, config: TrainConfig) -> Callable[[Array, Array], Array]:
    """Make the function (crops in the order of this epoch, seed) -> mean D, A and M of the epoch."""
    weights = vae.trainable_variables
    optimizer = keras.optimizers.Adam(config.learning_rate)
    optimizer.build(weights)

    def step(batch: Array, noise: Array) -> Array:
        with tf.GradientTape() as tape:
            kl, log_variance, mahalanobis = (
                tf.reduce_mean(term) for term in vae.terms(batch, noise, training=True)
            )
            loss = log_variance + mahalanobis + config.kl_weight * kl
        optimizer.apply(tape.gradient(loss, weights), weights)
        return tf.stack([kl, log_variance, mahalanobis])

    def epoch(crops: Array, seed: Array) -> Array:
        # A last batch that is not full is left out; the order changes, so each crop has its turns.
        batches = crops.shape[0] // config.batch_size
        used = crops[: batches * config.batch_size]
        patches = tf.reshape(used, (batches, config.batch_size, vae.patch_size, vae.patch_size))
        noise = tf.random.stateless_normal((batches, config.batch_size, vae.latent_dim), seed)
        total = tf.zeros(len(TERMS))
        for index in tf.range(batches):
            total += step(patches[index], noise[index])
        return total / batches

    compiled: Callable[[Array, Array], Array] = tf.function(epoch, jit_compile=True)
    return compiled
