"""Small pictures of a photo with its anomalous regions."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

_SIDE_PX = 384
"""The longer side of a picture."""
HEAT = ((0.0, (228, 60, 20), 0.0), (0.35, (240, 120, 20), 0.75), (1.0, (200, 0, 40), 1.0))
"""Colour and opacity of a map over a photo by the share of its range: clear where normal photos are, and
readable on dark and on light metal."""
OPACITY = 0.7
"""Factor of the opacities unless somebody chooses another."""
_HATCH, _HATCH_PX = (110, 130, 160), 8
_LINE, _RIM = (255, 255, 255), (150, 0, 30)
_TOUCHING = np.ones((3, 3), np.bool_)

Pixels = NDArray[np.uint8]


def draw_photo(photo: NDArray[np.generic]) -> Pixels:
    """Draw a photo (H, W) or (H, W, 3), uint8 or 0 to 1, as a picture (h, w, 3) of the usual size."""
    values = photo if photo.dtype == np.uint8 else np.round(photo.astype(np.float32) * 255).astype(np.uint8)
    picture = Image.fromarray(values).convert("RGB")
    size = _size(photo.shape[0], photo.shape[1])
    # Enlarged, pixels stay what they are: they are what the model has seen.
    filter_ = Image.Resampling.NEAREST if size[0] > picture.width else Image.Resampling.LANCZOS
    return np.asarray(picture.resize(size, filter_))


def draw_overlay(
    picture: Pixels, anomaly_map: NDArray[np.floating], limits: tuple[float, float], mask: NDArray[np.bool_]
) -> Pixels:
    """Draw a map over a picture, and lines around the regions of a mask.

    Args:
        picture: (h, w, 3), from `draw_photo`.
        anomaly_map: (H, W); hatched where it is NaN.
        limits: Values of the map that are clear and in full colour.
        mask: (H, W).
    """
    size = picture.shape[1], picture.shape[0]
    low, high = limits
    blank = np.isnan(anomaly_map)
    heat = np.clip((np.where(blank, low, anomaly_map) - low) / max(high - low, 1e-9), 0, 1).astype(np.float32)
    heat = np.asarray(Image.fromarray(heat).resize(size, Image.Resampling.BILINEAR))
    shares = [share for share, _, _ in HEAT]
    colour = np.stack(
        [np.interp(heat, shares, [rgb[channel] for _, rgb, _ in HEAT]) for channel in range(3)], axis=-1
    )
    opacity = OPACITY * np.interp(heat, shares, [alpha for _, _, alpha in HEAT])[..., None]
    drawn: Pixels = np.round(picture * (1 - opacity) + colour * opacity).astype(np.uint8)
    hatched = np.asarray(Image.fromarray(blank).resize(size, Image.Resampling.NEAREST))
    drawn[hatched & (np.add.outer(*map(np.arange, hatched.shape)) % _HATCH_PX < 2)] = _HATCH
    inside = np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST))
    # A white line with a dark rim is seen on any photo.
    rim = inside & ~ndimage.binary_erosion(inside, _TOUCHING, iterations=3)
    drawn[rim] = _RIM
    drawn[rim & ndimage.binary_erosion(inside, _TOUCHING)] = _LINE
    return drawn


def to_jpeg(picture: Pixels) -> bytes:
    """A picture (h, w, 3) as a file."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=82)
    return buffer.getvalue()


def _size(height: int, width: int) -> tuple[int, int]:
    factor = _SIDE_PX / max(height, width)
    return max(1, round(width * factor)), max(1, round(height * factor))
