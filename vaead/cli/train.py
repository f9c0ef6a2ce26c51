"""The command `train`."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from vaead.cli.cautions import Stretched
from vaead.cli.inputs import Skipped
from vaead.cli.options import (
    DATASET_OPTIONS,
    DEFAULT_PRESET,
    PathType,
    dataset_options,
    ignore_mask_option,
    require_alone,
    require_class,
)
from vaead.cli.outputs import check_out, save_out
from vaead.cli.progress import JsonProgress, Progress, TextProgress
from vaead.cli.take_stock import find_normals, read_normals, take_stock
from vaead.data.photos import check_normals, pixel_digest
from vaead.data.photos.examine import PhotoFacts
from vaead.errors import InvalidInputError
from vaead.i18n.photo_defaults import photo_defaults
from vaead.i18n.texts import Texts
from vaead.ignored import IgnoredRegion
from vaead.model.store import ModelStore
from vaead.paths import AnyPath
from vaead.photo_defaults import PhotoDefaults
from vaead.presets import preset_names
from vaead.recipe import COLORS, ClassSource, PhotoSource, Recipe, Settings

_CLASS_PRESETS, _PHOTO_PRESETS = preset_names(), preset_names(for_photos=True)
_PRESETS = (
    f"One of {', '.join(_CLASS_PRESETS)}, with --images one of {', '.join(_PHOTO_PRESETS)}.  "
    f"[default: {DEFAULT_PRESET}, with --images {_PHOTO_PRESETS[0]}]"
)
_FOR_CLASSES = (*(name for name in DATASET_OPTIONS if name != "preset"), "latent", "follow")
_FOR_PHOTOS = ("patch_size", "stride", "scale", "color", "aligned", "even_light", "bits", "ignored", "out")
_IN_RECIPE = (
    *("dataset", "normal", "preset", "patch_size", "stride", "scale", "color", "aligned", "even_light"),
    *("bits", "ignored"),
    *("epochs", "crops", "latent", "seed"),
)


@dataclass(frozen=True)
class _Options:
    """The options of the command; see their help."""

    dataset: str | None
    normal: str | None
    preset: str | None
    store: AnyPath | None
    recipe: str | None
    images: str | None
    patch_size: int | None
    stride: int | None
    scale: float | None
    color: str | None
    aligned: bool | None
    even_light: bool | None
    bits: int | None
    ignored: IgnoredRegion | None
    out: AnyPath | None
    dry_run: bool
    epochs: int | None
    crops: int | None
    latent: int | None
    seed: int | None
    follow: Path | None
    progress: str

    def of_source(self) -> dict[str, Any]:
        """Those that replace defaults of photos."""
        names = ("scale", "color", "aligned", "even_light", "bits", "ignored")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def settings(self) -> Settings:
        """Those that replace settings of the preset."""
        return {
            "patch_size": self.patch_size,
            "stride": self.stride,
            "latent_dim": self.latent,
            "epochs": self.epochs,
            "crops": self.crops,
            "seed": self.seed,
        }


@click.command()
@functools.partial(dataset_options, presets=_PRESETS)
@click.option("--images", help="Folder or URL of normal photos, or of a dataset with train/good.")
@click.option("--patch-size", type=int, help="Of photos, in pixels after scaling.  [default: 32, or less]")
@click.option("--stride", type=int, help="Of photos, in pixels after scaling.  [default: patch size / 6]")
@click.option("--scale", type=float, help="Resize photos by this factor.  [default: from their size]")
@click.option(
    "--color", type=click.Choice(list(COLORS)), help="Of photos.  [default: rgb unless all are grey]"
)
@click.option(
    "--aligned/--not-aligned",
    default=None,
    help="Photos of one size that show the same at each position, or not.  [default: from their likeness]",
)
@click.option(
    "--even-light/--keep-light",
    default=None,
    help="Bring photos to one brightness and contrast, or leave them.  [default: from their light]",
)
@click.option("--bits", type=int, help="Bits used in photos of 16 bit.  [default: from the brightest pixel]")
@ignore_mask_option
@click.option("--out", type=PathType(), help="Folder or URL of the model of photos.")
@click.option("--dry-run", is_flag=True, help="With --images: print what would be trained on, and end.")
@click.option("--epochs", type=int, help="Passes over the crops.  [default: the preset's]")
@click.option("--crops", type=int, help="Random patches to train on.  [default: the preset's]")
@click.option("--latent", type=int, help="Dimensions of the latent variable.  [default: the preset's]")
@click.option("--seed", type=int, help="Seed of everything random.  [default: the preset's]")
@click.option("--recipe", help="All settings as JSON, as in the card.json of a model, instead of options.")
@click.option(
    "--follow",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File of images, uint8 (N, H, W) as NumPy saves them, whose terms --progress json tells by epoch.",
)
@click.option(
    "--progress",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A progress bar on standard error, or one JSON object a line on standard output.",
)
def train(**options: Any) -> None:
    """Train a model and print its folder last.

    Either on the normal class of a dataset, for the store, or on photos in a folder, for the folder --out.
    """
    given = _Options(**options)
    report: Progress = JsonProgress() if given.progress == "json" else TextProgress()
    try:
        recipe = _recipe(given)
        if given.dry_run:
            _require_images(given.images)
            take_stock(find_normals(str(given.images)), Skipped(), err=False)
        elif given.images is not None:
            _train_on_photos(given, recipe, _require_out(given.out), report)
        else:
            _train_on_class(recipe, ModelStore(given.store), given.follow, report)
    except BaseException as error:
        report.stop(error)
        raise


def _recipe(given: _Options) -> Recipe:
    if given.images is not None:
        require_alone("--images", _FOR_CLASSES)
    if given.recipe is not None:
        require_alone("--recipe", _IN_RECIPE)
        recipe = Recipe.from_json(given.recipe)
        if recipe.for_photos != (given.images is not None):
            raise InvalidInputError(
                "recipe must be of photos with --images and of a class without, got the other kind; "
                "add --images and --out, or leave them out"
            )
        return recipe
    if given.images is not None:
        # What is not given follows from the photos; what is given must be right before any is read.
        return Recipe.from_preset(_photo_preset(given), PhotoSource(**given.of_source()), **given.settings())
    source = ClassSource(*require_class(given.dataset, given.normal, "--images"))
    require_alone("--dataset", _FOR_PHOTOS)
    return Recipe.from_preset(given.preset or DEFAULT_PRESET, source, **given.settings())


def _train_on_class(recipe: Recipe, models: ModelStore, follow: Path | None, report: Progress) -> None:
    models.check_writable()
    followed = None if follow is None else _read_followed(follow)
    report.start(recipe, str(recipe.path))
    from vaead.training.pipeline import train as train_class  # TensorFlow takes seconds to import

    model = train_class(recipe, models, report.report, followed)
    report.done(models.folder(recipe), model.card)


def _read_followed(file: Path) -> NDArray[np.uint8]:
    try:
        images: NDArray[np.uint8] = np.load(file, allow_pickle=False)
        return images
    except (OSError, ValueError, EOFError) as error:
        raise InvalidInputError(
            f"--follow must be an array as NumPy saves them, got {str(file)!r} ({error}); name another file"
        ) from error


def _train_on_photos(given: _Options, recipe: Recipe, out: AnyPath, report: Progress) -> None:
    check_out(out)
    found = find_normals(str(given.images))
    skipped = Skipped()
    facts = take_stock(found, skipped, err=True)
    if given.recipe is None:
        recipe = _fitted_recipe(given, list(facts.values()))
    recipe.require_shapes([each.size for each in facts.values()], scale=1.0)
    stretched = Stretched(recipe.source.ignored)
    for photo, each in facts.items():
        stretched.add_shape(photo.label, each.size)
    stretched.warn()
    photos, validation = read_normals(found, recipe, skipped)
    skipped.sum_up(len(photos) + len(validation))
    check_normals(map(pixel_digest, photos))
    report.start(recipe, _described(photos, recipe))
    from vaead.training.retry import train_sound  # TensorFlow takes seconds to import

    model = train_sound(photos, recipe, report.report, report.restart, validation)
    save_out(out, model)
    report.done(out, model.card)


def _require_images(images: str | None) -> None:
    if images is None:
        raise InvalidInputError("--dry-run must stand with --images, got none; add --images")


def _require_out(out: AnyPath | None) -> AnyPath:
    if out is None:
        raise InvalidInputError("--out must be given with --images, got none; name a folder for the model")
    return out


def _photo_preset(given: _Options) -> str:
    return given.preset or _PHOTO_PRESETS[0]


def _fitted_recipe(given: _Options, facts: Sequence[PhotoFacts]) -> Recipe:
    """The recipe that suits the photos, but for the settings that are given; says what was chosen and why."""
    defaults = PhotoDefaults.choose(facts, **given.of_source())
    for line in photo_defaults(defaults, Texts("en")):
        click.echo(line, err=True)
    settings = given.settings()
    if settings["patch_size"] is None:
        settings["patch_size"] = defaults.patch_size
    return Recipe.from_preset(_photo_preset(given), defaults.source, **settings)


def _described(photos: Sequence[NDArray[np.float32]], recipe: Recipe) -> str:
    """Number, size, scale and windows of the photos."""
    sizes = sorted({photo.shape[1::-1] for photo in photos})
    shown = " to ".join(f"{width}x{height}" for width, height in dict.fromkeys((sizes[0], sizes[-1])))
    windows = ", ".join(
        f"{network.patch_size}x{network.patch_size} every {network.stride} px" for network in recipe.networks
    )
    scale = recipe.source.scale
    return f"on {len(photos)} photos, scaled to {shown} px (scale {scale:g}), in patches of {windows}"
