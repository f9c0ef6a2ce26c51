"""Train a network on patches of normal images.

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

from vaead.config import ModelConfig, TrainConfig
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
        held_out_loss: The loss on crops of held-out normal images, scored as at test time.
        elapsed_s: Seconds since training began.
        remaining_s: Estimated seconds to the end.
    """

    epoch: int
    epochs: int
    loss: float
    kl: float
    log_variance: float
    mahalanobis: float
    held_out_loss: float
    elapsed_s: float
    remaining_s: float


_HELD_OUT_CROPS = 4096
_GRADIENT_LIMIT = 1000.0
"""Largest norm of a gradient, in nats: far above those of a sound training."""

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
    held_out = min(max(1, round(len(images) * config.held_out)), len(images) - 1)
    return images[order[held_out:]], images[order[:held_out]]


def fit(
    images: NDArray[np.uint8],
    held_out: NDArray[np.uint8],
    model: ModelConfig,
    config: TrainConfig,
    on_epoch: OnEpoch | None = None,
) -> tuple[Vae, list[EpochReport]]:
    """Train a network on random crops of normal images.

    The same images and settings give the same weights on the same machine.

    Args:
        images: (N, H, W), 0 to 255.
        held_out: (M, H, W), normal images that only watch.
        model: The network.
        config: Training and seed.
        on_epoch: Called after each epoch; what it raises ends the training.

    Returns:
        The trained network and one report an epoch.

    Raises:
        TrainingError: A loss or a weight is no longer a number.
    """
    keras.utils.set_random_seed(config.seed)
    rng = np.random.default_rng([config.seed, 1])
    vae = Vae(model)
    crops, positions = unit_crops(images, model.patch_size, config.crops, rng)
    watch = _held_out_loss(vae, config, unit_crops(held_out, model.patch_size, _HELD_OUT_CROPS, rng))
    run_epoch = compile_epoch(vae, config)
    best = _Best(config.patience)

    history: list[EpochReport] = []
    start = time.monotonic()
    for epoch in range(1, config.epochs + 1):
        order = rng.permutation(config.crops)
        losses = run_epoch(crops[order], positions[order], tf.constant([config.seed, epoch]))
        history.append(_report(epoch, config, losses.numpy().tolist(), watch(), start))
        _require_numbers(history[-1], vae)
        if on_epoch is not None:
            on_epoch(history[-1])
        if best.is_over(history[-1].held_out_loss, vae):
            break
    best.restore(vae)
    return vae, history


def _require_numbers(report: EpochReport, vae: Vae) -> None:
    values = {
        "loss": report.loss,
        "held_out_loss": report.held_out_loss,
        # A moving variance may have overflowed, which no loss shows.
        "largest weight": float(np.max([np.abs(weight).max() for weight in vae.get_weights()])),
    }
    for name, value in values.items():
        if not np.isfinite(value):
            raise TrainingError(
                f"{name} must be a number, got {value} in epoch {report.epoch}; try another seed"
            )


class _Best:
    """Early stopping: keeps the weights with the lowest held-out loss, if asked to."""

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._loss = np.inf
        self._weights: list[NDArray[np.float32]] = []
        self._waited = 0

    def is_over(self, held_out_loss: float, vae: Vae) -> bool:
        """Look at an epoch, and say whether the last `patience` of them were no better than the best."""
        if self._patience == 0:
            return False
        self._waited += 1
        if held_out_loss < self._loss:
            self._loss, self._weights, self._waited = held_out_loss, vae.get_weights(), 0
        return self._waited >= self._patience

    def restore(self, vae: Vae) -> None:
        """Put the best weights back, whether or not training ended early."""
        if self._weights:
            vae.set_weights(self._weights)


def unit_crops(
    images: NDArray[np.uint8], patch_size: int, count: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Random crops (count, patch_size, patch_size) in [0, 1] and their positions (count, 2)."""
    crops, positions = random_crops(images, patch_size, count, rng)
    return crops.astype(np.float32) / np.float32(255), positions


def _held_out_loss(
    vae: Vae, config: TrainConfig, crops: tuple[NDArray[np.float32], NDArray[np.float32]]
) -> Callable[[], float]:
    """Make the function that computes the loss of the network as it is on held-out crops."""
    pixels, positions = (tf.constant(part) for part in crops)

    @tf.function(jit_compile=True)  # type: ignore[untyped-decorator]
    def loss() -> Array:
        kl, log_variance, mahalanobis = (tf.reduce_mean(term) for term in vae.terms(pixels, positions))
        return log_variance + mahalanobis + config.kl_weight * kl

    return lambda: float(loss())


def _report(
    epoch: int, config: TrainConfig, losses: list[float], held_out_loss: float, start: float
) -> EpochReport:
    terms = dict(zip(TERMS, losses, strict=True))
    elapsed_s = time.monotonic() - start
    return EpochReport(
        epoch=epoch,
        epochs=config.epochs,
        loss=terms["log_variance"] + terms["mahalanobis"] + config.kl_weight * terms["kl"],
        **terms,
        held_out_loss=held_out_loss,
        elapsed_s=elapsed_s,
        remaining_s=elapsed_s / epoch * (config.epochs - epoch),
    )


def compile_epoch(vae: Vae, config: TrainConfig) -> Callable[[Array, Array, Array], Array]:
    """Make the function (crops and positions in the order of this epoch, seed) -> mean D, A and M."""
    weights = vae.trainable_variables
    batches = config.crops // config.batch_size
    rate = config.learning_rate
    if config.decay:
        rate = keras.optimizers.schedules.CosineDecay(rate, batches * config.epochs)
    optimizer = keras.optimizers.Adam(rate)
    optimizer.build(weights)

    def step(patches: Array, positions: Array, noise: Array) -> Array:
        with tf.GradientTape() as tape:
            kl, log_variance, mahalanobis = (
                tf.reduce_mean(term) for term in vae.terms(patches, positions, noise, training=True)
            )
            loss = log_variance + mahalanobis + config.kl_weight * kl
        gradients, norm = tf.clip_by_global_norm(tape.gradient(loss, weights), _GRADIENT_LIMIT)
        # A gradient that is not a number would end the training; it counts as 0.
        sound = tf.math.is_finite(norm)
        optimizer.apply([tf.where(sound, gradient, 0.0) for gradient in gradients], weights)
        return tf.stack([kl, log_variance, mahalanobis])

    def batched(array: Array) -> Array:
        # A last batch that is not full is left out; the order changes, so each crop has its turns.
        used = array[: batches * config.batch_size]
        return tf.reshape(used, (batches, config.batch_size, *array.shape[1:]))

    def epoch(crops: Array, positions: Array, seed: Array) -> Array:
        patches, places = batched(crops), batched(positions)
        noise = tf.random.stateless_normal((batches, config.batch_size, vae.config.latent_dim), seed)
        total = tf.zeros(len(TERMS))
        for index in tf.range(batches):
            total += step(patches[index], places[index], noise[index])
        return total / batches

    compiled: Callable[[Array, Array, Array], Array] = tf.function(epoch, jit_compile=True)
    return compiled
