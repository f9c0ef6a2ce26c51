"""Turn a trained network into the LiteRT program that serving runs without TensorFlow."""

from __future__ import annotations

import tempfile

import keras
import tensorflow as tf

from vaead.model import Vae
from vaead.terms import TERMS, Array


def to_litert(vae: Vae) -> bytes:
    """Export a network for `vaead.scoring.PatchScorer`.

    The program has two signatures, both with one input `patches`, (n, patch_size, patch_size) in [0, 1],
    for any n: `terms` returns D, A and M, each (n,); `decode` returns mu and sigma2, (n, pixels), and
    z_mean and z_log_var, (n, latent_dim). z is z_mean in both, so scores are deterministic.
    """
    patches = tf.TensorSpec((None, vae.patch_size, vae.patch_size), tf.float32, name="patches")
    # As constants, weights can be folded (batch normalisation into the products, the output layer's
    # matrix made once); as variables the converter would compute all of that anew for each batch.
    weights = [(variable, tf.constant(variable.numpy())) for variable in vae.variables]

    def terms(patches: Array) -> dict[str, Array]:
        with keras.StatelessScope(state_mapping=weights):
            return dict(zip(TERMS, vae.terms(patches), strict=True))

    def decode(patches: Array) -> dict[str, Array]:
        with keras.StatelessScope(state_mapping=weights):
            decoded = vae(patches)
        return {
            "mu": decoded.mu,
            "sigma2": tf.exp(decoded.log_sigma2),
            "z_mean": decoded.z_mean,
            "z_log_var": decoded.z_log_var,
        }

    signatures = {
        function.__name__: tf.function(function, input_signature=[patches]) for function in (terms, decode)
    }
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(tf.Module(), folder, signatures=signatures)
        return bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())
