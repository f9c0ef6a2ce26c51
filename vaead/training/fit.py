"""Train a network on patches of normal images.

An epoch is one compiled program: batches are cut, passed forward and back and applied to the weights without
a return to Python, which would cost more than the arithmetic of such a small network. Only where the patches
of an epoch would need much memory does it take several calls of that program.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from vaead.config import NetworkConfig, TrainConfig
from vaead.errors import TrainingError
from vaead.held_out.split import Images
from vaead.ignored import IgnoredRegion
from vaead.model.events import EpochReport
from vaead.scoring.loss_terms import TERMS, Array
from vaead.scoring.patches import random_crops, unit
from vaead.training.network import Vae

_WATCHED_CROPS = 4096
_WATCHED_VALUES = 2**22
_CALL_VALUES = 2**26
"""Numbers in the crops of one call of the program at most: a quarter of a gigabyte."""
_GRADIENT_LIMIT = 1000.0
"""Largest norm of a gradient, in nats: far above those of a sound training."""

OnEpoch = Callable[[EpochReport, Vae], None]
"""Called after each epoch with the network as it is then; what it raises ends the training."""


def fit(
    images: Images,
    held_out: Images,
    model: NetworkConfig,
    config: TrainConfig,
    on_epoch: OnEpoch | None = None,
    ignored: IgnoredRegion | None = None,
) -> tuple[Vae, list[EpochReport]]:
    """Train a network on random crops of normal images.

    The same images and settings give the same weights, bit for bit, on the same machine.

    Args:
        images: Normal images, at least one.
        held_out: Normal images that only watch, at least one.
        model: The network.
        config: Training and seed.
        on_epoch: See `OnEpoch`.
        ignored: Region in which no crop lies mostly.

    Returns:
        The trained network and one report an epoch.

    Raises:
        TrainingError: A loss or a weight is no longer a number.
    """
    keras.utils.set_random_seed(config.seed)
    rng = np.random.default_rng([config.seed, 1])
    vae = Vae(model)
    crops, positions = unit_crops(images, model, config.crops, rng, ignored)
    watch = _held_out_loss(vae, config, watched_crops(held_out, model, rng, ignored))
    # No call gets less than a batch.
    calls = min(-(-config.crops * model.patch_values // _CALL_VALUES), config.crops // config.batch_size)
    run_epoch = compile_epoch(vae, config)

    history: list[EpochReport] = []
    start = time.monotonic()
    for epoch in range(1, config.epochs + 1):
        order = rng.permutation(config.crops)
        losses = np.zeros(len(TERMS))
        with _graph_as_written():
            for call, part in enumerate(np.array_split(order, calls)):
                seed = tf.constant([config.seed, epoch + call * config.epochs])
                losses += run_epoch(crops[part], positions[part], seed).numpy() / calls
            held_out_loss = watch()
        history.append(_report(epoch, config, losses.tolist(), held_out_loss, start))
        _require_numbers(history[-1], vae)
        if on_epoch is not None:
            on_epoch(history[-1], vae)
    return vae, history


@contextmanager
def _graph_as_written() -> Iterator[None]:
    """Keep TensorFlow from rewriting graphs before they run.

    It rewrites one and the same graph in another way each time, so that sums round differently, and weights
    drift apart. With these networks it saves no time.
    """
    name = "disable_meta_optimizer"
    before = tf.config.optimizer.get_experimental_options().get(name, False)
    tf.config.optimizer.set_experimental_options({name: True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({name: before})


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


def unit_crops(
    images: Images,
    model: NetworkConfig,
    count: int,
    rng: np.random.Generator,
    ignored: IgnoredRegion | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Random crops in [0, 1], (count, *model.patch_shape), and their positions (count, 2)."""
    crops, positions = random_crops(images, model.patch_size, count, rng, ignored)
    return unit(crops), positions


def watched_crops(
    held_out: Images, model: NetworkConfig, rng: np.random.Generator, ignored: IgnoredRegion | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Crops of held-out images that tell how a training goes: many, but fewer where patches are large."""
    count = min(_WATCHED_CROPS, _WATCHED_VALUES // model.patch_values)
    return unit_crops(held_out, model, count, rng, ignored)


def _held_out_loss(
    vae: Vae, config: TrainConfig, crops: tuple[NDArray[np.float32], NDArray[np.float32]]
) -> Callable[[], float]:
    """Make the function that computes the loss of the network as it is on held-out crops."""
    pixels, positions = (tf.constant(part) for part in crops)

    @tf.function(jit_compile=_uses_xla(vae.config))  # type: ignore[untyped-decorator]
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


def _uses_xla(model: NetworkConfig) -> bool:
    """XLA makes matrix products fast; its convolutions are 6 times slower than TensorFlow's own."""
    return model.network != "convolutional"


def compile_epoch(vae: Vae, config: TrainConfig) -> Callable[[Array, Array, Array], Array]:
    """Make the function (crops and positions in the order of an epoch, seed) -> mean D, A and M.

    It also takes a part of an epoch.
    """
    weights = vae.trainable_variables
    rate = config.learning_rate
    if config.decay:
        rate = keras.optimizers.schedules.CosineDecay(rate, config.crops // config.batch_size * config.epochs)
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
        batches = array.shape[0] // config.batch_size
        return tf.reshape(
            array[: batches * config.batch_size], (batches, config.batch_size, *array.shape[1:])
        )

    def epoch(crops: Array, positions: Array, seed: Array) -> Array:
        patches, places = batched(crops), batched(positions)
        batches = patches.shape[0]
        noise = tf.random.stateless_normal((batches, config.batch_size, vae.config.latent_dim), seed)
        total = tf.zeros(len(TERMS))
        for index in tf.range(batches):
            total += step(patches[index], places[index], noise[index])
        return total / batches

    compiled: Callable[[Array, Array, Array], Array] = tf.function(epoch, jit_compile=_uses_xla(vae.config))
    return compiled
