"""Tasks of training jobs, and the command line of the process that trains one."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from vaead.paths import AnyPath
from vaead.recipe import Recipe


@dataclass(frozen=True)
class PhotoTask:
    """Training on a folder of photos.

    Attributes:
        recipe: Recipe of photos.
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
"""A recipe of a class, whose model goes into the store, or photos and a folder of their own."""


def recipe_of(task: Task) -> Recipe:
    """The recipe of a task."""
    return task.recipe if isinstance(task, PhotoTask) else task


def train_command(task: Task, store_root: AnyPath) -> list[str]:
    """Command line that trains a task and prints its events as JSON; models of classes go to the store."""
    if isinstance(task, PhotoTask):
        paths = ["--images", str(task.images), "--out", str(task.out)]
    else:
        paths = ["--store", str(store_root)]
    command = [sys.executable, "-m", "vaead", "train", "--recipe", recipe_of(task).to_json()]
    return [*command, *paths, "--progress", "json"]
