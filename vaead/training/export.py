"""Turn a trained network into the LiteRT program that serving runs without TensorFlow."""

from __future__ import annotations

import tempfile

import keras
import tensorflow as tf

from vaead.scoring.loss_terms import Array
from vaead.training.network import Vae


def to_litert(vae: Vae) -> bytes:
    """Export a network for `vaead.scoring.patch_scorer.PatchScorer`.

    The program has two signatures. Both take `patches`, (n, *patch_shape) in [0, 1], for any n,
    and if the network is position-aware `positions`, (n, 2), see `PatchGrid.positions`. What they
    return is described in `PatchScorer`. z is z_mean in both, so scores are deterministic.
    """
    inputs = [tf.TensorSpec((None, *vae.config.patch_shape), tf.float32, name="patches")]
    if vae.config.position_aware:
        inputs.append(tf.TensorSpec((None, 2), tf.float32, name="positions"))
    # As constants, weights can be folded (batch normalisation into the products, the output layer's
    # matrix made once); as variables the converter would compute all of that anew for each batch.
    weights = [(variable, tf.constant(variable.numpy())) for variable in vae.variables]

    def scan(patches: Array, positions: Array | None = None) -> dict[str, Array]:
        with keras.StatelessScope(state_mapping=weights):
            return vae.scan(patches, positions)

    def decode(patches: Array, positions: Array | None = None) -> dict[str, Array]:
        with keras.StatelessScope(state_mapping=weights):
            decoded = vae(patches, positions)
        return {
            "mu": decoded.mu,
            "sigma2": tf.exp(decoded.log_sigma2),
            "z_mean": decoded.z_mean,
            "z_log_var": decoded.z_log_var,
        }

    signatures = {
        function.__name__: tf.function(function, input_signature=inputs) for function in (scan, decode)
    }
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(tf.Module(), folder, signatures=signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        # Weights in half precision; the arithmetic stays in 32 bits.
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
        return bytes(converter.convert())
