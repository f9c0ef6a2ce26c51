"""Which normal images are held out of the training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vaead.config import TrainConfig
from vaead.errors import InvalidInputError

Images = NDArray[np.generic] | Sequence[NDArray[np.generic]]
"""Images (N, H, W[, channels]), or a list of images whose sizes may differ; uint8, or 0 to 1."""


def split_normal(images: Images, config: TrainConfig) -> tuple[Images, Images]:
    """Split the normal training images by the recipe's seed.

    Args:
        images: At least 2.

    Returns:
        Images to train on and held-out images, which training never sees.

    Raises:
        InvalidInputError: There are too few images.
    """
    if len(images) < 2:
        raise InvalidInputError(
            f"images must hold at least 2 normal images, got {len(images)}; add more of them"
        )
    order = np.random.default_rng([config.seed, 0]).permutation(len(images))
    held_out = min(max(1, round(len(images) * config.held_out)), len(images) - 1)
    return _take(images, order[held_out:]), _take(images, order[:held_out])


def _take(images: Images, indices: NDArray[np.intp]) -> Images:
    return images[indices] if isinstance(images, np.ndarray) else [images[index] for index in indices]


def joined(some: Images, others: Images) -> Images:
    """All images of both."""
    if isinstance(some, np.ndarray) and isinstance(others, np.ndarray):
        return np.concatenate([some, others])
    return [*some, *others]
