"""What a training job trains, and the command line of the child that does it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from vaead.paths import AnyPath
from vaead.recipe import PhotoOptions, Recipe


@dataclass(frozen=True)
class PhotoTask:
    """Training on a folder of photos.

    Attributes:
        recipe: What to train.
        images: Folder of normal photos.
        out: Folder of the model, which the training makes.
    """

    recipe: Recipe
    images: Path
    out: Path

    @property
    def total_epochs(self) -> int:
        """Epochs of all networks."""
        return self.recipe.total_epochs


Task = Recipe | PhotoTask
"""A recipe, whose model goes into the store, or photos and a folder of their own."""


def train_command(task: Task, store_root: AnyPath) -> list[str]:
    """Command line that trains a task and prints its progress as JSON; recipes go to the store there."""
    options = _photo_options(task) if isinstance(task, PhotoTask) else _recipe_options(task, store_root)
    return [sys.executable, "-m", "vaead", "train", *options, "--progress", "json"]


def _recipe_options(recipe: Recipe, store_root: AnyPath) -> list[str]:
    data = ["--dataset", recipe.dataset, "--normal", str(recipe.normal), "--preset", recipe.preset]
    size = ["--epochs", str(recipe.train.epochs), "--crops", str(recipe.train.crops)]
    model = ["--latent", str(recipe.model.latent_dim), "--patience", str(recipe.train.patience)]
    return [*data, *size, *model, "--seed", str(recipe.train.seed), "--store", str(store_root)]


def _photo_options(task: PhotoTask) -> list[str]:
    model, train = task.recipe.model, task.recipe.train
    photos = task.recipe.photos or PhotoOptions()
    reading = ["--preset", task.recipe.preset, "--scale", repr(photos.scale), "--color", photos.color]
    reading += ["--aligned"] if photos.aligned else []
    patches = ["--patch-size", str(model.patch_size), "--stride", str(model.stride)]
    size = ["--epochs", str(train.epochs), "--crops", str(train.crops), "--seed", str(train.seed)]
    return ["--images", str(task.images), *reading, *patches, *size, "--out", str(task.out)]
