"""The compiled program of an epoch, without what `fit` does around it."""

from collections.abc import Iterable

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from vaead.config import NETWORKS, NetworkConfig, TrainConfig
from vaead.scoring.loss_terms import Array
from vaead.training.fit import compile_epoch
from vaead.training.network import Vae


@pytest.fixture(scope="module")
def dense_weights() -> list[list[NDArray[np.float32]]]:
    """Weights of a position-aware network at first, when its learning rate is 0, and an epoch later."""
    random = np.random.default_rng(0)
    crops, positions = random.random((256, 8, 8), np.float32), random.random((256, 2), np.float32)
    vae = Vae(NetworkConfig(network="dense"))
    epoch = compile_epoch(vae, TrainConfig(crops=256, epochs=1, decay=True))
    weights = [vae.get_weights()]
    for number in (1, 2):
        epoch(crops, positions, tf.constant([0, number]))
        weights.append(vae.get_weights())
    return weights


def test_learning_rate_may_fall_to_0(dense_weights: list[list[NDArray[np.float32]]]) -> None:
    untrained, trained, after_the_end = dense_weights
    assert not np.array_equal(untrained[0], trained[0])
    for weight, expected in zip(after_the_end, trained, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_position_aware_network_learns_from_every_pixel_and_from_the_position(
    dense_weights: list[list[NDArray[np.float32]]],
) -> None:
    untrained, trained, _ = (weights[0] for weights in dense_weights)
    inputs = 8 * 8 + 2 + 3 * 4  # pixels, row and column, a sine and a cosine of both in three octaves
    assert untrained.shape == (inputs, 256)
    assert np.all(np.any(untrained != trained, axis=1))


def all_finite(arrays: Iterable[Array]) -> bool:
    return all(np.isfinite(array).all() for array in arrays)


@pytest.mark.parametrize("network", NETWORKS)
def test_training_is_made_of_numbers_whatever_the_patches(network: str) -> None:
    random = np.random.default_rng(0)
    shape, positions = (1280, 8, 8), random.random((1280, 2), np.float32)
    vae = Vae(NetworkConfig(network=network, sigma2_floor=1e-10))
    settings = TrainConfig(crops=1280, learning_rate=0.5, kl_weight=100.0)
    epoch = compile_epoch(vae, settings)
    for patches in (
        np.zeros(shape, np.float32),
        np.ones(shape, np.float32),
        np.broadcast_to(random.random((8, 8), np.float32), shape),
        random.integers(0, 2, shape).astype(np.float32),
    ):
        for number in range(8):
            assert all_finite(epoch(patches, positions, tf.constant([0, number])))
        assert all_finite(vae.get_weights())
        assert all_finite(vae.terms(patches, positions))


def test_gradient_that_is_no_number_spoils_no_weight() -> None:
    random = np.random.default_rng(0)
    crops, positions = random.random((384, 8, 8), np.float32), random.random((384, 2), np.float32)
    crops[200] = np.nan
    vae = Vae(NetworkConfig(network="dense", patch_size=8))
    untrained = vae.get_weights()
    compile_epoch(vae, TrainConfig(crops=384))(crops, positions, tf.constant([0, 1]))
    assert all_finite(vae.get_weights())
    assert not np.array_equal(vae.get_weights()[0], untrained[0])
