"""Find the normal photos of a folder, and print what is there before anything is learned from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import click
import numpy as np
from numpy.typing import NDArray

from vaead.cli.inputs import Skipped
from vaead.data.photos import Limits, Photo, Photos, Rejected, check_normals, find_photos, read_each
from vaead.data.photos.examine import PhotoFacts
from vaead.data.photos.folder_names import role_of
from vaead.data.photos.survey import Survey, count_folders, examine_each
from vaead.errors import InvalidInputError
from vaead.inference.read_photos import read_options
from vaead.paths import is_url
from vaead.recipe import Recipe

_MOST_COMPARED = 500
"""Test photos that are looked at for copies of normal ones."""


def find_normals(images: str) -> Photos:
    """Find the normal photos of a folder.

    Args:
        images: A folder or URL: of normal photos, or of a dataset.

    Raises:
        InvalidInputError: It has none, or its own name or those of its folders say that they are not normal.
        DataUnavailableError: It cannot be listed.
    """
    own = PurePosixPath(images.rstrip("/")).name if is_url(images) else Path(images).resolve().name
    if role_of(own) in ("anomalous", "mask"):
        raise InvalidInputError(
            f"images must be normal photos, got the folder {own!r}, whose name says otherwise; name another "
            "folder, or rename it"
        )
    found = find_photos(images)
    if not found.to_train:
        listed = ", ".join(f"{folder}/ ({count})" for folder, count in count_folders(found.test).items())
        raise InvalidInputError(
            "images must be a folder of normal photos, or a dataset in which a folder says which are normal "
            f"(train/good, normal, ok), got {listed or 'none'} in {images!r}; name the folder of the normal "
            f"ones, such as --images {images.rstrip('/')}/{_likely(found.test)}"
        )
    return found


def _likely(photos: Sequence[Photo]) -> str:
    """The first folder of which no name says anything against it."""
    folders = (each for each in count_folders(photos) if each != ".")
    return next((each for each in folders if not any(map(role_of, each.split("/")))), "FOLDER")


def take_stock(found: Photos, skipped: Skipped, *, err: bool) -> dict[Photo, PhotoFacts]:
    """Print what is there: folders, sizes, depth, colours, copies, and what is left out.

    Args:
        found: The photos.
        skipped: Counts what is left out.
        err: True to print on standard error.

    Returns:
        The normal photos to train on, with their facts.

    Raises:
        InvalidInputError: There are too few normal photos.
    """
    examined = list(examine_each(found.to_train, Limits()))
    normal = {
        photo: facts
        for photo, facts in zip(found.to_train, examined, strict=True)
        if not isinstance(facts, Rejected)
    }
    skipped.show(found.rejected)
    skipped.show(each for each in examined if isinstance(each, Rejected))
    check_normals(facts.digest for facts in normal.values())
    compared = examine_each(found.test[:_MOST_COMPARED], Limits())
    test = [facts for facts in compared if not isinstance(facts, Rejected)]
    survey = Survey.of(list(normal.values()), test)
    for line in _lines(found, list(normal), survey):
        click.echo(line, err=err)
    return normal


def _lines(found: Photos, readable: Sequence[Photo], survey: Survey) -> list[str]:
    lines = [f"To train on: {_listed(readable)}"]
    if found.validation:
        lines.append(f"To calibrate with, beside those held out: {_listed(found.validation)}")
    if found.test:
        lines.append(f"Not trained on: {_listed(found.test)}")
    masks = sum(len(photo.masks) for photo in found.test)
    lines += [f"Masks: {masks}"] if masks else []
    sizes = " to ".join(f"{width}x{height}" for width, height in survey.sizes)
    depth = "" if survey.bits is None else f", {survey.bits} of 16 bits are used"
    lines.append(f"Sizes: {sizes} px{depth}, {'colour' if survey.has_colors else 'grey'}")
    copies = survey.copies
    for count, text in (
        (copies.normal, "Normal photos that are copies of others"),
        (copies.test, "Test photos that are copies of normal ones"),
        (copies.near, "Test photos that are nearly copies of normal ones"),
    ):
        lines += [f"{text}: {count}"] if count else []
    return lines


def _listed(photos: Sequence[Photo]) -> str:
    folders = count_folders(photos)
    count = f"{len(photos)} photo{'' if len(photos) == 1 else 's'}"
    return f"{count} in " + ", ".join(f"{folder}/ ({number})" for folder, number in folders.items())


def read_normals(
    found: Photos, recipe: Recipe, skipped: Skipped
) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]:
    """Pixels of the photos to train on, and of those for validation; names those that cannot be read."""
    to_train, validation = (
        [image for _, image in each_readable(photos, recipe, skipped)]
        for photos in (found.to_train, found.validation)
    )
    return to_train, validation


def each_readable(
    photos: Sequence[Photo], recipe: Recipe, skipped: Skipped
) -> Iterator[tuple[Photo, NDArray[np.float32]]]:
    """Photos with their pixels; names those that cannot be read."""
    for each in read_each(photos, read_options(recipe)):
        if isinstance(each, Rejected):
            skipped.show([each])
        else:
            yield each
