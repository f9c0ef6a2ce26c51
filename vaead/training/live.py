"""Terms of a few images while a network trains, so that a page can show how the maps grow."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from vaead.config import NetworkConfig
from vaead.errors import InvalidInputError
from vaead.model.events import EpochMaps
from vaead.scoring.patches import PatchGrid, every_crop, unit
from vaead.training.network import Vae

_MOST = 4
"""Images that may be followed."""


def terms_of(images: NDArray[np.uint8], config: NetworkConfig) -> Callable[[Vae, int], EpochMaps]:
    """Make the function that computes the terms of images by the network as it is after an epoch.

    Args:
        images: (N, H, W), a few.
        config: The network.

    Raises:
        InvalidInputError: They are no such images.
    """
    if images.dtype != np.uint8 or images.ndim != 3 or not 1 <= len(images) <= _MOST:
        raise InvalidInputError(
            f"followed images must be 1 to {_MOST} of uint8 (N, H, W), got {images.dtype} {images.shape}; "
            "give other images"
        )
    grid = PatchGrid(images.shape[1], images.shape[2], config.patch_size, config.stride)
    crops = every_crop(unit(images), config.patch_size)[:, grid.row_starts][:, :, grid.col_starts]
    patches = tf.constant(crops.reshape(-1, *config.patch_shape))
    positions = tf.constant(np.tile(grid.positions, (len(images), 1)))
    shape = (len(images), *grid.shape)

    def after(vae: Vae, epoch: int) -> EpochMaps:
        found = np.stack([np.asarray(term) for term in vae.terms(patches, positions)])
        return EpochMaps(epoch, shape, found.astype("<f4").tobytes())

    return after
