"""The command `pretrain`."""

from __future__ import annotations

import sys

import click

from vaead import demo
from vaead.cli.base import PlaceType, worker_options
from vaead.datasets import dataset_names
from vaead.parallel import Workers
from vaead.places import Place
from vaead.recipe import SHIPPED_PRESETS
from vaead.store import ModelStore


@click.command()
@click.option(
    "--dataset", "datasets", multiple=True, help="Or screws, for the demo; may be repeated.  [default: all]"
)
@click.option("--preset", "presets", multiple=True, help="May be repeated.  [default: article, multi-scale]")
@click.option("--seeds", type=click.IntRange(1, 100), default=1, show_default=True, help="Models a class.")
@click.option("--store", type=PlaceType(file_okay=False), help="Folder or URL of the models.")
@worker_options
def pretrain(
    datasets: tuple[str, ...], presets: tuple[str, ...], seeds: int, store: Place | None, workers: Workers
) -> None:
    """Train the models that come with vaead, measure them, and gather their figures.

    Each is a task of its own, for processes on this machine or for the workers of a Dask scheduler.

    Models that are there already are kept, so that a run that was stopped can be started again.
    """
    from vaead import pretraining  # scikit-learn takes a while to import

    models = ModelStore(store)
    models.check_writable()
    names = datasets or (*dataset_names(), demo.NAME)
    classes = [name for name in names if name != demo.NAME]
    wanted = pretraining.recipes(classes, presets or SHIPPED_PRESETS, seeds)
    with workers, click.progressbar(length=len(wanted), label="models", file=sys.stderr) as bar:
        for _ in pretraining.pretrain(wanted, models, workers):
            bar.update(1)
    for file in pretraining.write_pairs(wanted, models):
        click.echo(str(file))
    if demo.NAME in names:
        click.echo(str(pretraining.pretrain_demo(models)))
