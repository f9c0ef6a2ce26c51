"""Arrays as picture files."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def map_to_png(anomaly_map: NDArray[np.floating]) -> bytes:
    """Draw a map (H, W) in grey, its minimum black and its maximum white."""
    low, high = float(anomaly_map.min()), float(anomaly_map.max())
    scaled = (anomaly_map - low) * (255.0 / (high - low) if high > low else 0.0)
    return _to_png(Image.fromarray(scaled.astype(np.uint8)))


def mask_to_png(mask: NDArray[np.bool_], size: tuple[int, int] | None = None) -> bytes:
    """Draw a mask (H, W), black and where it is True white.

    Args:
        mask: What to draw.
        size: Height and width of the picture; each of its pixels takes the nearest one of the mask.
    """
    picture = Image.fromarray(mask.astype(np.uint8) * np.uint8(255))
    if size is not None:
        picture = picture.resize((size[1], size[0]), Image.Resampling.NEAREST)
    return _to_png(picture)


def _to_png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
