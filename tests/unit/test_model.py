"""The network against the same network made of Keras's own layers."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers, ops
from numpy.typing import NDArray

from vaead.model import BlockConv, BlockConvTranspose, PatchConvTranspose, Vae, describe_layers, z_order
from vaead.terms import Array

SIZES = [4, 8, 12]
CHANNELS, FILTERS = 3, 5


def random_like(weights: list[NDArray[np.float32]], seed: int = 0) -> list[NDArray[np.float32]]:
    """Random weights of the same shapes: kernels of both signs, vectors above 0, since some are variances."""
    random = np.random.default_rng(seed)
    kernels = (random.normal(0.0, weight[..., 0].size ** -0.5, weight.shape) for weight in weights)
    vectors = (random.uniform(0.5, 1.5, weight.shape) for weight in weights)
    pairs = zip(weights, kernels, vectors, strict=True)
    return [np.float32(kernel if weight.ndim > 1 else vector) for weight, kernel, vector in pairs]


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


def plain_encoder(size: int, latent_dim: int) -> keras.Model:
    patches = keras.Input((size, size, 1))
    x = patches
    for index, filters in enumerate((16, 32), start=1):
        x = layers.Conv2D(filters, 2, strides=2, name=f"conv{index}")(x)
        x = layers.ReLU()(layers.BatchNormalization(name=f"conv{index}_norm")(x))
    x = layers.Flatten()(x)
    return keras.Model(patches, [layers.Dense(latent_dim, name=name)(x) for name in ("z_mean", "z_log_var")])


def plain_decoder(size: int, latent_dim: int) -> keras.Model:
    z = keras.Input((latent_dim,))
    x = layers.Dense((size // 4) ** 2, name="dense")(z)
    x = layers.ReLU()(layers.BatchNormalization(name="dense_norm")(x))
    x = layers.Reshape((size // 4, size // 4, 1))(x)
    for index, filters in enumerate((32, 16), start=1):
        x = layers.Conv2DTranspose(filters, 2, strides=2, name=f"deconv{index}")(x)
        x = layers.ReLU()(layers.BatchNormalization(name=f"deconv{index}_norm")(x))
    heads = []
    for name in ("mu", "sigma2"):
        head = layers.Conv2DTranspose(1, 4, padding="same", name=name)(x)
        head = layers.BatchNormalization(name=f"{name}_norm")(head)
        heads.append(layers.Flatten()(layers.Activation("sigmoid")(head)))
    return keras.Model(z, heads)


def hand_over(vae: Vae, encoder: keras.Model, decoder: keras.Model) -> None:
    """Give the weights of a network to its plain twin."""
    for network, twin in ((vae.encoder, encoder), (vae.decoder, decoder)):
        for layer in network.layers:
            if layer.weights and not layer.name.startswith("heads"):
                twin.get_layer(layer.name).set_weights(layer.get_weights())
    kernel, bias = vae.decoder.get_layer("heads").get_weights()
    norm = vae.decoder.get_layer("heads_norm").get_weights()
    for index, name in enumerate(("mu", "sigma2")):
        head = slice(index, index + 1)
        decoder.get_layer(name).set_weights([kernel[:, :, head], bias[head]])
        decoder.get_layer(f"{name}_norm").set_weights([weight[head] for weight in norm])


@pytest.mark.parametrize(("size", "latent_dim"), [(8, 2), (16, 3)])
def test_network_is_the_one_made_of_plain_layers(size: int, latent_dim: int) -> None:
    vae = Vae(size, latent_dim, sigma2_floor=1e-10)
    vae.set_weights(random_like(vae.get_weights()))
    encoder, decoder = plain_encoder(size, latent_dim), plain_decoder(size, latent_dim)
    hand_over(vae, encoder, decoder)
    random = np.random.default_rng(2)
    patches = random.random((6, size, size), np.float32)
    noise = random.normal(size=(6, latent_dim)).astype(np.float32)

    z_mean, z_log_var = encoder(patches[..., None])
    for noise_or_none, z in ((None, z_mean), (noise, z_mean + ops.exp(z_log_var / 2) * noise)):
        mu, sigma2 = decoder(z)
        decoded = vae(patches, noise_or_none)
        assert min(np.std(mu), np.std(sigma2)) > 0.02, "saturated sigmoids would show no difference"
        assert_same(decoded.z_mean, z_mean)
        assert_same(decoded.z_log_var, z_log_var)
        assert_same(decoded.mu, mu)
        assert_same(ops.exp(decoded.log_sigma2), sigma2)


def test_sigma2_never_falls_below_its_floor() -> None:
    vae = Vae(8, 2, sigma2_floor=1e-3)
    vae.decoder.get_layer("heads_norm").beta.assign([0.0, -200.0])
    log_sigma2 = vae(np.zeros((1, 8, 8), np.float32)).log_sigma2
    np.testing.assert_allclose(log_sigma2, np.full((1, 64), np.log(1e-3)), rtol=1e-5)


def test_terms_are_those_of_what_the_network_decodes(vae: Vae) -> None:
    patches = np.random.default_rng(0).random((4, 8, 8), np.float32)
    mu, log_sigma2, z_mean, z_log_var = (np.asarray(part) for part in vae(patches))
    kl, log_variance, mahalanobis = (np.asarray(term) for term in vae.terms(patches))

    error = patches.reshape(4, 64) - mu
    assert_same(kl, np.sum(z_mean**2 + np.exp(z_log_var) - 1 - z_log_var, axis=1) / 2)
    assert_same(log_variance, np.sum(np.log(2 * np.pi) + log_sigma2, axis=1) / 2)
    np.testing.assert_allclose(mahalanobis, np.sum(error**2 / np.exp(log_sigma2), axis=1) / 2, rtol=1e-5)


def test_saved_network_is_loaded_as_it_was(tmp_path: Path) -> None:
    vae = Vae(12, 3, sigma2_floor=0.01)
    vae.set_weights(random_like(vae.get_weights()))
    patches = np.random.default_rng(0).random((2, 12, 12), np.float32)
    terms = vae.terms(patches)
    vae.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")

    assert isinstance(loaded, Vae)
    assert loaded.get_config() == vae.get_config()
    for actual, expected in zip(loaded.terms(patches), terms, strict=True):
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("size", [8, 16])
def test_listed_parameters_add_up_to_those_of_the_networks(size: int) -> None:
    vae = Vae(size, 2, sigma2_floor=0.01)
    table = describe_layers(vae)
    for part in ("encoder", "decoder"):
        parameters = sum(entry["parameters"] for entry in table if entry["part"] == part)
        assert parameters == getattr(vae, part).count_params()


def test_listed_outputs_are_those_of_one_patch() -> None:
    outputs = {entry["layer"]: entry["output"] for entry in describe_layers(Vae(8, 2, sigma2_floor=0.01))}
    expected = {"conv1": "4x4x16", "conv2": "2x2x32", "z_mean": "2", "dense": "4", "heads": "8x8x2"}
    assert expected.items() <= outputs.items()
