"""The command line. May import ui.

Results go to standard output; an error is one line on standard error, exit code 2.
"""

from __future__ import annotations

import json

import click

from vaead.cli.app import app
from vaead.cli.check import check
from vaead.cli.evaluate import evaluate
from vaead.cli.options import Group
from vaead.cli.pretrain import pretrain
from vaead.cli.recalibrate import recalibrate
from vaead.cli.score import score
from vaead.cli.screws import screws
from vaead.cli.session import session
from vaead.cli.train import train
from vaead.cli.try_settings import try_settings
from vaead.cli.watch import watch
from vaead.data.datasets import dataset_names, get_spec
from vaead.version import __version__


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=None, version=__version__, prog_name="vaead")
def main() -> None:
    """Find out where a variational autoencoder finds an image anomalous."""


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def datasets(as_json: bool) -> None:
    """List the datasets and their classes."""
    specs = [get_spec(name) for name in dataset_names()]
    if as_json:
        entries = [{"name": s.name, "title": s.title, "classes": list(s.class_names)} for s in specs]
        click.echo(json.dumps(entries))
        return
    for spec in specs:
        classes = ", ".join(f"{number} {name}" for number, name in enumerate(spec.class_names))
        click.echo(f"{spec.name}\t{spec.title}\t{classes}")


COMMANDS = (
    *(app, train, try_settings, recalibrate, score, watch, check, evaluate),
    *(session, pretrain, screws),
)

for command in COMMANDS:
    main.add_command(command)
