"""Each layer against the one of Keras that it stands for."""

import numpy as np
import pytest
from keras import layers, ops
from numpy.typing import NDArray

from vaead.scoring.loss_terms import Array
from vaead.training.layers import (
    BlockConv,
    BlockConvTranspose,
    DepthToSpace,
    PatchConvTranspose,
    Waves,
    z_order,
)

SIZES = [4, 8, 12]
CHANNELS, FILTERS = 3, 5


def random_like(weights: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    random = np.random.default_rng(0)
    return [random.normal(size=weight.shape).astype(np.float32) for weight in weights]


def random_images(size: int) -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=(2, size, size, CHANNELS)).astype(np.float32)


def in_z_order(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Activations (n, size, size, channels) as the network holds them, (n * pixels, channels)."""
    count, size, _, channels = images.shape
    return images.reshape(count, -1, channels)[:, z_order(size)].reshape(-1, channels)


def blocks_in_z_order(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same for activations of half the size of a patch: the order in which its 2x2 blocks come."""
    half, channels = images.shape[2:]
    row, col = np.divmod(z_order(2 * half)[::4], 2 * half)
    return images[:, row // 2, col // 2].reshape(-1, channels)


def assert_same(actual: Array, expected: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(ops.convert_to_numpy(actual), expected, rtol=1e-5, atol=1e-5)


def run_with_same_weights(
    layer: layers.Layer, own_input: NDArray[np.float32], reference: layers.Layer, images: NDArray[np.float32]
) -> tuple[Array, NDArray[np.float32]]:
    reference.build(images.shape)
    reference.set_weights(random_like(reference.get_weights()))
    layer.build(own_input.shape)
    layer.set_weights(reference.get_weights())
    return layer(own_input), ops.convert_to_numpy(reference(images))


@pytest.mark.parametrize("size", SIZES)
def test_block_conv_is_conv2d(size: int) -> None:
    images = random_images(size)
    conv = layers.Conv2D(FILTERS, 2, strides=2)
    actual, expected = run_with_same_weights(BlockConv(FILTERS), in_z_order(images), conv, images)
    assert_same(actual, blocks_in_z_order(expected))


@pytest.mark.parametrize("size", SIZES)
def test_block_conv_transpose_is_conv2d_transpose(size: int) -> None:
    images = random_images(size // 2)
    conv = layers.Conv2DTranspose(FILTERS, 2, strides=2)
    actual, expected = run_with_same_weights(
        BlockConvTranspose(FILTERS), blocks_in_z_order(images), conv, images
    )
    assert_same(actual, in_z_order(expected))


@pytest.mark.parametrize("size", SIZES)
def test_patch_conv_transpose_is_conv2d_transpose_with_same_padding(size: int) -> None:
    images = random_images(size)
    conv = layers.Conv2DTranspose(FILTERS, 4, padding="same")
    actual, expected = run_with_same_weights(
        PatchConvTranspose(FILTERS, size), in_z_order(images), conv, images
    )
    assert_same(actual, in_z_order(expected))


def test_waves_of_a_worked_example() -> None:
    waves = Waves(octaves=2)(np.array([[0.0, 0.25]], np.float32))
    half = 2**-0.5
    expected = [[0, 0.25, 0, half, 1, half, 0, 1, 1, 0]]
    np.testing.assert_allclose(waves, expected, atol=1e-6)


def test_depth_to_space_is_a_plain_loop_over_pixels() -> None:
    x = np.random.default_rng(0).random((2, 3, 5, 4 * CHANNELS), np.float32)
    expected = np.zeros((2, 6, 10, CHANNELS), np.float32)
    for row in range(6):
        for col in range(10):
            first = (row % 2 * 2 + col % 2) * CHANNELS
            expected[:, row, col] = x[:, row // 2, col // 2, first : first + CHANNELS]
    np.testing.assert_array_equal(DepthToSpace()(x), expected)
