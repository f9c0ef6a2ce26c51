"""Where the command `score` puts what it finds, image by image, so that nothing piles up in memory."""

from __future__ import annotations

import contextlib
import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from vaead.errors import InvalidInputError
from vaead.images import map_to_png, mask_to_png
from vaead.judging import Judgement
from vaead.maps import TermMaps
from vaead.photos import Photo, read_photo
from vaead.report import Report
from vaead.terms import SCORES


@dataclass(frozen=True, eq=False)
class Scored:
    """A photo and what the model says about it.

    Attributes:
        photo: The photo.
        pixels: As the model sees it.
        terms: For its maps.
        judgement: At the false-alarm rate.
    """

    photo: Photo
    pixels: NDArray[np.float32]
    terms: TermMaps
    judgement: Judgement

    def entry(self, with_flags: bool) -> dict[str, Any]:
        """What stands of it in JSON; None where the model has no such score for an image of its size."""
        result: dict[str, Any] = {"image": self.photo.source}
        result |= {name: self.judgement.scores.get(name) for name in SCORES}
        if with_flags:
            result["flagged"] = {name: self.judgement.flagged.get(name) for name in SCORES}
        return result


Add = Callable[[Scored], None]
"""Takes the next image. All outputs are context managers that give one."""


@contextlib.contextmanager
def lines(with_flags: bool) -> Iterator[Add]:
    """One line an image on standard output."""

    def add(scored: Scored) -> None:
        judgement = scored.judgement
        parts = [click.format_filename(scored.photo.source)]
        for name, score in judgement.scores.items():
            parts.append(f"{name} {score:.3f}{' flagged' * (with_flags and judgement.flagged[name])}")
        click.echo("\t".join(parts))

    yield add


@contextlib.contextmanager
def json_array(with_flags: bool) -> Iterator[Add]:
    """One JSON array on standard output."""
    separators = iter("[")

    def add(scored: Scored) -> None:
        click.echo(f"{next(separators, ', ')}{json.dumps(scored.entry(with_flags))}", nl=False)

    yield add
    click.echo(f"{next(separators, '')}]")


@contextlib.contextmanager
def csv_file(file: Path, with_flags: bool) -> Iterator[Add]:
    """A table; flagged is 1 or 0, and what does not exist is empty."""
    with _writes("--csv", file):
        file.parent.mkdir(parents=True, exist_ok=True)
        # Not all names of files are text.
        stream = file.open("w", encoding="utf-8", errors="backslashreplace", newline="", buffering=1)
    with stream:
        writer = csv.writer(stream, lineterminator="\n")
        flags = [f"flagged_{name}" for name in SCORES] if with_flags else []

        def write(row: Sequence[object]) -> None:
            with _writes("--csv", file):
                writer.writerow(row)

        def add(scored: Scored) -> None:
            judgement = scored.judgement
            flagged = [judgement.flagged.get(name) for name in SCORES] if with_flags else []
            cells = ["" if each is None else int(each) for each in flagged]
            write([scored.photo.source, *(judgement.scores.get(name) for name in SCORES), *cells])

        write(["image", *SCORES, *flags])
        yield add


@contextlib.contextmanager
def map_files(folder: Path) -> Iterator[Add]:
    """For each score the map, as NumPy wrote it and as a picture."""
    _make_folder("--maps", folder)

    def add(scored: Scored) -> None:
        for name in scored.terms.scores:
            anomaly_map = scored.terms.maps(name)[0]
            with _writes("--maps", folder):
                file = _target(folder, scored.photo, f"{name}.npy")
                np.save(file, anomaly_map)
                file.with_suffix(".png").write_bytes(map_to_png(anomaly_map))

    yield add


@contextlib.contextmanager
def mask_files(folder: Path, scale: float) -> Iterator[Add]:
    """For each score a picture, as large as the photo, of the pixels that stand out."""
    _make_folder("--masks", folder)

    def add(scored: Scored) -> None:
        source = scored.photo.source
        size = None if scale == 1 else read_photo(source, source).shape[:2]
        for name, mask in scored.judgement.masks.items():
            with _writes("--masks", folder):
                _target(folder, scored.photo, f"{name}.mask.png").write_bytes(mask_to_png(mask, size))

    yield add


@contextlib.contextmanager
def report_file(file: Path, report: Report) -> Iterator[Add]:
    """A page with pictures, written at the end."""
    with _writes("--report", file):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.open("a").close()

    def add(scored: Scored) -> None:
        report.add(scored.photo.name, scored.pixels, scored.judgement)

    yield add
    with _writes("--report", file):
        file.write_text(report.html(), encoding="utf-8", errors="backslashreplace")


def require_own_files(photos: Sequence[Photo], folders: Sequence[Path], files: Sequence[Path]) -> None:
    """Refuse outputs that would replace an image or each other.

    Args:
        photos: All images.
        folders: Of maps and masks.
        files: Others.

    Raises:
        InvalidInputError: Two outputs, or an output and an image, have the same name.
    """
    images = {os.path.realpath(photo.source): photo.source for photo in photos}
    outputs = [os.path.realpath(file) for file in files]
    for file in outputs:
        if file in images or outputs.count(file) > 1:
            raise InvalidInputError(
                f"outputs must be files of their own, got {file!r} twice; name another file"
            )
    owners: dict[str, Photo] = {}
    for photo in photos if folders else ():
        if ".." in PurePosixPath(photo.name).parts:
            raise InvalidInputError(
                f"image names must not lead out of their folder, got {photo.name!r}; rename it"
            )
        owner = owners.setdefault(str(PurePosixPath(photo.name).with_suffix("")), photo)
        if os.path.realpath(owner.source) != os.path.realpath(photo.source):
            raise _shared(owner.source, photo.source)
    for folder in folders:
        roots: dict[PurePosixPath, str] = {}
        for photo in owners.values():
            parent = PurePosixPath(photo.name).parent
            root = roots.setdefault(parent, os.path.realpath(folder / parent))
            stem = PurePosixPath(photo.name).stem
            for ending in (f"{name}.{kind}" for name in SCORES for kind in ("png", "mask.png")):
                image = images.get(os.path.join(root, f"{stem}.{ending}"))  # noqa: PTH118 - many, and fast
                if image is not None:
                    raise _shared(photo.source, image)


def _shared(first: str, second: str) -> InvalidInputError:
    return InvalidInputError(
        f"images must not share the names of their maps, got {first!r} and {second!r}; rename one, or use "
        "another folder for its maps"
    )


def _target(folder: Path, photo: Photo, ending: str) -> Path:
    name = PurePosixPath(photo.name)
    file = folder / name.parent / f"{name.stem}.{ending}"
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def _make_folder(option: str, folder: Path) -> None:
    with _writes(option, folder):
        folder.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def _writes(option: str, place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InvalidInputError(
            f"{option} must be a place that can be written, got {str(place)!r} ({error.strerror or error}); "
            "free some space, change its permissions, or name another place"
        ) from error
