"""The commands `session show` and `session save`, and the model of a session for other commands."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from vaead.cli import outputs
from vaead.cli.inputs import Skipped
from vaead.cli.options import FALSE_ALARM_RATE, PathType
from vaead.cli.take_stock import find_normals
from vaead.data.photos import Limits, Photo, Rejected, read_each
from vaead.data.photos.limits import VISITOR_LIMITS, megabytes
from vaead.data.photos.reasons import refusal
from vaead.data.photos.survey import examine_each
from vaead.errors import InvalidInputError
from vaead.held_out.recalibration import digests_of
from vaead.inference.map_files import writes
from vaead.inference.read_photos import read_options
from vaead.model.card import ModelCard
from vaead.model.folder import load_card
from vaead.paths import AnyPath, write_whole
from vaead.session import KeptPhoto, OpenSession, Session, read_session, write_session
from vaead.session.record import Role

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def session() -> None:
    """Keep a session of the page Your images as one ZIP, or look at one."""


@session.command()
@click.argument("file", type=PathType(dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print session.json as it is.")
def show(file: AnyPath, as_json: bool) -> None:
    """Tell what is in a session."""
    with _open(file) as kept:
        if as_json:
            click.echo(kept.session.to_json())
            return
        card = None
        if kept.session.models:
            with _model_folder(kept) as folder:
                card = load_card(folder)
        for line in _lines(kept.session, card):
            click.echo(line)


def _lines(found: Session, card: ModelCard | None) -> list[str]:
    roles = [each.role for each in found.photos]
    counts = {
        "to train on": roles.count("normal"),
        "to calibrate with": roles.count("validation"),
        "to test": roles.count("test"),
    }
    lines = [f"Saved: {found.created or 'nobody knows when'}, by vaead {found.vaead}"]
    lines.append(
        "Photos: " + (", ".join(f"{count} {name}" for name, count in counts.items() if count) or "none")
    )
    if found.missing:
        lines.append(f"Only the digests of: {found.missing} of {len(roles)} photos")
    if card is None:
        return [*lines, "Model: none"]
    network, scale = card.recipe.networks[0], card.recipe.source.scale
    lines.append(
        f"Model: {card.recipe.preset}, patches of {network.patch_size} px at scale {scale:g}, "
        f"trained {card.created[:10]}, calibrated with {card.normal_scores.n_images} photos"
    )
    limit = card.normal_scores.threshold_value(found.score, found.false_alarm_rate)
    lines.append(f"Flagged: {found.score} above {limit:.4g}, {found.false_alarm_rate:.1%} false alarms")
    for title, places in (("Called normal", found.taken), ("Missed", found.missed)):
        if places:
            lines.append(f"{title}: " + ", ".join(found.photos[place].name for place in places))
    return lines


@session.command()
@click.option("--model", "folder", type=_FOLDER, required=True, help="The model's folder.")
@click.option(
    "--images",
    type=_FOLDER,
    required=True,
    help="Folder of the photos that it was trained on, or of a dataset.",
)
@click.option("--out", type=PathType(dir_okay=False), required=True, help="The ZIP to write.")
@click.option("--without-photos", is_flag=True, help="Keep only names and digests of the photos.")
@click.option("--false-alarm-rate", type=float, default=FALSE_ALARM_RATE, show_default=True)
def save(folder: Path, images: Path, out: AnyPath, without_photos: bool, false_alarm_rate: float) -> None:
    """Pack a model and its photos into a session, to look at them on the page Your images.

    The photos of a dataset to train on, to calibrate with and to test keep their roles, labels and masks.
    """
    card = load_card(folder)
    outputs.require_own_files([], folder, [], [out])
    found, skipped = find_normals(str(images)), Skipped()
    skipped.show(found.rejected)
    parts: dict[Role, tuple[Photo, ...]] = {
        "normal": found.to_train,
        "validation": found.validation,
        "test": found.test,
    }
    photos, files = [], []
    for role, some in parts.items():
        for photo, facts in zip(some, examine_each(some, Limits()), strict=True):
            if isinstance(facts, Rejected):
                skipped.show([facts])
                continue
            photos.append(KeptPhoto(photo.name, facts.digest, role, photo.defect))
            files.append([Path(file) for file in (photo.source, *photo.masks)])
    kept = Session(
        photos=tuple(photos),
        false_alarm_rate=false_alarm_rate,
        models=1,
        normals=tuple(sorted({each.digest for each in photos if each.role != "test"})),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    if not without_photos:
        _require_small(files)
    buffer = io.BytesIO()
    write_session(buffer, kept, None if without_photos else files, [folder])
    with writes("--out", out):
        write_whole(out, buffer.getvalue())
    skipped.sum_up(len(photos))
    _tell_unknown(card, [*found.to_train, *found.validation])
    click.echo(str(out))


def _tell_unknown(card: ModelCard, photos: Sequence[Photo]) -> None:
    """Say on standard error if a model cannot be calibrated anew with these photos."""
    wanted = set(card.held_out)
    for each in read_each(photos, read_options(card.recipe)):
        if not isinstance(each, Rejected):
            wanted.difference_update(digests_of([each[1]]))
    if len(wanted) > card.added:  # who was called normal later lies elsewhere
        click.echo(
            f"Note: {len(wanted)} of the {len(card.held_out)} photos that the model was calibrated with are "
            "not among --images, so it cannot be calibrated anew; are they of another training?",
            err=True,
        )


def _require_small(files: Sequence[Sequence[Path]]) -> None:
    """Refuse photos that the page would not take."""
    n_bytes = sum(file.stat().st_size for each in files for file in each)
    most = VISITOR_LIMITS.upload_images, VISITOR_LIMITS.upload_bytes
    if len(files) > most[0] or n_bytes > most[1]:
        raise InvalidInputError(
            f"--images must be at most {most[0]:,} photos and {megabytes(most[1])}, as the page takes, "
            f"got {len(files):,} and {megabytes(n_bytes)}; add --without-photos"
        )


@contextmanager
def model_of(folder: AnyPath) -> Iterator[tuple[AnyPath, float | None]]:
    """The folder of a model and no false-alarm rate; or, for a session, of the model in it, and its rate.

    Raises:
        InvalidInputError: A session is damaged or holds no model.
    """
    if not isinstance(folder, Path) or not folder.is_file():
        yield folder, None
        return
    with _open(folder) as kept:
        if not kept.session.models:
            raise refusal("session_no_model", name=folder.name)
        with _model_folder(kept) as unpacked:
            yield unpacked, kept.session.false_alarm_rate


@contextmanager
def _open(file: AnyPath) -> Iterator[OpenSession]:
    try:
        stream = io.BytesIO(file.read_bytes())
    except OSError as error:
        raise InvalidInputError(
            f"session must be a file that can be read, got {str(file)!r} ({error.strerror or error}); "
            "check its name"
        ) from error
    with read_session(stream, file.name) as kept:
        yield kept


@contextmanager
def _model_folder(kept: OpenSession) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="vaead-") as name:
        for each, content in kept.read_model().items():
            (Path(name) / each).write_bytes(content)
        yield Path(name)
