"""The network: encoder, decoder and VAE in Keras. The only module with layers.

Every layer of the article's network whose stride equals its kernel is a matrix product of blocks of
pixels, and the 4x4 output layer is one structured matrix. Written as products they train several times
faster than as convolutions. For the blocks to lie side by side in memory without a transpose between the
layers, patches run through the network in Z-order: pixels in blocks of 2x2, blocks in blocks of 2x2.
Inside, an activation is a matrix (pixels, channels); the pixels of a patch follow each other in Z-order.

The weights have the shapes of Keras's Conv2D and Conv2DTranspose and can be exchanged with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from vaead.config import ModelConfig
from vaead.terms import Array, kl_term, log_variance_term, mahalanobis_term

_PACKAGE = "vaead"
_HALVINGS = 2
_OUTPUT_KERNEL = 4


def z_order(size: int) -> NDArray[np.intp]:
    """Index of the pixels of a size x size patch in Z-order.

    Args:
        size: Side in pixels, a multiple of 4.

    Returns:
        (size * size,) positions in row-by-row order.

    >>> z_order(4).tolist()
    [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]
    """
    blocks = size // 2**_HALVINGS
    axes = np.arange(size * size).reshape(blocks, 2, 2, blocks, 2, 2)
    return axes.transpose(0, 3, 1, 4, 2, 5).reshape(-1)


@keras.saving.register_keras_serializable(_PACKAGE)
class BlockConv(layers.Layer):  # type: ignore[misc]
    """Conv2D with a 2x2 kernel and stride 2, on pixels in Z-order: (4 n, channels) -> (n, filters)."""

    def __init__(self, filters: int, **options: Any) -> None:
        super().__init__(**options)
        self.filters = filters

    def build(self, input_shape: tuple[int | None, int]) -> None:
        shape = (2, 2, input_shape[-1], self.filters)
        self.kernel = self.add_weight(shape=shape, initializer="glorot_uniform", name="kernel")
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, x: Array) -> Array:
        matrix = ops.reshape(self.kernel, (-1, self.filters))
        return ops.matmul(ops.reshape(x, (-1, matrix.shape[0])), matrix) + self.bias

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters}


@keras.saving.register_keras_serializable(_PACKAGE)
class BlockConvTranspose(layers.Layer):  # type: ignore[misc]
    """Conv2DTranspose with a 2x2 kernel and stride 2, in Z-order: (n, channels) -> (4 n, filters)."""

    def __init__(self, filters: int, **options: Any) -> None:
        super().__init__(**options)
        self.filters = filters

    def build(self, input_shape: tuple[int | None, int]) -> None:
        shape = (2, 2, self.filters, input_shape[-1])
        self.kernel = self.add_weight(shape=shape, initializer="glorot_uniform", name="kernel")
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, x: Array) -> Array:
        matrix = ops.transpose(ops.reshape(self.kernel, (4 * self.filters, -1)))
        return ops.reshape(ops.matmul(x, matrix), (-1, self.filters)) + self.bias

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters}


@keras.saving.register_keras_serializable(_PACKAGE)
class PatchConvTranspose(layers.Layer):  # type: ignore[misc]
    """Conv2DTranspose with a 4x4 kernel, stride 1 and "same" padding, on whole patches in Z-order.

    (n * patch_size**2, channels) -> (n * patch_size**2, filters). One product with a matrix of
    (pixels * channels) x (pixels * filters) that holds each weight wherever an input pixel reaches an
    output pixel. Most of its entries are 0, and still it is faster than the convolution.
    """

    def __init__(self, filters: int, patch_size: int, **options: Any) -> None:
        super().__init__(**options)
        self.filters = filters
        self.patch_size = patch_size

    def build(self, input_shape: tuple[int | None, int]) -> None:
        shape = (_OUTPUT_KERNEL, _OUTPUT_KERNEL, self.filters, input_shape[-1])
        self.kernel = self.add_weight(shape=shape, initializer="glorot_uniform", name="kernel")
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")
        self._taps = _kernel_taps(self.patch_size)

    def call(self, x: Array) -> Array:
        pixels, channels = self.patch_size**2, self.kernel.shape[-1]
        taps = ops.reshape(self.kernel, (-1, self.filters, channels))
        out_of_reach = ops.zeros((1, self.filters, channels))
        matrix = ops.take(ops.concatenate([taps, out_of_reach]), self._taps, axis=0)
        matrix = ops.reshape(ops.transpose(matrix, (0, 3, 1, 2)), (pixels * channels, pixels * self.filters))
        out = ops.matmul(ops.reshape(x, (-1, pixels * channels)), matrix)
        return ops.reshape(out, (-1, self.filters)) + self.bias

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "patch_size": self.patch_size}


def _kernel_taps(patch_size: int) -> NDArray[np.intp]:
    """For each pair (input pixel, output pixel) the kernel entry between them, or one past the last."""
    row, col = np.divmod(z_order(patch_size), patch_size)
    before = (_OUTPUT_KERNEL - 1) // 2  # "same" padding puts the odd pixel after, not before
    tap_row, tap_col = (axis - axis[:, None] + before for axis in (row, col))
    inside = (tap_row >= 0) & (tap_row < _OUTPUT_KERNEL) & (tap_col >= 0) & (tap_col < _OUTPUT_KERNEL)
    return np.where(inside, tap_row * _OUTPUT_KERNEL + tap_col, _OUTPUT_KERNEL**2)


@keras.saving.register_keras_serializable(_PACKAGE)
class PixelOrder(layers.Layer):  # type: ignore[misc]
    """Take columns in a given order: (n, columns) -> (n, len(order))."""

    def __init__(self, order: Sequence[int], **options: Any) -> None:
        super().__init__(**options)
        self.order = list(order)

    def call(self, x: Array) -> Array:
        return ops.take(x, np.array(self.order), axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "order": self.order}


@keras.saving.register_keras_serializable(_PACKAGE)
class Rows(layers.Layer):  # type: ignore[misc]
    """Regroup an activation into rows of another length: (n, a) -> (n * a / length, length)."""

    def __init__(self, length: int, **options: Any) -> None:
        super().__init__(**options)
        self.length = length

    def call(self, x: Array) -> Array:
        return ops.reshape(x, (-1, self.length))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "length": self.length}


class Decoded(NamedTuple):
    """What the network makes of patches: mu and log(sigma2) as (n, pixels), z as (n, latent_dim)."""

    mu: Array
    log_sigma2: Array
    z_mean: Array
    z_log_var: Array


@keras.saving.register_keras_serializable(_PACKAGE)
class Vae(keras.Model):  # type: ignore[misc]
    """Variational autoencoder of square grey patches with a predicted variance for each pixel.

    Source: arXiv:1807.05800 and its tutorial on MNIST; see `ModelConfig` for the arguments.
    """

    def __init__(self, patch_size: int, latent_dim: int, sigma2_floor: float, **options: Any) -> None:
        super().__init__(**options)
        self.patch_size = patch_size
        self.latent_dim = latent_dim
        self.sigma2_floor = sigma2_floor
        self.encoder = _build_encoder(patch_size, latent_dim)
        self.decoder = _build_decoder(patch_size, latent_dim)

    @classmethod
    def from_model_config(cls, config: ModelConfig) -> Vae:
        """Build an untrained network."""
        return cls(config.patch_size, config.latent_dim, config.sigma2_floor)

    def call(self, patches: Array, noise: Array | None = None, training: bool = False) -> Decoded:
        """Encode and decode patches.

        Args:
            patches: (n, patch_size, patch_size) in [0, 1].
            noise: (n, latent_dim) standard normal to sample z with; None takes z = z_mean.
            training: Whether batch normalisation uses and updates the statistics of the batch.
        """
        z_mean, z_log_var = self.encoder(patches, training=training)
        z = z_mean if noise is None else z_mean + ops.exp(0.5 * z_log_var) * noise
        mu, sigma2_logit = self.decoder(z, training=training)
        log_sigma2 = ops.log(self.sigma2_floor + ops.sigmoid(sigma2_logit))
        return Decoded(ops.sigmoid(mu), log_sigma2, z_mean, z_log_var)

    def terms(self, patches: Array, noise: Array | None = None, training: bool = False) -> tuple[Array, ...]:
        """D, A and M of patches, each (n,) in nats; the arguments are those of `call`."""
        decoded = self(patches, noise, training=training)
        x = ops.reshape(patches, (-1, self.patch_size**2))
        return (
            kl_term(decoded.z_mean, decoded.z_log_var, ops),
            log_variance_term(decoded.log_sigma2, ops),
            mahalanobis_term(x, decoded.mu, decoded.log_sigma2, ops),
        )

    def get_config(self) -> dict[str, Any]:
        return {
            "patch_size": self.patch_size,
            "latent_dim": self.latent_dim,
            "sigma2_floor": self.sigma2_floor,
        }


def _normalised_relu(x: Array, name: str) -> Array:
    return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(name=f"{name}_norm")(x))


def _build_encoder(patch_size: int, latent_dim: int) -> keras.Model:
    patches = keras.Input((patch_size, patch_size), name="patches")
    x = PixelOrder(z_order(patch_size).tolist(), name="z_order")(layers.Flatten(name="row_by_row")(patches))
    x = Rows(1, name="pixels")(x)
    x = _normalised_relu(BlockConv(16, name="conv1")(x), "conv1")
    x = _normalised_relu(BlockConv(32, name="conv2")(x), "conv2")
    x = Rows(32 * (patch_size // 4) ** 2, name="flatten")(x)
    heads = [layers.Dense(latent_dim, name=name)(x) for name in ("z_mean", "z_log_var")]
    return keras.Model(patches, heads, name="encoder")


def _build_decoder(patch_size: int, latent_dim: int) -> keras.Model:
    z = keras.Input((latent_dim,), name="z")
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
    return keras.Model(z, heads, name="decoder")


def describe_layers(vae: Vae) -> list[dict[str, Any]]:
    """List the layers that compute something.

    Returns:
        One entry a layer: `part` (encoder or decoder), `layer`, `kind`, `output` (one patch's output as
        height x width x channels, or its length), `parameters`.
    """
    probes = {
        "encoder": (vae.encoder, np.zeros((1, vae.patch_size, vae.patch_size), np.float32)),
        "decoder": (vae.decoder, np.zeros((1, vae.latent_dim), np.float32)),
    }
    table = []
    for part, (network, probe) in probes.items():
        shown = [layer for layer in network.layers if layer.weights or isinstance(layer, layers.ReLU)]
        outputs = keras.Model(network.input, [layer.output for layer in shown])(probe)
        for layer, output in zip(shown, outputs, strict=True):
            table.append(
                {
                    "part": part,
                    "layer": layer.name,
                    "kind": type(layer).__name__,
                    "output": _shape_of_one_patch(output.shape),
                    "parameters": layer.count_params(),
                }
            )
    return table


def _shape_of_one_patch(shape: tuple[int, int]) -> str:
    pixels, channels = shape
    side = round(pixels**0.5)
    return str(channels) if pixels == 1 else f"{side}x{side}x{channels}"
