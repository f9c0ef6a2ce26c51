"""Arrays as picture files."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def map_to_png(anomaly_map: NDArray[np.floating], limits: tuple[float, float]) -> bytes:
    """Draw a map (H, W) in grey.

    Args:
        anomaly_map: (H, W), the map; black where it is NaN.
        limits: The values that are black and white, the second above the first.
    """
    low, high = limits
    scaled = (anomaly_map - low) * (255.0 / (high - low))
    return to_png(np.clip(np.nan_to_num(scaled, nan=0), 0, 255).astype(np.uint8))


def mask_to_png(mask: NDArray[np.bool_], size: tuple[int, int] | None = None) -> bytes:
    """Draw a mask (H, W), black and where it is True white.

    Args:
        mask: (H, W), the pixels to draw.
        size: Height and width of the picture; each of its pixels takes the nearest one of the mask.
    """
    pixels = mask.astype(np.uint8) * np.uint8(255)
    if size is not None:
        enlarged = Image.fromarray(pixels).resize((size[1], size[0]), Image.Resampling.NEAREST)
        pixels = np.asarray(enlarged)
    return to_png(pixels)


def to_png(pixels: NDArray[np.uint8]) -> bytes:
    """Pixels (H, W) or (H, W, 3) as a file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
