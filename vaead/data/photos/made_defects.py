"""Defects made from normal photos: what a model would find, before anybody has a photo of a real defect.

Sizes are shares of the shorter side. Contrasts are in units of the photo's own standard deviation, so that
the same defect is as visible in a dull photo as in a bright one.

Source: the idea of training and testing on pasted patches and scars, C. Li, K. Sohn, J. Yoon, T. Pfister,
"CutPaste: Self-Supervised Learning for Anomaly Detection and Localization", CVPR 2021.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIZES = (0.03, 0.06, 0.12)
"""Sizes that are tried, as shares of the shorter side of a photo."""

_CONTRASTS = (0.5, 2.5)
"""From just visible to plain."""
_MARGIN = 0.08
"""Share of each side where no defect begins: there may be nothing but background."""
_SLENDER = 0.12
"""Width of a scratch as a share of its length, at least two pixels."""
_LEAST_WIDTH_PX = 2.0

Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class _Site:
    """Where a defect goes.

    Attributes:
        photo: (H, W, channels), in [0, 1].
        other: Another photo of the set, or the same.
        size_px: Length of the defect.
        along: (H, W), coordinate along the defect, in pixels from its middle.
        across: (H, W), coordinate across it.
        random: Source of randomness.
    """

    photo: Pixels
    other: Pixels
    size_px: float
    along: Pixels
    across: Pixels
    random: np.random.Generator

    def ellipse(self, length_px: float, width_px: float) -> Pixels:
        """1 inside an ellipse of these diameters, 0 outside, with soft edges: (H, W, 1)."""
        radius = np.hypot(self.along / (length_px / 2), self.across / (width_px / 2))
        edge = max(0.15, 1.5 / width_px)
        inside: Pixels = np.clip((1 + edge - radius) / (2 * edge), 0, 1)[:, :, None]
        return inside

    def change(self) -> float:
        """How much brighter or darker the defect is."""
        low, high = np.log(_CONTRASTS)
        contrast = float(np.exp(self.random.uniform(low, high)) * max(float(self.photo.std()), 0.02))
        return contrast if self.random.random() < 0.5 else -contrast


def _scratch(site: _Site) -> Pixels:
    width_px = max(_LEAST_WIDTH_PX, _SLENDER * site.size_px)
    return site.photo + site.ellipse(2 * site.size_px, width_px) * site.change()


def _spot(site: _Site) -> Pixels:
    return site.photo + site.ellipse(site.size_px, site.size_px * site.random.uniform(0.6, 1)) * site.change()


def _blur(site: _Site) -> Pixels:
    from scipy.ndimage import gaussian_filter

    sigma = max(1.0, site.size_px / 6)
    blurred: Pixels = gaussian_filter(site.photo, (sigma, sigma, 0))
    return site.photo + site.ellipse(1.5 * site.size_px, 1.5 * site.size_px) * (blurred - site.photo)


def _missing(site: _Site) -> Pixels:
    """Filled with the median of what lies around it, and a little of its unevenness."""
    size = 1.2 * site.size_px
    distance = np.hypot(site.along, site.across)
    around = site.photo[(distance > 0.6 * size) & (distance < 1.1 * size)]
    fill = np.median(around, axis=0) if len(around) else site.photo.mean(axis=(0, 1))
    grain = site.random.normal(0, 0.2 * float(around.std()) if len(around) else 0.0, site.photo.shape)
    return site.photo + site.ellipse(size, size) * (fill + grain.astype(np.float32) - site.photo)


def _foreign(site: _Site) -> Pixels:
    """A piece of another photo, from another place and turned."""
    height, width = site.photo.shape[:2]
    turned = np.rot90(site.other, int(site.random.integers(4)))
    shifted = np.roll(turned, site.random.integers(8, 64, 2).tolist(), axis=(0, 1))
    rows, columns = np.arange(height) % shifted.shape[0], np.arange(width) % shifted.shape[1]
    side = np.maximum(np.abs(site.along), np.abs(site.across))
    return np.where((side < 0.6 * site.size_px)[:, :, None], shifted[rows][:, columns], site.photo)


def _hue(site: _Site) -> Pixels:
    """As bright as before, but of another colour."""
    colour = site.random.normal(size=3)
    colour -= colour.mean()
    colour *= site.change() / np.linalg.norm(colour)
    return site.photo + site.ellipse(site.size_px, site.size_px) * colour.astype(np.float32)


_MAKERS: dict[str, Callable[[_Site], Pixels]] = {
    "scratch": _scratch,
    "spot": _spot,
    "blur": _blur,
    "missing": _missing,
    "foreign": _foreign,
    "hue": _hue,
}
KINDS = tuple(_MAKERS)
"""Names of the kinds of defect."""


def kinds_for(photo: NDArray[np.generic]) -> tuple[str, ...]:
    """The kinds that a photo (H, W) or (H, W, channels) can have."""
    return KINDS if photo.ndim == 3 else tuple(kind for kind in KINDS if kind != "hue")


def make_defect(
    photo: Pixels,
    kind: str,
    size: float,
    other: Pixels,
    random: np.random.Generator,
    left_out: NDArray[np.bool_] | None = None,
) -> tuple[Pixels, float]:
    """Put a defect into a normal photo, at a place that is not the background alone.

    Args:
        photo: (H, W) or (H, W, channels), in [0, 1].
        kind: One of `kinds_for` it.
        size: Its size, as a share of the shorter side.
        other: Another normal photo with as many channels.
        random: Source of randomness.
        left_out: (H, W), True where no defect begins.

    Returns:
        The photo with the defect, and the size that counts in pixels: the width of a scratch, the diameter of
        all others.
    """
    planes, others = (each[:, :, None] if each.ndim == 2 else each for each in (photo, other))
    size_px = max(2.0, size * min(photo.shape[:2]))
    row, column = _place(planes, random, left_out)
    angle = random.uniform(0, np.pi)
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]].astype(np.float32)
    along = (x - column) * np.cos(angle) + (y - row) * np.sin(angle)
    across = (y - row) * np.cos(angle) - (x - column) * np.sin(angle)
    site = _Site(planes, others, size_px, along.astype(np.float32), across.astype(np.float32), random)
    made = np.clip(_MAKERS[kind](site), 0, 1).astype(np.float32).reshape(photo.shape)
    return made, max(_LEAST_WIDTH_PX, _SLENDER * size_px) if kind == "scratch" else size_px


def _place(photo: Pixels, random: np.random.Generator, left_out: NDArray[np.bool_] | None) -> tuple[int, int]:
    """A pixel, the likelier the more there is to see around it."""
    from scipy.ndimage import uniform_filter

    grey = photo.mean(axis=2)
    reach = max(3, min(grey.shape) // 10)
    mean = uniform_filter(grey, reach)
    detail = np.sqrt(np.maximum(uniform_filter(np.square(grey), reach) - np.square(mean), 0)) + 1e-3
    rows, columns = (max(1, round(_MARGIN * length)) for length in grey.shape)
    if left_out is not None:
        detail[left_out] = 1e-9
    inner = detail[rows:-rows, columns:-columns].astype(np.float64)
    chosen = random.choice(inner.size, p=(inner / inner.sum()).ravel())
    row, column = np.unravel_index(chosen, inner.shape)
    return int(row) + rows, int(column) + columns
