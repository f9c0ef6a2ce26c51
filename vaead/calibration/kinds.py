"""Kinds of photos: a set of normal photos may hold several products, materials or backgrounds.

What is usual differs from kind to kind, so that any photo of one kind would look more unusual than any of
another. Each photo is therefore compared with normal photos of its own kind. Kinds are groups of photos of
like content. How many there are is decided by normal photos alone: as many as predict the evidence of normal
photos best that took no part.

Source: the number of groups by cross-validated likelihood, as in P. Smyth, "Model selection for probabilistic
clustering using cross-validated likelihood", 2000.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.clusters import nearest
from vaead.calibration.robust import scale_of_logarithms

_MOST = 4
_FEWEST = 20
"""Photos of a kind: the median of fewer would hang on one or two of them."""
_FOLDS = 5
_FAR = 4.0
"""Deviation from which on a photo counts no more against a number of kinds: it may be an anomaly."""


def find_kinds(content: NDArray[np.float32], logs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Centers of the kinds of normal photos, (kinds, latent_dim).

    Args:
        content: Content of each photo, (N, latent_dim).
        logs: Logarithm of its evidence, (N, evidences).
    """
    single: NDArray[np.float32] = content.mean(axis=0, keepdims=True)
    most = min(_MOST, len(content) // _FEWEST, len(np.unique(content, axis=0)))
    if most < 2:
        return single
    from sklearn.cluster import KMeans

    candidates = [single]
    for count in range(2, most + 1):
        groups = KMeans(count, n_init=10, random_state=0).fit(content)
        # What a few odd photos have in common makes no kind.
        large = np.bincount(groups.labels_, minlength=count) >= _FEWEST
        if large.sum() > 1:
            candidates.append(groups.cluster_centers_[large])
    best = min(candidates, key=lambda kinds: _loss(kinds, content, logs))
    return np.asarray(best, np.float32)


def fit_scale(
    logs: NDArray[np.float32], kind: NDArray[np.intp]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Scale of the logarithms of evidence (N, evidences) of normal photos whose kinds (N,) are known.

    Returns:
        Median for each kind, (kinds, evidences), and the spread around it, (evidences,), which all kinds
        share, because that of one kind alone would hang on a few photos.
    """
    middle = np.stack([np.median(logs[kind == each], axis=0) for each in range(kind.max() + 1)])
    _, spread = scale_of_logarithms(logs - middle[kind])
    return middle.astype(np.float32), spread


def _loss(kinds: NDArray[np.float32], content: NDArray[np.float32], logs: NDArray[np.float32]) -> float:
    """How badly others of its kind predict the evidence of a photo: mean of -log p, but for a constant."""
    from sklearn.model_selection import RepeatedStratifiedKFold

    kind = nearest(content, kinds)
    folds = RepeatedStratifiedKFold(n_splits=_FOLDS, n_repeats=4, random_state=0)
    losses = []
    for others, tested in folds.split(logs, kind):
        middle, spread = fit_scale(logs[others], kind[others])
        z = np.clip((logs[tested] - middle[kind[tested]]) / spread, -_FAR, _FAR)
        losses.append(np.square(z) / 2 + np.log(spread))
    return float(np.concatenate(losses).sum(axis=1).mean())
