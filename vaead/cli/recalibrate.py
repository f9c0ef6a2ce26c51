"""The command `recalibrate`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path, PurePath

import click
import numpy as np
from numpy.typing import NDArray

from vaead.cli.inputs import Skipped
from vaead.cli.options import FALSE_ALARM_RATE, PathType
from vaead.cli.outputs import check_out, save_out
from vaead.cli.take_stock import find_normals
from vaead.data.photos import Photo, Rejected, read_each
from vaead.data.photos.names import is_image_name
from vaead.errors import InvalidInputError
from vaead.held_out.recalibration import recalibrate as recalibrate_model
from vaead.inference.read_photos import read_options
from vaead.model.card import ModelCard
from vaead.model.store import load_model
from vaead.paths import AnyPath, identity, is_url
from vaead.recipe import Recipe
from vaead.scoring.loss_terms import SCORES

Named = dict[str, NDArray[np.float32]]


@click.command()
@click.option("--model", "folder", type=PathType(), required=True, help="The model's folder.")
@click.option(
    "--images",
    multiple=True,
    required=True,
    help="Folder of the normal photos that it was trained on. Again for each that was added since.",
)
@click.option(
    "--normal",
    multiple=True,
    required=True,
    help="Normal photos that are flagged, or a folder of them. May be given again.",
)
@click.option("--out", type=PathType(), required=True, help="Folder or URL of the new model.")
@click.option(
    "--even-if-unusual", is_flag=True, help="Take normal photos that stand far above all others, too."
)
def recalibrate(
    folder: AnyPath, images: tuple[str, ...], normal: tuple[str, ...], out: AnyPath, even_if_unusual: bool
) -> None:
    """Calibrate a model of photos with normal photos that it has flagged.

    Prints the new folder. The photos join those that were held out of the training. Thresholds are found
    again; nothing is trained. A model keeps no whole photos, so --images names those it was made of;
    their names and order do not matter.
    """
    check_out(out)
    if identity(out) == identity(folder):
        raise InvalidInputError(
            f"--out must be another folder than --model, got {str(out)!r} for both; "
            "keep the old model as the way back"
        )
    model, skipped = load_model(folder), Skipped()
    recipe = model.card.recipe
    if not recipe.for_photos:
        raise InvalidInputError(
            f"--model must be of photos, got one of {recipe.class_source.dataset}; train that again instead"
        )
    known = _read([photo for each in images for photo in _known(each)], recipe, skipped)
    added = _read([photo for each in normal for photo in _normal(each)], recipe, skipped)
    skipped.sum_up(len(known) + len(added))
    start = time.monotonic()
    found = recalibrate_model(model, list(known.values()), added, even_if_unusual=even_if_unusual)
    save_out(out, found)
    count = len(found.card.held_out) - len(model.card.held_out)
    click.echo(
        f"Calibrated with {len(found.card.held_out)} photos, {count} of them new, in "
        f"{time.monotonic() - start:.1f} s",
        err=True,
    )
    _compare(model.card, found.card)
    click.echo(str(out))


def _known(images: str) -> list[Photo]:
    found = find_normals(images)
    return [*found.to_train, *found.validation]


def _normal(source: str) -> list[Photo]:
    is_photo = is_image_name(source) if is_url(source) else not Path(source).is_dir()
    return [Photo(PurePath(source).name, source)] if is_photo else _known(source)


def _read(photos: Sequence[Photo], recipe: Recipe, skipped: Skipped) -> Named:
    """Pixels of photos by where they lie; names those that cannot be read."""
    found: Named = {}
    for each in read_each(photos, read_options(recipe)):
        if isinstance(each, Rejected):
            skipped.show([each])
        else:
            photo, image = each
            found[photo.label] = image
    return found


def _compare(before: ModelCard, after: ModelCard) -> None:
    """Print what has changed: thresholds, and made-up defects that are found."""
    for score in SCORES:
        old, new = (card.normal_scores.threshold_value(score, FALSE_ALARM_RATE) for card in (before, after))
        rate = f"{FALSE_ALARM_RATE:.0%} false alarms"
        click.echo(f"{score}: threshold at {rate} {old:.4g} before, {new:.4g} now", err=True)
    found = [sum(trial.found for trial in card.trials) for card in (before, after)]
    tried = sum(trial.tried for trial in after.trials)
    click.echo(f"made-up defects found: {found[0]} of {tried} before, {found[1]} now", err=True)
