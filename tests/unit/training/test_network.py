"""The networks against the same networks made of Keras's own layers."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from tests.unit.training.article_network import article_decoder, article_encoder
from vaead.config import NetworkConfig
from vaead.presets import PRESETS, Preset
from vaead.scoring.loss_terms import Array
from vaead.training.network import Vae, describe_layers

ARTICLE = NetworkConfig(sigma2_floor=0.01)
DENSE = NetworkConfig(network="dense", patch_size=12, latent_dim=3, units=40, sigma2_floor=0.01)
COLOURS = NetworkConfig(
    network="convolutional", patch_size=16, latent_dim=3, units=12, sigma2_floor=0.01, channels=3
)


def random_like(weights: list[NDArray[np.float32]], seed: int = 0) -> list[NDArray[np.float32]]:
    """Random weights of the same shapes: kernels of both signs, vectors above 0, since some are variances."""
    random = np.random.default_rng(seed)
    kernels = (random.normal(0.0, weight[..., 0].size ** -0.5, weight.shape) for weight in weights)
    vectors = (random.uniform(0.5, 1.5, weight.shape) for weight in weights)
    pairs = zip(weights, kernels, vectors, strict=True)
    return [np.float32(kernel if weight.ndim > 1 else vector) for weight, kernel, vector in pairs]


def assert_same(actual: Array, expected: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(ops.convert_to_numpy(actual), expected, rtol=1e-5, atol=1e-5)


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
def test_article_network_is_the_one_made_of_plain_layers(size: int, latent_dim: int) -> None:
    vae = Vae(NetworkConfig(patch_size=size, latent_dim=latent_dim, sigma2_floor=1e-10))
    vae.set_weights(random_like(vae.get_weights()))
    encoder, decoder = article_encoder(size, latent_dim), article_decoder(size, latent_dim)
    hand_over(vae, encoder, decoder)
    random = np.random.default_rng(2)
    patches = random.random((6, size, size), np.float32)
    noise = random.normal(size=(6, latent_dim)).astype(np.float32)

    z_mean, z_log_var = encoder(patches[..., None])
    for noise_or_none, z in ((None, z_mean), (noise, z_mean + ops.exp(z_log_var / 2) * noise)):
        mu, sigma2 = decoder(z)
        decoded = vae(patches, noise=noise_or_none)
        assert min(np.std(mu), np.std(sigma2)) > 0.02, "saturated sigmoids would show no difference"
        assert_same(decoded.z_mean, z_mean)
        assert_same(decoded.z_log_var, z_log_var)
        assert_same(decoded.mu, mu)
        assert_same(decoded.sigma2, sigma2)


def test_dense_network_is_two_hidden_layers_that_see_the_position() -> None:
    vae = Vae(DENSE)
    vae.set_weights(random_like(vae.get_weights()))
    random = np.random.default_rng(2)
    patches, positions = random.random((6, 12, 12), np.float32), random.random((6, 2), np.float32)
    angles = np.concatenate([positions * np.pi * 2**octave for octave in range(3)], axis=1)
    waves = [np.stack([np.sin(a), np.cos(a)], axis=1).reshape(6, 4) for a in np.split(angles, 3, axis=1)]

    def hidden(network: keras.Model, inputs: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        x = np.concatenate([inputs, positions, *waves], axis=1)
        for kernel, bias in (network.get_layer(name).get_weights() for name in ("dense1", "dense2")):
            x = np.maximum(x @ kernel + bias, 0)
        heads = (network.get_layer(name).get_weights() for name in network.output_names)
        return [x @ kernel + bias for kernel, bias in heads]

    z_mean, z_log_var = hidden(vae.encoder, patches.reshape(6, -1))
    mu, sigma2_logit = hidden(vae.decoder, z_mean)
    decoded = vae(patches, positions)
    assert_same(decoded.z_mean, z_mean)
    assert_same(decoded.z_log_var, z_log_var)
    assert_same(decoded.mu, 1 / (1 + np.exp(-mu)))
    assert_same(decoded.sigma2, 0.01 + 1 / (1 + np.exp(-sigma2_logit)))


def test_convolutional_network_is_the_one_made_of_plain_convolutions() -> None:
    vae = Vae(COLOURS)
    vae.set_weights(random_like(vae.get_weights()))
    patches = np.random.default_rng(2).random((6, 16, 16, 3), np.float32)

    def convolved(x: Array, network: keras.Model, name: str, strides: int) -> Array:
        kernel, *bias = network.get_layer(name).get_weights()
        return ops.conv(x, kernel, strides=strides, padding="same") + (bias[0] if bias else 0)

    def normalised(x: Array, network: keras.Model, name: str) -> Array:
        gamma, beta, mean, variance = network.get_layer(f"{name}_norm").get_weights()
        return ops.relu((x - mean) / np.sqrt(variance + 1e-3) * gamma + beta)

    x = patches
    for name in ("conv1", "conv2"):
        x = normalised(convolved(x, vae.encoder, name, 2), vae.encoder, name)
    heads = [vae.encoder.get_layer(name).get_weights() for name in ("z_mean", "z_log_var")]
    z_mean, z_log_var = (ops.reshape(x, (6, 4 * 4 * 12)) @ kernel + bias for kernel, bias in heads)
    x = normalised(z_mean @ vae.decoder.get_layer("dense").get_weights()[0], vae.decoder, "dense")
    x = normalised(
        convolved(ops.reshape(x, (6, 4, 4, 12)), vae.decoder, "deconv1", 1), vae.decoder, "deconv1"
    )
    x = convolved(tf.nn.depth_to_space(x, 2), vae.decoder, "deconv2", 1)
    pixels = ops.sigmoid(tf.nn.depth_to_space(x, 2))

    decoded = vae(patches)
    assert pixels.shape == (6, 16, 16, 6)
    assert np.std(pixels) > 0.02, "saturated sigmoids would show no difference"
    assert_same(decoded.z_mean, z_mean)
    assert_same(decoded.z_log_var, z_log_var)
    assert_same(ops.reshape(decoded.mu, (6, 16, 16, 3)), ops.convert_to_numpy(pixels[..., :3]))
    assert_same(decoded.sigma2, 0.01 + ops.convert_to_numpy(pixels[..., 3:]).reshape(6, -1))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("size", "halved"),
    [
        (4, ["2x2x8"]),
        (16, ["8x8x8", "4x4x16"]),
        (24, ["12x12x8", "6x6x16"]),
        (32, ["16x16x8", "8x8x16", "4x4x32"]),
        (96, ["48x48x8", "24x24x16", "12x12x32", "6x6x64"]),
        (128, ["64x64x8", "32x32x16", "16x16x32", "8x8x64", "4x4x64"]),
    ],
)
def test_convolutional_network_is_as_deep_as_its_patches_are_large(
    size: int, halved: list[str], channels: int
) -> None:
    config = NetworkConfig(
        network="convolutional", patch_size=size, latent_dim=5, units=64, channels=channels
    )
    vae = Vae(config)
    table = describe_layers(vae)
    assert [entry.output for entry in table if entry.kind == "Conv2D"][: len(halved)] == halved
    assert sum(entry.kind == "Conv2D" for entry in table) == 2 * len(halved)
    shapes = [tuple(part.shape) for part in vae(np.zeros((2, *config.patch_shape), np.float32))]
    assert shapes == [(2, size * size * channels)] * 2 + [(2, 5)] * 2


@pytest.mark.parametrize("value", [-1e6, 1e6])
def test_z_log_var_stays_where_its_exponential_is_a_number(value: float) -> None:
    vae = Vae(ARTICLE)
    vae.encoder.get_layer("z_log_var").bias.assign([value, 0.0])
    patches = np.zeros((1, 8, 8), np.float32)
    assert abs(float(vae(patches).z_log_var[0, 0])) < 20
    assert all(np.isfinite(term).all() for term in vae.terms(patches))


def test_sigma2_never_falls_below_its_floor() -> None:
    vae = Vae(NetworkConfig(sigma2_floor=1e-3))
    vae.decoder.get_layer("heads_norm").beta.assign([0.0, -200.0])
    sigma2 = vae(np.zeros((1, 8, 8), np.float32)).sigma2
    np.testing.assert_allclose(sigma2, np.full((1, 64), 1e-3), rtol=1e-5)


def test_terms_are_those_of_what_the_network_decodes(vae: Vae) -> None:
    patches = np.random.default_rng(0).random((4, 8, 8), np.float32)
    mu, sigma2, z_mean, z_log_var = (np.asarray(part) for part in vae(patches))
    kl, log_variance, mahalanobis = (np.asarray(term) for term in vae.terms(patches))

    error = patches.reshape(4, 64) - mu
    assert_same(kl, np.sum(z_mean**2 + np.exp(z_log_var) - 1 - z_log_var, axis=1) / 2)
    assert_same(log_variance, np.sum(np.log(2 * np.pi * sigma2), axis=1) / 2)
    np.testing.assert_allclose(mahalanobis, np.sum(error**2 / sigma2, axis=1) / 2, rtol=1e-5)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_listed_parameters_add_up_to_those_of_the_networks(preset: Preset) -> None:
    vae = Vae(preset.networks[0])
    table = describe_layers(vae)
    for part in ("encoder", "decoder"):
        parameters = sum(entry.parameters for entry in table if entry.part == part)
        assert parameters == getattr(vae, part).count_params()


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (ARTICLE, {"conv1": "4x4x16", "conv2": "2x2x32", "z_mean": "2", "dense": "4", "heads": "8x8x2"}),
        (DENSE, {"dense1": "40", "dense2": "40", "z_mean": "3", "mu": "144", "sigma2_logit": "144"}),
        (COLOURS, {"conv1": "8x8x8", "conv2": "4x4x12", "dense": "192", "deconv2": "8x8x24"}),
    ],
    ids=["article", "dense", "convolutional"],
)
def test_listed_outputs_are_those_of_one_patch(config: NetworkConfig, expected: dict[str, str]) -> None:
    outputs = {entry.layer: entry.output for entry in describe_layers(Vae(config))}
    assert expected.items() <= outputs.items()
