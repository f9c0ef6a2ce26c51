"""The command `train`."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vaead.cli.base import model_options
from vaead.datasets import get_spec
from vaead.errors import VaeadError
from vaead.recipe import Recipe
from vaead.store import ModelStore

if TYPE_CHECKING:
    from vaead.training import EpochReport


@click.command()
@model_options(required=True)
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
    dataset: str,
    normal: str,
    preset: str,
    store: Path | None,
    epochs: int | None,
    crops: int | None,
    latent: int | None,
    patience: int | None,
    seed: int | None,
    progress: str,
) -> None:
    """Train a model on one class and print its folder last."""
    report = _JsonProgress() if progress == "json" else _TextProgress()
    try:
        normal_class = get_spec(dataset).class_index(normal)
        recipe = Recipe.from_preset(
            dataset,
            normal_class,
            preset,
            epochs=epochs,
            crops=crops,
            latent=latent,
            patience=patience,
            seed=seed,
        )
        models = ModelStore(store)
        models.check_writable()
        report.start(recipe)
        from vaead.pipeline import train as train_recipe  # TensorFlow takes seconds to import

        model = train_recipe(recipe, models, report.epoch)
        report.done(models.folder(recipe), model.card.training_s)
    except BaseException as error:
        report.stop(error)
        raise


class _JsonProgress:
    """One JSON object a line, for the program that started the training."""

    def start(self, recipe: Recipe) -> None:
        self._write("start", epochs=recipe.total_epochs, crops=recipe.train.crops, path=str(recipe.path))

    def epoch(self, report: EpochReport) -> None:
        self._write("epoch", **dataclasses.asdict(report))

    def done(self, folder: Path, elapsed_s: float) -> None:
        self._write("done", elapsed_s=elapsed_s, model=str(folder))

    def stop(self, error: BaseException) -> None:
        if isinstance(error, VaeadError):
            self._write("error", message=str(error))

    def _write(self, event: str, **fields: object) -> None:
        click.echo(json.dumps({"event": event, **fields}))  # which flushes


class _TextProgress:
    """A progress bar for a person."""

    def __init__(self) -> None:
        self._shown = contextlib.ExitStack()

    def start(self, recipe: Recipe) -> None:
        click.echo(
            f"Training {recipe.path}: {recipe.train.crops:,} crops, {recipe.train.epochs} epochs", err=True
        )
        bar = click.progressbar(length=recipe.total_epochs, label="epochs", file=sys.stderr)
        self._bar = self._shown.enter_context(bar)

    def epoch(self, report: EpochReport) -> None:
        self._bar.label = f"loss {report.loss:9.2f}"
        self._bar.update(1)

    def done(self, folder: Path, elapsed_s: float) -> None:
        self._shown.close()
        click.echo(f"Trained in {elapsed_s:.1f} s", err=True)
        click.echo(str(folder))

    def stop(self, _error: BaseException) -> None:
        self._shown.close()  # the group prints the error
