"""An edited image as text that fits into an address."""

from __future__ import annotations

import base64
import zlib

import numpy as np
from numpy.typing import NDArray

MOST_CHARACTERS = 800
"""Of the text: messengers cut longer addresses."""
_LEVELS = (256, 64, 32, 16, 8, 4, 2)
"""Numbers of grey levels that are tried, the finest first."""
_RAW = -15
"""Deflate without a header, with the largest window."""


def pack(image: NDArray[np.uint8]) -> str:
    """Write an image (H, W) in as many grey levels as fit.

    >>> unpack(pack(np.full((28, 28), 200, np.uint8)), (28, 28))[0, 0]
    np.uint8(200)
    """
    for levels in _LEVELS:
        codes = np.round(image * ((levels - 1) / 255)).astype(np.uint8)
        deflate = zlib.compressobj(9, wbits=_RAW)
        content = bytes([levels - 1]) + deflate.compress(codes.tobytes()) + deflate.flush()
        text = base64.urlsafe_b64encode(content).decode().rstrip("=")
        if len(text) <= MOST_CHARACTERS:
            return text
    raise AssertionError(f"image of {image.shape} is too large for an address")


def unpack(text: str, shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
    """Undo `pack`; None if the text is no image of this shape. It may come from anywhere."""
    if len(text) > MOST_CHARACTERS:
        return None
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        size = int(np.prod(shape))
        # No more than an image is ever unpacked, whatever the text holds.
        codes = zlib.decompressobj(_RAW).decompress(content[1:], size + 1)
    except (ValueError, zlib.error):
        return None
    if not content or content[0] + 1 not in _LEVELS or len(codes) != size or max(codes) > content[0]:
        return None
    grey = np.frombuffer(codes, np.uint8).reshape(shape) * (255 / content[0])
    return np.round(grey).astype(np.uint8)
