"""Facts of a photo that are kept when its pixels are not: size, colours, digest, and a thumbnail."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaead.data.photos.checks import pixel_digest
from vaead.data.photos.limits import Limits
from vaead.data.photos.reading import ReadOptions, read_photo
from vaead.data.photos.sources import Source

THUMBNAIL_PX = 160
_COLOR_STEP = 4 / 255
"""Channels that differ by more are a colour; less may be left by the compression of a grey image."""
_SAMPLED_PX = 512
"""Colours are looked for, and thumbnails made, in so many pixels of the longer side at least."""


@dataclass(frozen=True, eq=False)
class PhotoFacts:
    """Facts of a readable photo.

    Attributes:
        size: Height and width in pixels.
        has_colors: True if it is not grey.
        digest: The same for photos with the same pixels.
        thumbnail: A small JPEG.
    """

    size: tuple[int, int]
    has_colors: bool
    digest: str
    thumbnail: bytes


def examine(source: Source, name: str, limits: Limits) -> PhotoFacts:
    """Decode a photo once.

    Raises:
        InvalidInputError: It cannot be read, or is too large.
        DataUnavailableError: The file is there but cannot be read.
    """
    pixels = read_photo(source, name, ReadOptions(color="rgb", limits=limits))
    step = max(1, max(pixels.shape[:2]) // _SAMPLED_PX)
    part = pixels[::step, ::step]
    return PhotoFacts(
        size=(pixels.shape[0], pixels.shape[1]),
        has_colors=bool((part.max(axis=2) - part.min(axis=2)).max() > _COLOR_STEP),
        digest=pixel_digest(pixels),
        thumbnail=_thumbnail(part),
    )


def _thumbnail(pixels: NDArray[np.float32]) -> bytes:
    image = Image.fromarray(np.round(pixels * 255).astype(np.uint8))
    image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
