"""Turn a trained network into the LiteRT program that serving runs without TensorFlow."""

from __future__ import annotations

import tempfile

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from vaead.scoring.loss_terms import Array
from vaead.scoring.patch_scorer import SIGNATURE
from vaead.training.network import Decoded, Vae


def to_litert(vae: Vae) -> bytes:
    """Export a network for `vaead.scoring.patch_scorer.PatchScorer`.

    The program takes `patches`, (n, *patch_shape) in [0, 1], for any n, and if the network is
    position-aware `positions`, (n, 2), see `PatchGrid.positions`. What it returns is described in
    `PatchScorer`. z is z_mean, so scores are deterministic.
    """
    inputs = [tf.TensorSpec((None, *vae.config.patch_shape), tf.float32, name="patches")]
    if vae.config.position_aware:
        inputs.append(tf.TensorSpec((None, 2), tf.float32, name="positions"))
    # As constants, the output layer's matrix is made once; as variables anew for each batch.
    values = _without_normalisation(vae)
    weights = [(variable, tf.constant(values[id(variable)])) for variable in vae.variables]

    def decode(patches: Array, positions: Array | None = None) -> dict[str, Array]:
        with keras.StatelessScope(state_mapping=weights):
            decoded: Decoded = vae(patches, positions)
        return decoded._asdict()

    signature = tf.function(decode, input_signature=inputs)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(tf.Module(), folder, signatures={SIGNATURE: signature})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        # Weights in half precision; the arithmetic stays in 32 bits.
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
        return bytes(converter.convert())


def _without_normalisation(vae: Vae) -> dict[int, NDArray[np.float32]]:
    """Values of all variables by `id`, with which layers do what the batch normalisations after them did.

    The converter does the same where no change of shape lies between a layer and its normalisation; where one
    does, the program would work through rows of two numbers.
    """
    values = {id(variable): variable.numpy() for variable in vae.variables}
    for network in (vae.encoder, vae.decoder):
        for norm in network.layers:
            if not isinstance(norm, keras.layers.BatchNormalization):
                continue
            layer = network.get_layer(norm.name.removesuffix("_norm"))
            if layer.bias is None:
                continue
            scale = norm.gamma.numpy() / np.sqrt(norm.moving_variance.numpy() + norm.epsilon)
            axes = [1] * len(layer.kernel.shape)
            axes[getattr(layer, "filters_axis", -1)] = -1
            values[id(layer.kernel)] = layer.kernel.numpy() * scale.reshape(axes)
            moved = layer.bias.numpy() - norm.moving_mean.numpy()
            values[id(layer.bias)] = moved * scale + norm.beta.numpy()
            parts = (norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance)
            for part, value in zip(parts, (1, 0, 0, 1 - norm.epsilon), strict=True):
                values[id(part)] = np.full(part.shape, value, np.float32)
    return values
