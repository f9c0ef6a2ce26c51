"""The three terms of the VAE loss and the scores made of them.

For a patch x with encoder q(z|x) = N(z_mean, exp(z_log_var)) and decoder p(x|z) = N(mu, sigma2):

    D = -1/2 sum(1 + z_log_var - z_mean^2 - exp(z_log_var))    how rare the patch is
    A =  1/2 sum(log(2 pi sigma2))                             how complex it is
    M =  1/2 sum((x - mu)^2 / sigma2)                          how badly it is reproduced

    old = D + A + M    the negative ELBO, which the network is trained to lower
    new = M            the unregularized score

Each function takes arrays of shape (..., dimensions), sums over the last axis and returns nats. `xp` is
the array module: NumPy, or `keras.ops` inside a network, so that training and scoring share one formula.

Source: T. Matsubara et al., "Deep Generative Model using Unregularized Score for Anomaly Detection with
Heterogeneous Complexity", arXiv:1807.05800, section 3.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np

Array = Any
"""A NumPy array or a Keras tensor; there is no type that covers both."""

TERMS = ("kl", "log_variance", "mahalanobis")
"""D, A and M, in the order in which the paper adds them up."""

SCORES = ("old", "new", "calibrated")
"""Names of the anomaly scores; higher is more anomalous."""


def kl_term(z_mean: Array, z_log_var: Array, xp: ModuleType = np) -> Array:
    """D, the Kullback-Leibler divergence of q(z|x) from the standard normal: how rare a patch is.

    >>> float(kl_term(np.zeros(2), np.zeros(2)))
    -0.0
    """
    return -0.5 * xp.sum(1.0 + z_log_var - xp.square(z_mean) - xp.exp(z_log_var), axis=-1)


def log_variance_term(sigma2: Array, xp: ModuleType = np) -> Array:
    """A, the log normaliser of p(x|z): how complex a patch is."""
    return 0.5 * xp.sum(xp.log(2.0 * math.pi * sigma2), axis=-1)


def errors_in_sd(x: Array, mu: Array, sigma2: Array, xp: ModuleType = np) -> Array:
    """Error of each dimension in standard deviations, of which M and the signed error are made."""
    return (x - mu) / xp.sqrt(sigma2)


def mahalanobis_term(errors: Array, xp: ModuleType = np) -> Array:
    """M, the squared error in units of the predicted variance: how badly a patch is reproduced.

    >>> float(mahalanobis_term(errors_in_sd(np.ones(2), np.zeros(2), np.ones(2))))
    1.0
    """
    return 0.5 * xp.sum(xp.square(errors), axis=-1)


def signed_error_term(errors: Array, xp: ModuleType = np) -> Array:
    """The error with its sign, in units of the predicted spread: whether a patch is too bright or too dark.

    No part of the loss; the calibrated score compares it with that of normal images.
    """
    return xp.sum(errors, axis=-1)
