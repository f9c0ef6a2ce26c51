"""The command `screws`."""

from __future__ import annotations

from pathlib import Path

import click

from vaead.cli.progress_bar import progress_bar


@click.command()
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything random.")
@click.option("--train", type=int, default=100, show_default=True, help="Normal images for training.")
@click.option("--good", type=int, default=20, show_default=True, help="Normal images for testing.")
@click.option(
    "--defective", type=int, default=10, show_default=True, help="Anomalous images of each kind of defect."
)
@click.option("--scale", type=float, default=1.0, show_default=True, help="1 makes 640x480 pixels.")
@click.argument("out", type=click.Path(path_type=Path))
def screws(out: Path, seed: int, train: int, good: int, defective: int, scale: float) -> None:
    """Make images of screw holes, normal and with defects, and print their folder.

    OUT is a new or empty folder. It gets the layout of MVTec AD, with an exact mask of each defect.
    """
    from vaead.data.screws.screw_set import ScrewSet  # SciPy takes a while to import

    made = ScrewSet(seed, train, good, defective, scale=scale)
    with progress_bar() as step:
        made.write(out, step)
    click.echo(str(out))
