"""The article's network as any tutorial on Keras would write it, for patches of 8x8 pixels.

`vaead.training.network` computes the same as matrix products, several times faster;
`tests/unit/training/test_network.py` holds both to be equal, for the same weights.

Source: arXiv:1807.05800 and its tutorial on MNIST.
"""

import keras
from keras import layers


def article_encoder(size: int = 8, latent_dim: int = 2) -> keras.Model:
    """q(z|x): patches (n, size, size, 1) -> mean and log variance of z, each (n, latent_dim)."""
    patches = keras.Input((size, size, 1))
    x = patches
    for index, filters in enumerate((16, 32), start=1):
        x = layers.Conv2D(filters, 2, strides=2, name=f"conv{index}")(x)
        x = layers.ReLU()(layers.BatchNormalization(name=f"conv{index}_norm")(x))
    x = layers.Flatten()(x)
    return keras.Model(patches, [layers.Dense(latent_dim, name=name)(x) for name in ("z_mean", "z_log_var")])


def article_decoder(size: int = 8, latent_dim: int = 2) -> keras.Model:
    """p(x|z): z (n, latent_dim) -> mean and variance of every pixel, each (n, size * size)."""
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
