"""Settings that suit a set of photos, found from the normal ones alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from msgspec.structs import replace

from vaead.data.photos.examine import PhotoFacts, find_bits
from vaead.data.photos.survey import ALIGNED, alignment, shared_light
from vaead.recipe import PhotoSource

_SMALLEST_PX, _LARGEST_PX = 128, 256
"""Longer side of a photo after scaling: half of what it was, but no less and no more than this."""
UNEVEN = 0.7
"""Share of brightness that photos have in common, from which on their light is evened."""
_PATCH = 32
_PATCHES = 2
"""A patch goes so often into the shorter side at least."""
_CELLS = 8


@dataclass(frozen=True)
class PhotoDefaults:
    """Settings for a set of photos, and the findings that they follow from.

    Attributes:
        source: How to read the photos.
        patch_size: Side of a patch in pixels of the scaled photos.
        longer_px: Longer side of a typical photo.
        shorter_px: Shorter side of the smallest one.
        same_size: True if all have one size.
        shared_light: See `vaead.data.photos.survey.shared_light`.
        alignment: See `vaead.data.photos.survey.alignment`.
        has_colors: True if any photo is not grey.
    """

    source: PhotoSource
    patch_size: int
    longer_px: int
    shorter_px: int
    same_size: bool
    shared_light: float
    alignment: float
    has_colors: bool

    @classmethod
    def choose(cls, normal: Sequence[PhotoFacts], **given: Any) -> PhotoDefaults:
        """Look at normal photos, at least one.

        Args:
            normal: Their facts.
            given: Settings of the source that are decided already, by name.

        Raises:
            InvalidInputError: One of these is out of range.
        """
        longer_px = round(float(np.median([max(facts.size) for facts in normal])))
        shorter_px = min(min(facts.size) for facts in normal)
        light, aligned = shared_light(normal), alignment(normal)
        has_colors = any(facts.has_colors for facts in normal)
        found = {
            "color": "rgb" if has_colors else "luminance",
            "scale": default_scale(longer_px),
            "aligned": aligned > ALIGNED,
            "bits": find_bits(facts.peak for facts in normal),
            "even_light": light > UNEVEN,
        }
        source = PhotoSource(**(found | given))
        patch = default_patch(shorter_px * source.scale)
        same_size = len({facts.size for facts in normal}) == 1
        return cls(source, patch, longer_px, shorter_px, same_size, light, aligned, has_colors)


class Variant(NamedTuple):
    """Settings that differ in one way from others.

    Attributes:
        change: What differs: "none", "patch", "scale", or the name of a switch and "on" or "off".
        source: How to read the photos.
        patch_size: Side of a patch in pixels of the scaled photos.
    """

    change: str
    source: PhotoSource
    patch_size: int


CHANGES = ("none", "patch", "scale", "light_on", "light_off", "aligned_on", "aligned_off")
"""All that `Variant.change` may say."""


def setting_variants(base: PhotoDefaults) -> list[Variant]:
    """Settings, and others that differ from them in one way each."""
    source, patch = base.source, base.patch_size
    found = [Variant("none", source, patch)]
    shorter_px = base.shorter_px * source.scale
    for size in (patch // 2, 2 * patch):
        if _CELLS <= size <= shorter_px / _PATCHES:
            found.append(Variant("patch", source, size))
    for scale in (round(source.scale / 2, 2), min(1.0, round(2 * source.scale, 2))):
        if scale != source.scale and base.shorter_px * scale >= _PATCHES * patch:
            found.append(Variant("scale", replace(source, scale=scale), patch))
    other_light = replace(source, even_light=not source.even_light)
    found.append(Variant("light_off" if source.even_light else "light_on", other_light, patch))
    if base.same_size:
        other_position = replace(source, aligned=not source.aligned)
        found.append(Variant("aligned_off" if source.aligned else "aligned_on", other_position, patch))
    return found


def default_scale(longer_px: int) -> float:
    """The factor for photos of this longer side, in whole per cent.

    >>> [default_scale(longer_px) for longer_px in (100, 200, 300, 640, 4000)]
    [1.0, 0.64, 0.5, 0.4, 0.06]
    """
    wanted = min(max(longer_px / 2, _SMALLEST_PX), _LARGEST_PX)
    return min(1.0, max(0.01, round(wanted / longer_px, 2)))


def default_patch(shorter_px: float) -> int:
    """The patch size for photos of this shorter side after scaling.

    >>> default_patch(150), default_patch(40), default_patch(10)
    (32, 16, 8)
    """
    most = _CELLS * int(shorter_px / _PATCHES / _CELLS)
    return min(max(most, _CELLS), _PATCH)
