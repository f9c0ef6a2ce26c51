"""The command `pretrain`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from vaead.datasets import dataset_names
from vaead.recipe import SHIPPED_PRESETS
from vaead.store import ModelStore


@click.command()
@click.option("--dataset", "datasets", multiple=True, help="May be repeated.  [default: all]")
@click.option("--preset", "presets", multiple=True, help="May be repeated.  [default: article, multi-scale]")
@click.option("--seeds", type=click.IntRange(1, 100), default=1, show_default=True, help="Models a class.")
@click.option("--jobs", type=click.IntRange(1), help="Processes at a time.  [default: one a core]")
@click.option("--store", type=click.Path(path_type=Path, file_okay=False), help="Folder of the models.")
def pretrain(
    datasets: tuple[str, ...], presets: tuple[str, ...], seeds: int, jobs: int | None, store: Path | None
) -> None:
    """Train the models that come with vaead, measure them, and gather their figures.

    Models that are there already are kept, so that a run that was stopped can be started again.
    """
    from vaead import pretraining  # joblib and scikit-learn take a while to import

    models = ModelStore(store)
    models.check_writable()
    wanted = pretraining.recipes(datasets or dataset_names(), presets or SHIPPED_PRESETS, seeds)
    with click.progressbar(length=len(wanted), label="models", file=sys.stderr) as bar:
        for _ in pretraining.pretrain(wanted, models, jobs or os.cpu_count() or 1):
            bar.update(1)
    for file in pretraining.write_pairs(wanted, models):
        click.echo(str(file))
