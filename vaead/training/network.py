"""The networks: encoder, decoder and VAE in Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers, ops

from vaead.config import NetworkConfig
from vaead.model.card import LayerCard
from vaead.scoring.loss_terms import Array, errors_in_sd, kl_term, log_variance_term, mahalanobis_term
from vaead.training.layers import (
    BlockConv,
    BlockConvTranspose,
    DepthToSpace,
    PatchConvTranspose,
    PixelOrder,
    Rows,
    Waves,
    z_order,
)

_LOG_VAR_LIMIT = 10.0
"""Bound on |z_log_var|: far outside what training needs, and exp of it is still a small number."""

_OCTAVES = 3

_FIRST_CHANNELS = 8
_LEAST_SIDE = 6
"""Patches are halved until they are no larger than this, in pixels."""


class Decoded(NamedTuple):
    """Outputs of a network: mu and sigma2 as (n, patch_values), z as (n, latent_dim)."""

    mu: Array
    sigma2: Array
    z_mean: Array
    z_log_var: Array


class Vae(keras.Model):  # type: ignore[misc]
    """Variational autoencoder of square patches with a predicted variance for each pixel.

    Source: arXiv:1807.05800 and its tutorial on MNIST.
    """

    def __init__(self, config: NetworkConfig, **options: Any) -> None:
        super().__init__(**options)
        self.config = config
        build_encoder, build_decoder = _NETWORKS[config.network]
        self.encoder = build_encoder(config)
        self.decoder = build_decoder(config)

    def call(
        self,
        patches: Array,
        positions: Array | None = None,
        noise: Array | None = None,
        training: bool = False,
    ) -> Decoded:
        """Encode and decode patches.

        Args:
            patches: (n, *patch_shape) in [0, 1], see `NetworkConfig`.
            positions: (n, 2), where in its image each patch lies, see `PatchGrid.positions`; only for a
                network that is position-aware.
            noise: (n, latent_dim) standard normal to sample z with; None takes z = z_mean.
            training: True if batch normalisation uses and updates the statistics of the batch.
        """
        where = [positions] if self.config.position_aware else []
        z_mean, z_log_var = self.encoder([patches, *where], training=training)
        z_log_var = ops.clip(z_log_var, -_LOG_VAR_LIMIT, _LOG_VAR_LIMIT)
        z = z_mean if noise is None else z_mean + ops.exp(0.5 * z_log_var) * noise
        mu, sigma2_logit = self.decoder([z, *where], training=training)
        sigma2 = self.config.sigma2_floor + ops.sigmoid(sigma2_logit)
        return Decoded(ops.sigmoid(mu), sigma2, z_mean, z_log_var)

    def terms(
        self,
        patches: Array,
        positions: Array | None = None,
        noise: Array | None = None,
        training: bool = False,
    ) -> tuple[Array, Array, Array]:
        """D, A and M of patches, each (n,) in nats; the arguments are those of `call`."""
        decoded = self(patches, positions, noise, training=training)
        x = ops.reshape(patches, (-1, self.config.patch_values))
        return (
            kl_term(decoded.z_mean, decoded.z_log_var, ops),
            log_variance_term(decoded.sigma2, ops),
            mahalanobis_term(errors_in_sd(x, decoded.mu, decoded.sigma2, ops), ops),
        )


def _normalised_relu(x: Array, name: str) -> Array:
    return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(name=f"{name}_norm")(x))


def _article_encoder(config: NetworkConfig) -> keras.Model:
    patch_size = config.patch_size
    patches = keras.Input((patch_size, patch_size), name="patches")
    x = PixelOrder(z_order(patch_size).tolist(), name="z_order")(layers.Flatten(name="row_by_row")(patches))
    x = Rows(1, name="pixels")(x)
    x = _normalised_relu(BlockConv(16, name="conv1")(x), "conv1")
    x = _normalised_relu(BlockConv(32, name="conv2")(x), "conv2")
    x = Rows(32 * (patch_size // 4) ** 2, name="flatten")(x)
    heads = [layers.Dense(config.latent_dim, name=name)(x) for name in ("z_mean", "z_log_var")]
    return keras.Model([patches], heads, name="encoder")


def _article_decoder(config: NetworkConfig) -> keras.Model:
    patch_size = config.patch_size
    z = keras.Input((config.latent_dim,), name="z")
    x = _normalised_relu(layers.Dense((patch_size // 4) ** 2, name="dense")(z), "dense")
    x = Rows(1, name="blocks")(x)
    x = _normalised_relu(BlockConvTranspose(32, name="deconv1")(x), "deconv1")
    x = _normalised_relu(BlockConvTranspose(16, name="deconv2")(x), "deconv2")
    # The two heads, mu and the logit of sigma2, are two filters of one layer.
    x = layers.BatchNormalization(name="heads_norm")(PatchConvTranspose(2, patch_size, name="heads")(x))
    x = Rows(2 * patch_size**2, name="patches")(x)
    row_by_row = np.argsort(z_order(patch_size))
    heads = [
        PixelOrder((2 * row_by_row + head).tolist(), name=name)(x)
        for head, name in enumerate(("mu", "sigma2_logit"))
    ]
    return keras.Model([z], heads, name="decoder")


def _dense_encoder(config: NetworkConfig) -> keras.Model:
    patches = keras.Input((config.patch_size, config.patch_size), name="patches")
    positions = keras.Input((2,), name="positions")
    x = _dense_layers(
        [layers.Flatten(name="pixels")(patches), Waves(_OCTAVES, name="waves")(positions)], config.units
    )
    heads = [layers.Dense(config.latent_dim, name=name)(x) for name in ("z_mean", "z_log_var")]
    return keras.Model([patches, positions], heads, name="encoder")


def _dense_decoder(config: NetworkConfig) -> keras.Model:
    z = keras.Input((config.latent_dim,), name="z")
    positions = keras.Input((2,), name="positions")
    x = _dense_layers([z, Waves(_OCTAVES, name="waves")(positions)], config.units)
    heads = [layers.Dense(config.patch_size**2, name=name)(x) for name in ("mu", "sigma2_logit")]
    return keras.Model([z, positions], heads, name="decoder")


def _dense_layers(inputs: list[Array], units: int) -> Array:
    x = layers.Concatenate(name="with_position")(inputs)
    for number in (1, 2):
        x = layers.Dense(units, activation="relu", name=f"dense{number}")(x)
    return x


def _convolutional_encoder(config: NetworkConfig) -> keras.Model:
    patches = keras.Input(config.patch_shape, name="patches")
    side, widths = _halvings(config)
    x = layers.Reshape((config.patch_size, config.patch_size, config.channels), name="pixels")(patches)
    for number, width in enumerate(widths, start=1):
        name = f"conv{number}"
        x = layers.Conv2D(width, 4, strides=2, padding="same", use_bias=False, name=name)(x)
        x = _normalised_relu(x, name)
    x = layers.Reshape((side * side * widths[-1],), name="flatten")(x)
    heads = [layers.Dense(config.latent_dim, name=name)(x) for name in ("z_mean", "z_log_var")]
    return keras.Model([patches], heads, name="encoder")


def _convolutional_decoder(config: NetworkConfig) -> keras.Model:
    z = keras.Input((config.latent_dim,), name="z")
    side, widths = _halvings(config)
    x = layers.Dense(side * side * widths[-1], use_bias=False, name="dense")(z)
    x = layers.Reshape((side, side, widths[-1]), name="blocks")(_normalised_relu(x, "dense"))
    for number, width in enumerate((*reversed(widths[:-1]), None), start=1):
        # Four channels become a block of 2x2 pixels: as far-reaching as a transposed convolution, and faster.
        name = f"deconv{number}"
        if width is None:
            x = layers.Conv2D(4 * 2 * config.channels, 3, padding="same", name=name)(x)
        else:
            x = layers.Conv2D(4 * width, 3, padding="same", use_bias=False, name=name)(x)
            x = _normalised_relu(x, name)
        x = DepthToSpace(name=f"{name}_blocks")(x)
    heads = [
        layers.Reshape((config.patch_values,), name=name)(half)
        for name, half in zip(("mu", "sigma2_logit"), ops.split(x, 2, axis=-1), strict=True)
    ]
    return keras.Model([z], heads, name="decoder")


def _halvings(config: NetworkConfig) -> tuple[int, list[int]]:
    """Smallest side of a patch, and the channels after each halving on the way."""
    side = config.patch_size
    widths: list[int] = []
    while side % 2 == 0 and (side > _LEAST_SIDE or not widths):
        side //= 2
        widths.append(min(_FIRST_CHANNELS * 2 ** len(widths), config.units))
    return side, widths


_NETWORKS: dict[
    str, tuple[Callable[[NetworkConfig], keras.Model], Callable[[NetworkConfig], keras.Model]]
] = {
    "article": (_article_encoder, _article_decoder),
    "dense": (_dense_encoder, _dense_decoder),
    "convolutional": (_convolutional_encoder, _convolutional_decoder),
}
"""Builders of encoder and decoder by `NetworkConfig.network`."""


def describe_layers(vae: Vae) -> tuple[LayerCard, ...]:
    """Cards of the layers that compute something."""
    table = []
    for part, network in (("encoder", vae.encoder), ("decoder", vae.decoder)):
        probe = [np.zeros((1, *tensor.shape[1:]), np.float32) for tensor in network.inputs]
        shown = [layer for layer in network.layers if layer.weights or isinstance(layer, layers.ReLU)]
        outputs = keras.Model(network.input, [layer.output for layer in shown])(probe)
        for layer, output in zip(shown, outputs, strict=True):
            shape, kind = _shape_of_one_patch(output.shape), type(layer).__name__
            table.append(LayerCard(part, layer.name, kind, shape, layer.count_params()))
    return tuple(table)


def _shape_of_one_patch(shape: tuple[int, ...]) -> str:
    if len(shape) == 4:
        return "x".join(str(length) for length in shape[1:])
    pixels, channels = shape
    side = round(pixels**0.5)
    return str(channels) if pixels == 1 else f"{side}x{side}x{channels}"
