"""Other one-class methods as yardsticks: each learns from normal images and scores whole test images."""

from __future__ import annotations

from collections.abc import Callable

import click
import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

Images = NDArray[np.uint8]
Scores = NDArray[np.float64]
Peer = Callable[[Images, Images], Scores]
"""Scores of test images (m, 28, 28), higher is more anomalous, from training images (n, 28, 28)."""

SEED = 0
THREADS = 2
COMPONENTS = 64
NEIGHBOURS = 5
REFERENCES = 3000


def _rows(images: Images) -> NDArray[np.float64]:
    """Pixels from 0 to 1, one row an image."""
    return images.reshape(len(images), -1) / 255


def pca_error(train_images: Images, test_images: Images) -> Scores:
    """Squared error after the first principal components of the training images."""
    pca = PCA(COMPONENTS, random_state=SEED).fit(_rows(train_images))
    test = _rows(test_images)
    error: Scores = np.sum((test - pca.inverse_transform(pca.transform(test))) ** 2, axis=1)
    return error


def nearest_neighbour(train_images: Images, test_images: Images) -> Scores:
    """Distance to the fifth nearest of some training images, drawn at random."""
    number = min(REFERENCES, len(train_images))
    drawn = np.random.default_rng(SEED).choice(len(train_images), number, replace=False)
    search = NearestNeighbors(n_neighbors=NEIGHBOURS, algorithm="brute").fit(_rows(train_images[drawn]))
    distances: Scores = search.kneighbors(_rows(test_images))[0]
    return distances[:, -1]


def isolation_forest(train_images: Images, test_images: Images) -> Scores:
    """How few random splits part an image from the others, with the defaults of scikit-learn."""
    forest = IsolationForest(random_state=SEED).fit(_rows(train_images))
    scores: Scores = -forest.score_samples(_rows(test_images))
    return scores


def mahalanobis(train_images: Images, test_images: Images) -> Scores:
    """Mahalanobis distance of the raw pixels, with the covariance of Ledoit and Wolf."""
    squares: Scores = LedoitWolf().fit(_rows(train_images)).mahalanobis(_rows(test_images))
    return np.sqrt(squares)


def pyod_vae(train_images: Images, test_images: Images) -> Scores:
    """Reconstruction error of the variational autoencoder of PyOD, with its own defaults.

    Raises:
        click.ClickException: PyOD is not installed.
    """
    try:
        import torch
        from pyod.models.vae import VAE
    except ImportError as error:
        raise click.ClickException("PyOD is missing; pip install -e .[peers]") from error
    torch.set_num_threads(1)  # its layers are too small to share
    detector = VAE(verbose=0).fit(_rows(train_images))
    scores: Scores = detector.decision_function(_rows(test_images)).astype(np.float64)
    return scores


PEERS: dict[str, Peer] = {
    peer.__name__: threadpool_limits.wrap(THREADS)(peer)
    for peer in (pca_error, nearest_neighbour, isolation_forest, mahalanobis, pyod_vae)
}
"""Each method by its name, on a limited number of threads."""
