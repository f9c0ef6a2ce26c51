"""Facts of a photo that are kept when its pixels are not: size, colours, digest, and a thumbnail."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaead.data.photos.checks import pixel_digest
from vaead.data.photos.limits import Limits
from vaead.data.photos.reading import ReadOptions, decoded, to_pixels
from vaead.data.photos.sources import Source

THUMBNAIL_PX = 160
SIGNATURE_PX = 64
_COLOR_STEP = 4 / 255
"""Channels that differ by more are a colour; less may be left by the compression of a grey image."""
_DEEP = 65_535
_DEPTHS = (8, 10, 12, 14)
"""Bits of cameras whose photos are stored with 16."""
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
        signature: Its brightness on a grid of `SIGNATURE_PX` squared, in half precision, to compare photos.
        peak: Largest sample of a file of 16 bit; 0 for others.
    """

    size: tuple[int, int]
    has_colors: bool
    digest: str
    thumbnail: bytes
    signature: bytes = b""
    peak: int = 0


def examine(source: Source, name: str, limits: Limits) -> PhotoFacts:
    """Decode a photo once.

    Raises:
        InvalidInputError: It cannot be read, or is too large.
        DataUnavailableError: The file is there but cannot be read.
    """
    options = ReadOptions(color="rgb", limits=limits)
    samples, top, _ = decoded(source, name, options)
    peak = int(samples.max()) if samples.dtype == np.uint16 and top == _DEEP else 0
    pixels = to_pixels(samples, top, name, replace(options, bits=find_bits([peak])))
    step = max(1, max(pixels.shape[:2]) // _SAMPLED_PX)
    part = pixels[::step, ::step]
    return PhotoFacts(
        size=(pixels.shape[0], pixels.shape[1]),
        has_colors=bool((part.max(axis=2) - part.min(axis=2)).max() > _COLOR_STEP),
        digest=pixel_digest(pixels),
        thumbnail=_thumbnail(part),
        signature=_signature(part),
        peak=peak,
    )


def _signature(pixels: NDArray[np.float32]) -> bytes:
    grey = Image.fromarray(pixels.mean(axis=2, dtype=np.float32))
    size = (SIGNATURE_PX, SIGNATURE_PX)
    return np.asarray(grey.resize(size, Image.Resampling.BOX), np.float16).tobytes()


def find_bits(peaks: Iterable[int]) -> int | None:
    """Bits that a camera has used in files of 16 bit, from the largest sample of each photo; None for all.

    >>> find_bits([3071, 4095]), find_bits([0, 70]), find_bits([20_000]), find_bits([0])
    (12, 8, None, None)
    """
    largest = max(peaks, default=0)
    return next((bits for bits in _DEPTHS if 0 < largest < 2**bits), None)


def _thumbnail(pixels: NDArray[np.float32]) -> bytes:
    image = Image.fromarray(np.round(pixels * 255).astype(np.uint8))
    image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
