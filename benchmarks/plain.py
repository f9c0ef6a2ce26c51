"""The tutorial's way, as a yardstick: standard Keras layers, `fit`, and one call a window."""

from __future__ import annotations

import math

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from vaead.scoring.loss_terms import Array
from vaead.scoring.patches import PatchGrid

BATCH_SIZE = 128


class _Sample(layers.Layer):  # type: ignore[misc]
    def call(self, inputs: tuple[Array, Array]) -> Array:
        z_mean, z_log_var = inputs
        return z_mean + ops.exp(0.5 * z_log_var) * keras.random.normal(ops.shape(z_mean))


class PlainVae(keras.Model):  # type: ignore[misc]
    """The article's network of convolutions; its outputs are z_mean, z_log_var, mu and sigma2."""

    def compute_loss(
        self,
        x: Array,
        y: Array,  # noqa: ARG002
        y_pred: list[Array],
        sample_weight: None = None,  # noqa: ARG002
        training: bool = True,  # noqa: ARG002
    ) -> Array:
        """A + M summed over the batch plus the batch mean of D, the whole per patch."""
        z_mean, z_log_var, mu, sigma2 = y_pred
        kl = -0.5 * ops.sum(1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var), axis=-1)
        rest = 0.5 * ops.log(2 * math.pi * sigma2) + 0.5 * ops.square(x - mu) / sigma2
        return ops.mean(kl) / BATCH_SIZE + ops.sum(ops.mean(rest, axis=0))


def build(sigma2_floor: float, latent_dim: int = 2) -> PlainVae:
    """The article's network for 8x8 patches (n, 8, 8, 1), compiled for `fit`."""
    patches = keras.Input((8, 8, 1))
    x = patches
    for filters in (16, 32):
        x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(filters, 2, strides=2)(x)))
    x = layers.Flatten()(x)
    z_mean, z_log_var = layers.Dense(latent_dim)(x), layers.Dense(latent_dim)(x)
    x = layers.Dense(4)(_Sample()([z_mean, z_log_var]))
    x = layers.Reshape((2, 2, 1))(layers.ReLU()(layers.BatchNormalization()(x)))
    for filters in (32, 16):
        x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2DTranspose(filters, 2, strides=2)(x)))
    mu, sigma2 = (
        keras.activations.sigmoid(
            layers.BatchNormalization()(layers.Conv2DTranspose(1, 4, padding="same")(x))
        )
        for _ in range(2)
    )
    vae = PlainVae(patches, [z_mean, z_log_var, mu, sigma2_floor + sigma2])
    vae.compile(keras.optimizers.Adam(1e-3))
    return vae


def score_image(
    vae: PlainVae, image: NDArray[np.float32], grid: PatchGrid
) -> tuple[NDArray[np.float32], ...]:
    """Old and new map of one image (H, W), one Keras call a window, as the tutorial does it."""
    old, new = np.zeros_like(image), np.zeros_like(image)
    size = grid.patch_size
    for top in grid.row_starts:
        for left in grid.col_starts:
            window = (slice(top, top + size), slice(left, left + size))
            x = image[window][None, ..., None]
            z_mean, z_log_var, mu, sigma2 = (np.asarray(part) for part in vae.predict(x, verbose=0))
            m = 0.5 * np.sum((x - mu) ** 2 / sigma2)
            a = 0.5 * np.sum(np.log(2 * np.pi * sigma2))
            d = -0.5 * np.sum(1 + z_log_var - z_mean**2 - np.exp(z_log_var))
            old[window] += d + a + m
            new[window] += m
    return old, new
