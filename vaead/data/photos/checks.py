"""Checks of a set of images before anything long starts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from vaead.data.photos.limits import Limits, megabytes
from vaead.data.photos.reasons import refusal

_SAME_SIZE = 1.25
"""Images whose longer sides differ by a smaller factor may be crops of one resolution."""


def pixel_digest(image: NDArray[np.float32]) -> str:
    """Return a short text that is the same for images with the same pixels and differs for others."""
    digest = hashlib.blake2b(str(image.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(image).data)
    return digest.hexdigest()


def check_normals(digests: Iterable[str]) -> None:
    """Refuse normal images from which nothing can be learned about how normal images differ.

    Args:
        digests: `pixel_digest` of each normal image, so that the images need not be in memory together.

    Raises:
        InvalidInputError: There is no normal image, or only one, or all have the same pixels.
    """
    digests = list(digests)
    if len(digests) < 2:
        raise refusal("few_normals", found=len(digests))
    if len(set(digests)) == 1:
        raise refusal("equal_normals", found=len(digests))


def is_other_resolution(longer_px: float, usual_px: tuple[float, float]) -> bool:
    """True if things in an image are likely to be larger or smaller than in others.

    Args:
        longer_px: Its longer side.
        usual_px: The smallest and the largest longer side of the others.

    >>> is_other_resolution(640, (600, 700)), is_other_resolution(1280, (600, 700))
    (False, True)
    """
    low, high = usual_px
    return not low / _SAME_SIZE <= longer_px <= high * _SAME_SIZE


def check_amount(n_images: int, n_bytes: int, limits: Limits | None = None) -> None:
    """Refuse an upload that is too large as a whole.

    Args:
        n_images: Number of images.
        n_bytes: Size of all files, unpacked.
        limits: What is accepted; None takes the defaults.

    Raises:
        InvalidInputError: There are too many images or too many bytes.
    """
    limits = limits or Limits()
    if n_images > limits.upload_images:
        raise refusal("many_images", most=limits.upload_images, found=n_images)
    if n_bytes > limits.upload_bytes:
        raise refusal("many_bytes", most=megabytes(limits.upload_bytes), found=megabytes(n_bytes))
