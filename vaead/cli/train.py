"""The command `train`."""

from __future__ import annotations

import functools
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from vaead.cli.inputs import Skipped
from vaead.cli.options import (
    DATASET_OPTIONS,
    DEFAULT_PRESET,
    PathType,
    dataset_options,
    require_alone,
    require_class,
)
from vaead.cli.progress import JsonProgress, Progress, TextProgress
from vaead.config import NetworkConfig, require_name
from vaead.data.photos import Rejected, check_normals, find_photos, pixel_digest, read_each
from vaead.errors import InvalidInputError, StoreError
from vaead.inference.read_photos import read_options
from vaead.model.files import require_replaceable
from vaead.model.store import ModelStore, save_model
from vaead.paths import AnyPath, require_writable
from vaead.recipe import COLORS, INDUSTRIAL, PHOTO_PRESETS, PRESETS, PhotoOptions, Recipe

_FOR_CLASSES = (*(name for name in DATASET_OPTIONS if name != "preset"), "latent", "patience")
_FOR_PHOTOS = ("patch_size", "stride", "scale", "color", "aligned", "out")
_PRESETS = (
    f"One of {', '.join(PRESETS)}, with --images one of {', '.join(PHOTO_PRESETS)}.  "
    f"[default: {DEFAULT_PRESET}, with --images {INDUSTRIAL.name}]"
)


@click.command()
@functools.partial(dataset_options, presets=_PRESETS)
@click.option("--images", help="Folder or URL of normal photos, or of a dataset with train/good.")
@click.option("--patch-size", type=int, help="Of photos, in pixels after scaling.  [default: 96 times scale]")
@click.option("--stride", type=int, help="Of photos, in pixels after scaling.  [default: patch size / 6]")
@click.option("--scale", type=float, help="Resize photos by this factor.  [default: the preset's]")
@click.option("--color", type=click.Choice(list(COLORS)), help="Of photos.  [default: luminance]")
@click.option("--aligned", is_flag=True, help="All photos have one size and show the same at the same place.")
@click.option("--out", type=PathType(), help="Folder or URL of the model of photos.")
@click.option("--epochs", type=int, help="Passes over the crops.  [default: the preset's]")
@click.option("--crops", type=int, help="Random patches to train on.  [default: the preset's]")
@click.option("--latent", type=int, help="Dimensions of the latent variable.  [default: the preset's]")
@click.option(
    "--patience",
    type=int,
    help="Stop after so many epochs without a lower held-out loss; 0: never.  [default: the preset's]",
)
@click.option("--seed", type=int, help="Of everything random.  [default: the preset's]")
@click.option(
    "--progress",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A progress bar on standard error, or one JSON object a line on standard output.",
)
def train(
    dataset: str | None,
    normal: str | None,
    preset: str | None,
    store: AnyPath | None,
    images: str | None,
    patch_size: int | None,
    stride: int | None,
    scale: float | None,
    color: str | None,
    aligned: bool,
    out: AnyPath | None,
    epochs: int | None,
    crops: int | None,
    latent: int | None,
    patience: int | None,
    seed: int | None,
    progress: str,
) -> None:
    """Train a model and print its folder last.

    Either on the normal class of a dataset, for the store, or on photos in a folder, for the folder --out.
    """
    report: Progress = JsonProgress() if progress == "json" else TextProgress()
    try:
        if images is not None:
            require_alone("--images", _FOR_CLASSES)
            out = _require_out(out)
            preset = preset or INDUSTRIAL.name
            require_name("preset", preset, PHOTO_PRESETS)
            scale = PHOTO_PRESETS[preset].scale if scale is None else scale
            recipe = Recipe.from_photos(
                PhotoOptions(color or "luminance", scale, aligned),
                preset,
                patch_size=patch_size,
                stride=stride,
                epochs=epochs,
                crops=crops,
                seed=seed,
            )
            _train_on_photos(images, recipe, out, report)
        else:
            name, number = require_class(dataset, normal, "--images")
            require_alone("--dataset", _FOR_PHOTOS)
            recipe = Recipe.from_preset(
                name,
                number,
                preset or DEFAULT_PRESET,
                epochs=epochs,
                crops=crops,
                latent=latent,
                patience=patience,
                seed=seed,
            )
            _train_on_class(recipe, ModelStore(store), report)
    except BaseException as error:
        report.stop(error)
        raise


def _train_on_class(recipe: Recipe, models: ModelStore, report: Progress) -> None:
    models.check_writable()
    report.start(recipe, str(recipe.path))
    from vaead.training.pipeline import train as train_recipe  # TensorFlow takes seconds to import

    model = train_recipe(recipe, models, report.epoch)
    report.done(models.folder(recipe), model.card)


def _train_on_photos(images: str, recipe: Recipe, out: AnyPath, report: Progress) -> None:
    _check_out(out)
    photos = _read_normals(images, recipe)
    report.start(recipe, _described(photos, recipe))
    from vaead.training.pipeline import train_photos  # TensorFlow takes seconds to import

    card, parts, archives = train_photos(photos, recipe, report.epoch)
    # The model replaces a folder by its name, which "." does not tell.
    save_model(out.resolve() if isinstance(out, Path) else out, card, parts, archives)
    report.done(out, card)


def _require_out(out: AnyPath | None) -> AnyPath:
    if out is None:
        raise InvalidInputError("--out must be given with --images, got none; name a folder for the model")
    return out


def _check_out(out: AnyPath) -> None:
    """Find out before a training starts whether its model can be saved."""
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


def _read_normals(images: str, recipe: Recipe) -> list[NDArray[np.float32]]:
    """Read the normal photos of a folder; say which cannot be read, and refuse too few."""
    found = find_photos(images)
    if not found.to_train:
        raise InvalidInputError(
            f"images must be a folder of normal photos, or a dataset with train/good, got none in "
            f"{images!r}; name another folder"
        )
    options, skipped = read_options(recipe), Skipped()
    skipped.show(found.rejected)
    photos = []
    for each in read_each(found.to_train, options):
        if isinstance(each, Rejected):
            skipped.show([each])
        else:
            photos.append(each[1])
    skipped.sum_up(len(photos))
    check_normals(map(pixel_digest, photos))
    return photos


def _described(photos: list[NDArray[np.float32]], recipe: Recipe) -> str:
    """What is trained on, and how large the model sees it."""
    sizes = sorted({photo.shape[1::-1] for photo in photos})
    shown = " to ".join(f"{width}x{height}" for width, height in dict.fromkeys((sizes[0], sizes[-1])))
    scale = recipe.photos.scale if recipe.photos else 1
    windows = ", ".join(_windows(network) for network in recipe.networks)
    return f"on {len(photos)} photos, judged at {shown} px (scale {scale:g}) in patches of {windows}"


def _windows(network: NetworkConfig) -> str:
    size, seen = network.patch_size, network.input_size
    shrunk = "" if network.shrink == 1 else f" (shrunk to {seen}x{seen})"
    return f"{size}x{size}{shrunk} every {network.stride} px"
