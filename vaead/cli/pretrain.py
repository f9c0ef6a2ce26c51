"""The command `pretrain`."""

from __future__ import annotations

import sys

import click

from vaead.cli.options import PathType, worker_options
from vaead.data.datasets import dataset_names
from vaead.model.store import ModelStore
from vaead.paths import AnyPath
from vaead.presets import SHIPPED_PRESETS
from vaead.processes.workers import Workers


@click.command()
@click.option(
    "--dataset", "datasets", multiple=True, help="Or screws, for the demo; may be repeated.  [default: all]"
)
@click.option("--preset", "presets", multiple=True, help="May be repeated.  [default: article, multi-scale]")
@click.option("--seeds", type=click.IntRange(1, 100), default=1, show_default=True, help="Models a class.")
@click.option("--store", type=PathType(file_okay=False), help="Folder or URL of the models.")
@worker_options
def pretrain(
    datasets: tuple[str, ...], presets: tuple[str, ...], seeds: int, store: AnyPath | None, workers: Workers
) -> None:
    """Train the models that come with vaead, measure them, and gather their figures.

    Each is a task of its own, for processes on this machine or for the workers of a Dask scheduler.

    Models that are there already are kept, so that a run that was stopped can be started again.
    """
    from vaead.zoo import pretrain, screw_demo  # scikit-learn and SciPy take a while to import

    models = ModelStore(store)
    models.check_writable()
    names = datasets or (*dataset_names(), screw_demo.NAME)
    classes = [name for name in names if name != screw_demo.NAME]
    wanted = pretrain.recipes(classes, presets or SHIPPED_PRESETS, seeds)
    with workers, click.progressbar(length=len(wanted), label="models", file=sys.stderr) as bar:
        for _ in pretrain.pretrain(wanted, models, workers):
            bar.update(1)
    for file in pretrain.write_pairs(wanted, models):
        click.echo(str(file))
    if screw_demo.NAME in names:
        click.echo(str(pretrain.pretrain_demo(models)))
