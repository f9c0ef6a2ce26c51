"""Photos as a model wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vaead.photos import Limits, Photo, ReadOptions, Rejected, read_each, read_photo
from vaead.photos.reading import Color
from vaead.photos.sources import Source
from vaead.recipe import PhotoOptions, Recipe

Read = TypeVar("Read")


def read_options(recipe: Recipe, limits: Limits | None = None) -> ReadOptions:
    """How photos are read for a model: no smaller than its patches; for classes as luminance."""
    photos = recipe.photos or PhotoOptions()
    color: Color = "rgb" if photos.color == "rgb" else "luminance"
    return ReadOptions(color, photos.scale, recipe.model.patch_size, limits or Limits())


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
