"""Models, and outputs of the command `score`: image by image, so that nothing piles up in memory."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import click

from vaead.data.photos import Photo, Rejected
from vaead.data.photos.names import is_image_name
from vaead.errors import InvalidInputError, StoreError
from vaead.inference.golden import save_with_golden
from vaead.inference.map_files import MAP_KINDS, MASK_KINDS, WHY_KINDS, writes
from vaead.inference.prediction import Prediction
from vaead.inference.tables import csv_writer, score_record
from vaead.model.card import ModelCard
from vaead.model.files import require_replaceable
from vaead.model.model import Model
from vaead.paths import AnyPath, UrlPath, identity, open_text, require_writable, to_path, write_whole
from vaead.scoring.loss_terms import SCORES

Add = Callable[[Prediction], None]
"""Takes the next prediction. All outputs are context managers that give one."""
RowsOf = Callable[[Prediction], Iterable[Sequence[object]]]
"""Rows of a table for a prediction."""
Draw = Callable[[Sequence[Photo]], Iterable[Prediction | Rejected]]
"""Predicts photos again, with drawings."""


@contextlib.contextmanager
def lines(with_flags: bool) -> Iterator[Add]:
    """One line an image on standard output."""

    def add(prediction: Prediction) -> None:
        parts, flagged = [click.format_filename(prediction.photo.label)], prediction.flagged
        for name, score in prediction.scores.items():
            parts.append(f"{name} {score:.3f}{' flagged' * (with_flags and flagged[name])}")
        if prediction.by_whole and flagged.get("calibrated"):
            parts.append("unusual as a whole")
        click.echo("\t".join(parts))

    yield add


@contextlib.contextmanager
def json_array(with_flags: bool, scale: float) -> Iterator[Add]:
    """One JSON array on standard output; regions are in pixels of photos before this scale."""
    separators = iter("[")

    def add(prediction: Prediction) -> None:
        record = json.dumps(score_record(prediction, with_flags, scale))
        click.echo(f"{next(separators, ', ')}{record}", nl=False)

    yield add
    click.echo(f"{next(separators, '')}]")


@contextlib.contextmanager
def csv_file(option: str, file: AnyPath, titles: Sequence[str], rows_of: RowsOf) -> Iterator[Add]:
    """A table for an option; see `vaead.inference.tables`."""
    with writes(option, file):
        if isinstance(file, UrlPath):
            require_writable(file.parent)  # else it would be found out when all is done
        stream = open_text(file)
        write_row = csv_writer(stream)

    def add(prediction: Prediction) -> None:
        with writes(option, file):
            for row in rows_of(prediction):
                write_row(row)

    try:
        with writes(option, file):
            write_row(titles)
        yield add
    finally:
        with writes(option, file):
            stream.close()


@contextlib.contextmanager
def report_file(file: AnyPath, card: ModelCard, false_alarm_rate: float, draw: Draw) -> Iterator[Add]:
    """A page with pictures, written at the end; see `vaead.inference.html_report.with_drawings`."""
    # Jinja2 and SciPy, which it imports, are for reports alone.
    from vaead.i18n.texts import Texts
    from vaead.inference.html_report import Report, with_drawings

    with writes("--report", file):
        require_writable(file.parent)
    predictions: list[Prediction] = []
    yield predictions.append
    page = Report(card, false_alarm_rate, Texts("en")).html(with_drawings(predictions, draw))
    with writes("--report", file):
        write_whole(file, page.encode("utf-8", "backslashreplace"))


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
        folders: Folders of maps, masks and explanations.
        files: Others.

    Raises:
        InvalidInputError: Two outputs, or an output and an image, have the same name; an output lies in the
            folder of the model; or a table or a report is named like an image, which may be one of others.
    """
    images = {_identity(photo): photo.source for photo in photos}
    outputs = [_written_identity(file) for file in files]
    inside = _written_identity(model) + os.sep
    for output in (*outputs, *map(_written_identity, folders)):
        if (output + os.sep).startswith(inside):
            raise InvalidInputError(
                f"outputs must lie outside the folder of the model, got {output!r}; name another place"
            )
    for file in outputs:
        if file in images or outputs.count(file) > 1:
            raise InvalidInputError(
                f"outputs must be files of their own, got {file!r} twice; name another file"
            )
        if is_image_name(file):
            raise InvalidInputError(
                f"tables, reports and sessions must not be named like an image, got {file!r}; end the name "
                "in .csv, .html or .zip"
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
    kinds = (*MAP_KINDS, *MASK_KINDS, *WHY_KINDS)
    for folder in folders:
        roots: dict[PurePosixPath, str] = {}
        for photo in owners.values():
            parent = PurePosixPath(photo.name).parent
            root = roots.setdefault(parent, _written_identity(folder / str(parent)))
            stem = PurePosixPath(photo.name).stem
            for ending in (f"{name}.{kind}" for name in SCORES for kind in kinds):
                image = images.get(os.path.join(root, f"{stem}.{ending}"))  # noqa: PTH118 - many, and fast
                if image is not None:
                    raise _shared(photo.source, image)


def _identity(photo: Photo) -> str:
    try:
        return identity(to_path(photo.source))
    except OSError:  # no such kind of URL; who reads it will say so
        return photo.source


def _written_identity(path: AnyPath) -> str:
    with writes("output", path):
        return identity(path)


def _shared(first: str, second: str) -> InvalidInputError:
    return InvalidInputError(
        f"images must not share the names of their maps, got {first!r} and {second!r}; rename one, or use "
        "another folder for its maps"
    )


def check_out(out: AnyPath) -> None:
    """Raise StoreError, before anything long starts, if its model cannot be saved."""
    try:
        require_replaceable(out, "--out")
        require_writable(out.resolve().parent if isinstance(out, Path) else out)
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(
            f"--out must be a folder that can be written, got {str(out)!r} ({error.strerror or error}); "
            "free some space, change its permissions, or name another folder"
        ) from error


def save_out(out: AnyPath, model: Model) -> None:
    """Write a model; it replaces a folder by its name, which "." does not tell.

    Raises:
        StoreError: The folder cannot be written.
    """
    save_with_golden(out.resolve() if isinstance(out, Path) else out, model)
