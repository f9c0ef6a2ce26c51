"""Layers that turn the article's convolutions into matrix products.

A convolution whose stride equals its kernel multiplies blocks of pixels that do not overlap by one matrix,
and the 4x4 output layer is one structured matrix. As products they train several times faster than as
convolutions, if the pixels of a block lie side by side in memory. So the pixels of a patch are put in order
once, blocks of 2x2 inside blocks of 2x2 (Z-order), and no layer in between moves a number:

    a patch, its pixels           the same in memory (Z-order), as `BlockConv` takes it
    numbered row by row

       0  1 |  2  3
       4  5 |  6  7              [ 0 1 4 5 ]   [ 2 3 6 7 ]   [ 8 9 12 13 ]   [ 10 11 14 15 ]
      ------+------      ->           |             |              |                |
       8  9 | 10 11                   x  one kernel, a matrix (4 * channels, filters)
      12 13 | 14 15                   |             |              |                |
                                   pixel 0       pixel 1        pixel 2          pixel 3
                                   of the next layer, in Z-order again

Inside, an activation is a matrix (pixels, channels); the pixels of a patch follow each other in Z-order. The
weights have the shapes of Keras's Conv2D and Conv2DTranspose and can be exchanged with them. The same network
in Keras's own layers, 40 lines, is `tests/unit/training/article_network.py`; a test holds both to be equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from vaead.scoring.loss_terms import Array

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


class BlockConvTranspose(layers.Layer):  # type: ignore[misc]
    """Conv2DTranspose with a 2x2 kernel and stride 2, in Z-order: (n, channels) -> (4 n, filters)."""

    filters_axis = 2
    """Axis of the kernel that counts filters; in other layers it is the last."""

    def __init__(self, filters: int, **options: Any) -> None:
        super().__init__(**options)
        self.filters = filters

    def build(self, input_shape: tuple[int | None, int]) -> None:
        shape = (2, 2, self.filters, input_shape[-1])
        self.kernel = self.add_weight(shape=shape, initializer="glorot_uniform", name="kernel")
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, x: Array) -> Array:
        matrix = ops.transpose(ops.reshape(self.kernel, (4 * self.filters, -1)))
        return ops.reshape(ops.matmul(x, matrix) + ops.tile(self.bias, [4]), (-1, self.filters))


class PatchConvTranspose(layers.Layer):  # type: ignore[misc]
    """Conv2DTranspose with a 4x4 kernel, stride 1 and "same" padding, on whole patches in Z-order.

    (n * patch_size**2, channels) -> (n * patch_size**2, filters). One product with a matrix of
    (pixels * channels) x (pixels * filters) that holds each weight wherever an input pixel reaches an
    output pixel. Most of its entries are 0, and still it is faster than the convolution.
    """

    filters_axis = 2
    """Axis of the kernel that counts filters; in other layers it is the last."""

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
        out = ops.matmul(ops.reshape(x, (-1, pixels * channels)), matrix) + ops.tile(self.bias, [pixels])
        return ops.reshape(out, (-1, self.filters))


def _kernel_taps(patch_size: int) -> NDArray[np.intp]:
    """For each pair (input pixel, output pixel) the kernel entry between them, or one past the last."""
    row, col = np.divmod(z_order(patch_size), patch_size)
    before = (_OUTPUT_KERNEL - 1) // 2  # "same" padding puts the odd pixel after, not before
    tap_row, tap_col = (axis - axis[:, None] + before for axis in (row, col))
    inside = (tap_row >= 0) & (tap_row < _OUTPUT_KERNEL) & (tap_col >= 0) & (tap_col < _OUTPUT_KERNEL)
    return np.where(inside, tap_row * _OUTPUT_KERNEL + tap_col, _OUTPUT_KERNEL**2)


class PixelOrder(layers.Layer):  # type: ignore[misc]
    """Take columns in a given order: (n, columns) -> (n, len(order))."""

    def __init__(self, order: Sequence[int], **options: Any) -> None:
        super().__init__(**options)
        self.order = list(order)

    def call(self, x: Array) -> Array:
        return ops.take(x, np.array(self.order), axis=1)


class Rows(layers.Layer):  # type: ignore[misc]
    """Regroup an activation into rows of another length: (n, a) -> (n * a / length, length)."""

    def __init__(self, length: int, **options: Any) -> None:
        super().__init__(**options)
        self.length = length

    def call(self, x: Array) -> Array:
        return ops.reshape(x, (-1, self.length))


class DepthToSpace(layers.Layer):  # type: ignore[misc]
    """Spread channels over blocks of 2x2 pixels: (n, h, w, 4 * channels) -> (n, 2 h, 2 w, channels)."""

    def call(self, x: Array) -> Array:
        _, height, width, channels = x.shape
        blocks = ops.reshape(x, (-1, height, width, 2, 2, channels // 4))
        return ops.reshape(
            ops.transpose(blocks, (0, 1, 3, 2, 4, 5)), (-1, 2 * height, 2 * width, channels // 4)
        )


class Waves(layers.Layer):  # type: ignore[misc]
    """Spread positions in [0, 1] over sine waves, so that a dense layer can tell neighbours apart.

    (n, 2) -> (n, 2 + 4 * octaves).
    """

    def __init__(self, octaves: int, **options: Any) -> None:
        super().__init__(**options)
        self.octaves = octaves

    def call(self, positions: Array) -> Array:
        waves = [positions]
        for octave in range(self.octaves):
            angle = positions * (np.pi * 2.0**octave)
            waves += [ops.sin(angle), ops.cos(angle)]
        return ops.concatenate(waves, axis=-1)
