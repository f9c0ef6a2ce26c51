"""Photos as a model wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vaead.data.photos import Limits, Photo, ReadOptions, Rejected, find_photos, read_each, read_photo
from vaead.data.photos.reading import Color
from vaead.data.photos.sources import Source
from vaead.errors import InvalidInputError
from vaead.recipe import Recipe

Read = TypeVar("Read")


def load_photos(
    folder: str | Path, scale: float = 1.0, color: Color = "luminance"
) -> list[NDArray[np.float32]]:
    """Read all photos of a folder, in the order of their names, as `PatchVAEDetector` takes them.

    Args:
        folder: A path, or a URL that fsspec knows. Of a dataset one of its folders, such as train/good.
        scale: Factor by which they are resized, above 0 and at most 1.
        color: "luminance" or "rgb".

    Returns:
        (H, W), or (H, W, 3) in colours; 0 to 1.

    Raises:
        InvalidInputError: The folder has no photos or is a whole dataset, or a photo cannot be read.
        DataUnavailableError: It is there but cannot be read.
    """
    photos, options = find_photos(folder).unsorted, ReadOptions(color, scale)
    if not photos:
        raise InvalidInputError(
            f"folder must hold photos of one kind, got a whole dataset in {str(folder)!r}; name a folder "
            "in it, such as train/good"
        )
    return [read_pixels(photo, options) for photo in photos]


def read_options(recipe: Recipe, limits: Limits | None = None) -> ReadOptions:
    """How photos are read for a model: no smaller than its patches; for classes as luminance."""
    source = recipe.source
    color: Color = "rgb" if source.color == "rgb" else "luminance"
    return ReadOptions(color, source.scale, recipe.networks[0].patch_size, limits or Limits())


def read_pixels(photo: Photo, options: ReadOptions) -> NDArray[np.float32]:
    """Read a photo as a model sees it; errors name it by its source.

    Returns:
        (H, W), or (H, W, 3) in colours; 0 to 1.

    Raises:
        InvalidInputError: See `read_photo`.
        DataUnavailableError: See there.
    """
    return read_source(photo.source, photo.source, options)


def read_source(source: Source, name: str, options: ReadOptions) -> NDArray[np.float32]:
    """As `read_pixels`, from any source; errors name the photo as the user does."""
    pixels = read_photo(source, name, options)
    return pixels[:, :, 0] if pixels.shape[2] == 1 else pixels


def read_ahead(
    photos: Iterable[Photo], read: Callable[[Photo], Read]
) -> Iterator[tuple[Photo, Read] | Rejected]:
    """As `read_each`, but the next photo is read while one is looked at: two are in memory at most."""
    each = read_each(photos, read)
    with ThreadPoolExecutor(1, thread_name_prefix="vaead-reading") as reader:
        following = reader.submit(next, each, None)
        while (found := following.result()) is not None:
            following = reader.submit(next, each, None)
            yield found
