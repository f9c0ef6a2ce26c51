"""The command `check`."""

from __future__ import annotations

import click

from vaead.cli.options import PathType
from vaead.inference.golden import Golden, renew_golden
from vaead.inference.map_files import writes
from vaead.model.folder import load_model
from vaead.paths import AnyPath


@click.command()
@click.option("--model", "folder", type=PathType(), required=True, help="A model's folder or URL.")
@click.option(
    "--renew", is_flag=True, help="Write the golden scores and score.py anew, instead of a comparison."
)
def check(folder: AnyPath, renew: bool) -> None:
    """Prove that a model has the same scores here as where it was trained.

    A model of photos comes with golden.json: three pictures made by formulas, with scores and decisions. They
    are scored again. Each score that differs by more than 0.01 %, and each other decision, is a line, and the
    exit code is 1 then. In the folder of the model, `python score.py --check` compares without vaead.
    """
    model = load_model(folder)
    if renew:
        with writes("--model", folder):
            renew_golden(folder, model)
        click.echo(str(folder))
        return
    golden = Golden.read(folder)
    differences = golden.differences(model)
    for line in differences:
        click.echo(line)
    if differences:
        click.get_current_context().exit(1)
    click.echo(f"{len(golden.pictures)} pictures have their scores and decisions")
