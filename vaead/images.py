"""Image files in, map files out."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaead.errors import InvalidInputError


def read_grey_image(file: Path) -> NDArray[np.uint8]:
    """Read an image file as luminance.

    Returns:
        (H, W), 0 to 255.

    Raises:
        InvalidInputError: The file is missing, is not an image, or has 32-bit pixels.
    """
    try:
        with Image.open(file) as image:
            return _to_luminance(image)
    except FileNotFoundError as error:
        raise InvalidInputError(
            f"image must be an existing file, got {str(file)!r}; check its name"
        ) from error
    except (OSError, SyntaxError, ValueError, RuntimeError, Image.DecompressionBombError) as error:
        raise InvalidInputError(
            f"image must be a readable picture, got {str(file)!r} ({error}); use PNG or JPEG"
        ) from error


def _to_luminance(image: Image.Image) -> NDArray[np.uint8]:
    # Pillow would cut 16-bit and 32-bit values off at 255 instead of scaling them.
    if image.mode.startswith("I;16"):
        return np.round(np.asarray(image) / 257).astype(np.uint8)
    if image.mode in ("I", "F"):
        raise ValueError("32-bit pixels have no fixed range")
    return np.asarray(image.convert("L"))


def map_to_png(anomaly_map: NDArray[np.floating]) -> bytes:
    """Draw a map (H, W) in grey, its minimum black and its maximum white."""
    low, high = float(anomaly_map.min()), float(anomaly_map.max())
    scaled = (anomaly_map - low) * (255.0 / (high - low) if high > low else 0.0)
    buffer = io.BytesIO()
    Image.fromarray(scaled.astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()
