"""Where the command `score` puts what it finds, image by image, so that nothing piles up in memory."""

from __future__ import annotations

import contextlib
import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

import click

from vaead.data.photos import Photo
from vaead.data.photos.names import is_image_name
from vaead.errors import InvalidInputError
from vaead.inference.html_report import Report
from vaead.inference.score_photos import ScoredPhoto, writes
from vaead.paths import AnyPath, UrlPath, identity, open_text, require_writable, to_path, write_whole
from vaead.scoring.loss_terms import SCORES


def entry(scored: ScoredPhoto, with_flags: bool) -> dict[str, Any]:
    """What stands of a photo in JSON; None where the model has no such score for an image of its size."""
    result: dict[str, Any] = {"image": scored.photo.source}
    result |= {name: scored.scores.get(name) for name in SCORES}
    if with_flags:
        result["flagged"] = {name: scored.flagged.get(name) for name in SCORES}
    return result


Add = Callable[[ScoredPhoto], None]
"""Takes the next image. All outputs are context managers that give one."""


@contextlib.contextmanager
def lines(with_flags: bool) -> Iterator[Add]:
    """One line an image on standard output."""

    def add(scored: ScoredPhoto) -> None:
        parts = [click.format_filename(scored.photo.source)]
        for name, score in scored.scores.items():
            parts.append(f"{name} {score:.3f}{' flagged' * (with_flags and scored.flagged[name])}")
        click.echo("\t".join(parts))

    yield add


@contextlib.contextmanager
def json_array(with_flags: bool) -> Iterator[Add]:
    """One JSON array on standard output."""
    separators = iter("[")

    def add(scored: ScoredPhoto) -> None:
        click.echo(f"{next(separators, ', ')}{json.dumps(entry(scored, with_flags))}", nl=False)

    yield add
    click.echo(f"{next(separators, '')}]")


@contextlib.contextmanager
def csv_file(file: AnyPath, with_flags: bool) -> Iterator[Add]:
    """A table; flagged is 1 or 0, and what does not exist is empty."""
    with writes("--csv", file):
        if isinstance(file, UrlPath):
            require_writable(file.parent)  # else it would be found out when all is done
        stream = open_text(file)
    writer = csv.writer(stream, lineterminator="\n")
    flags = [f"flagged_{name}" for name in SCORES] if with_flags else []

    def write(row: Sequence[object]) -> None:
        with writes("--csv", file):
            writer.writerow(row)

    def add(scored: ScoredPhoto) -> None:
        flagged = [scored.flagged.get(name) for name in SCORES] if with_flags else []
        cells = ["" if each is None else int(each) for each in flagged]
        write([scored.photo.source, *(scored.scores.get(name) for name in SCORES), *cells])

    try:
        write(["image", *SCORES, *flags])
        yield add
    finally:
        with writes("--csv", file):
            stream.close()


@contextlib.contextmanager
def report_file(file: AnyPath, report: Report) -> Iterator[Add]:
    """A page with pictures, written at the end."""
    with writes("--report", file):
        require_writable(file.parent)

    def add(scored: ScoredPhoto) -> None:
        if scored.entry is not None:
            report.add_entry(scored.photo.name, scored.entry)

    yield add
    with writes("--report", file):
        write_whole(file, report.html().encode("utf-8", "backslashreplace"))


def make_folder(option: str, folder: AnyPath) -> None:
    """Make the folder of an option, or find out that it cannot be written.

    Raises:
        InvalidInputError: It cannot.
    """
    with writes(option, folder):
        require_writable(folder)


def require_own_files(
    photos: Sequence[Photo], model: AnyPath, folders: Sequence[AnyPath], files: Sequence[AnyPath]
) -> None:
    """Refuse outputs that would replace an image, a file of the model or each other.

    Args:
        photos: All images.
        model: Folder of the model.
        folders: Of maps and masks.
        files: Others.

    Raises:
        InvalidInputError: Two outputs, or an output and an image, have the same name; an output lies in the
            folder of the model; or a table or a report is named like an image, which may be one of others.
    """
    images = {_identity(photo): photo.source for photo in photos}
    outputs = [_written_identity(file) for file in files]
    inside = _written_identity(model) + os.sep
    for place in (*outputs, *map(_written_identity, folders)):
        if (place + os.sep).startswith(inside):
            raise InvalidInputError(
                f"outputs must lie outside the folder of the model, got {place!r}; name another place"
            )
    for file in outputs:
        if file in images or outputs.count(file) > 1:
            raise InvalidInputError(
                f"outputs must be files of their own, got {file!r} twice; name another file"
            )
        if is_image_name(file):
            raise InvalidInputError(
                f"--csv and --report must not be named like an image, got {file!r}; end the name in .csv "
                "or .html"
            )
    owners: dict[str, Photo] = {}
    for photo in photos if folders else ():
        if ".." in PurePosixPath(photo.name).parts:
            raise InvalidInputError(
                f"image names must not lead out of their folder, got {photo.name!r}; rename it"
            )
        owner = owners.setdefault(str(PurePosixPath(photo.name).with_suffix("")), photo)
        if owner is not photo and _identity(owner) != _identity(photo):
            raise _shared(owner.source, photo.source)
    for folder in folders:
        roots: dict[PurePosixPath, str] = {}
        for photo in owners.values():
            parent = PurePosixPath(photo.name).parent
            root = roots.setdefault(parent, _written_identity(folder / str(parent)))
            stem = PurePosixPath(photo.name).stem
            for ending in (f"{name}.{kind}" for name in SCORES for kind in ("png", "mask.png")):
                image = images.get(os.path.join(root, f"{stem}.{ending}"))  # noqa: PTH118 - many, and fast
                if image is not None:
                    raise _shared(photo.source, image)


def _identity(photo: Photo) -> str:
    try:
        return identity(to_path(photo.source))
    except OSError:  # no such kind of URL; who reads it will say so
        return photo.source


def _written_identity(place: AnyPath) -> str:
    with writes("output", place):
        return identity(place)


def _shared(first: str, second: str) -> InvalidInputError:
    return InvalidInputError(
        f"images must not share the names of their maps, got {first!r} and {second!r}; rename one, or use "
        "another folder for its maps"
    )
