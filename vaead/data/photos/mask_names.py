"""Which mask belongs to which photo, by their names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from vaead.data.photos.names import Rejected
from vaead.data.photos.photo import Photo
from vaead.data.photos.reasons import refusal

_MASK_ENDING = re.compile(r"[_\- ]*(mask|gt|ground[_\- ]truth|seg)$")


def with_masks(
    photos: Sequence[tuple[Photo, str]], masks: Sequence[tuple[str, str]], rejected: list[Rejected]
) -> tuple[Photo, ...]:
    """Give photos their masks.

    Args:
        photos: Each with its path from the folder of its class on, without its ending.
        masks: Name of each, and its path below the folder of masks.
        rejected: Masks without an image are added here.
    """
    find = _finder([path for _, path in photos])
    found: list[list[str]] = [[] for _ in photos]
    for name, path in masks:
        index = find(path)
        if index is None:
            rejected.append(Rejected.of(name, refusal("unused_mask", name=name)))
        else:
            found[index].append(name)
    return tuple(replace(photo, masks=tuple(names)) for (photo, _), names in zip(photos, found, strict=True))


def _finder(paths: Sequence[str]) -> Callable[[str], int | None]:
    """A function that finds the photo of a mask by its path, which may leave out the folder of the class."""
    whole = {path: index for index, path in enumerate(paths)}
    without_class: dict[str, int | None] = {}
    for path, index in whole.items():
        short = path.partition("/")[2]
        without_class[short] = None if short in without_class else index  # of two classes, neither is meant

    def find(mask: str) -> int | None:
        folder = mask.rpartition("/")[0]
        candidates = [mask, _MASK_ENDING.sub("", mask), folder, _MASK_ENDING.sub("", folder)]
        for known in (whole, without_class):
            for each in filter(None, candidates):
                index = known.get(each)
                if index is not None:
                    return index
        return None

    return find
