"""Read photos with the colour, scale and smallest size a model needs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaead.data.photos import Limits, ReadOptions, find_photos, read_photo
from vaead.data.photos.reading import Color
from vaead.errors import InvalidInputError
from vaead.ignored import IgnoredRegion
from vaead.recipe import Recipe

_WHITE = 0.5


def load_photos(
    folder: str | Path, scale: float = 1.0, color: Color = "luminance", bits: int | None = None
) -> list[NDArray[np.float32]]:
    """Read all photos of a folder, in the order of their names, as `PatchVAEDetector` takes them.

    Args:
        folder: A path, or a URL that fsspec knows. Of a dataset one of its folders, such as train/good.
        scale: Factor by which they are resized, above 0 and at most 1.
        color: "luminance" or "rgb".
        bits: Bits that are used in photos of 16 bit, see `ReadOptions`; None for all.

    Returns:
        (H, W), or (H, W, 3) in colours; 0 to 1.

    Raises:
        InvalidInputError: The folder has no photos or is a whole dataset, or a photo cannot be read.
        DataUnavailableError: It is there but cannot be read.
    """
    photos, options = find_photos(folder).unsorted, ReadOptions(color, scale, bits=bits)
    if not photos:
        raise InvalidInputError(
            f"folder must hold photos of one kind, got a dataset or folders for different uses in "
            f"{str(folder)!r}; name one of its folders, such as train/good"
        )
    return [read_photo(photo.source, photo.label, options) for photo in photos]


def read_region(file: str) -> IgnoredRegion:
    """Read a mask of what is left out: white on black; greys count as the nearer of the two.

    Raises:
        InvalidInputError: It cannot be read, leaves out nothing or everything, or is too large.
        DataUnavailableError: It is there but cannot be read.
    """
    return IgnoredRegion.from_mask(read_photo(file, file) > _WHITE)


def read_options(recipe: Recipe, limits: Limits | None = None) -> ReadOptions:
    """Options to read photos for a model: no smaller than its patches; for classes as luminance."""
    source = recipe.source
    color: Color = "rgb" if source.color == "rgb" else "luminance"
    least_px = recipe.networks[0].patch_size
    return ReadOptions(color, source.scale, least_px, source.bits, limits or Limits())
