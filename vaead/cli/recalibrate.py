"""The command `recalibrate`."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click
import numpy as np
from numpy.typing import NDArray

from vaead.cli.inputs import Skipped, as_photo
from vaead.cli.options import FALSE_ALARM_RATE, PathType
from vaead.cli.outputs import check_out, require_own_files, save_out
from vaead.cli.take_stock import each_readable, find_normals
from vaead.data.photos import Photo
from vaead.errors import InvalidInputError
from vaead.held_out.recalibration import recalibrate as recalibrate_model
from vaead.model.card import ModelCard
from vaead.model.folder import load_model
from vaead.model.model import Model
from vaead.paths import AnyPath
from vaead.recipe import Recipe
from vaead.scoring.loss_terms import SCORES

Named = dict[str, NDArray[np.float32]]
_UNITS = {"calibrated": ", where 1 is the middle of the normal photos of each"}


@click.command()
@click.option("--model", "folder", type=PathType(), required=True, help="The model's folder.")
@click.option(
    "--images",
    multiple=True,
    required=True,
    help="Folder of the normal photos that it was trained on. Again for each photo or folder added since.",
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
    require_own_files([], folder, [out], [])  # the old model is the way back
    model, skipped = load_model(folder), Skipped()
    recipe = model.card.recipe
    if not recipe.for_photos:
        raise InvalidInputError(
            f"--model must be of photos, got one of {recipe.class_source.dataset}; train that again instead"
        )
    known = _read(images, recipe, skipped)
    added = _read(normal, recipe, skipped)
    if not added:
        raise InvalidInputError(
            f"--normal must name a photo that can be read, got none in {', '.join(map(repr, normal))}; the "
            "lines above say why"
        )
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
    for name, photo in added.items():
        _compare_photo(name, photo, model, found)
    click.echo(str(out))


def _photos(source: str) -> list[Photo]:
    photo = as_photo(source)
    if photo is not None:
        return [photo]
    found = find_normals(source)
    return [*found.to_train, *found.validation]


def _read(sources: Sequence[str], recipe: Recipe, skipped: Skipped) -> Named:
    """Pixels of photos by where they lie; names those that cannot be read."""
    photos = [photo for source in sources for photo in _photos(source)]
    return {photo.label: image for photo, image in each_readable(photos, recipe, skipped)}


def _compare(before: ModelCard, after: ModelCard) -> None:
    """Print what has changed: thresholds, and made-up defects that are found."""
    for score in SCORES:
        old, new = (card.normal_scores.threshold_value(score, FALSE_ALARM_RATE) for card in (before, after))
        rate, unit = f"{FALSE_ALARM_RATE:.0%} false alarms", _UNITS.get(score, "")
        click.echo(f"{score}: threshold at {rate} {old:.4g} before, {new:.4g} now{unit}", err=True)
    found = [sum(trial.found for trial in card.trials) for card in (before, after)]
    tried = sum(trial.tried for trial in after.trials)
    click.echo(f"made-up defects found: {found[0]} of {tried} before, {found[1]} now", err=True)


def _compare_photo(name: str, photo: NDArray[np.float32], before: Model, after: Model) -> None:
    """Print what each model says of a photo: a score means little beside the threshold of the other."""
    scores = [float(model.anomaly_score(photo[None])[0]) for model in (before, after)]
    normal = [model.card.normal_scores for model in (before, after)]
    limits = [each.threshold_value("calibrated", FALSE_ALARM_RATE) for each in normal]
    said = [
        f"{score:.4g}, {'flagged' if score > limit else 'not flagged'}"
        for score, limit in zip(scores, limits, strict=True)
    ]
    line = f"{name}: calibrated {said[0]} before; {said[1]} now"
    if scores[0] > normal[0].image_quantile("calibrated", 1.0):
        line += f"; it stood above all {normal[0].n_images} normal photos, so make sure that it is normal"
    click.echo(line, err=True)
