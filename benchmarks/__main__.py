"""Run benchmarks and write RESULTS.md: `python -m benchmarks [NAME ...]`."""

from __future__ import annotations

import importlib

import click

from benchmarks import report, tables

NAMES = ("pairs", "training", "scoring", "first_picture", "layout_shift", "aims", "visitors")
"""What runs if none is named, in less than half an hour."""
LONG_NAMES = (
    *("choices", "one_class", "photos", "leather", "epochs"),
    *("screws", "screws_few", "folder", "rough_visitors"),
)
"""What runs only if it is named: the first two take 40 minutes, the others 5 to 15 each."""


@click.command(
    help="Run benchmarks (if none is named, all but the long ones), then write the tables of all results."
)
@click.argument("names", nargs=-1, type=click.Choice([*NAMES, *LONG_NAMES]))
@click.option(
    "--tables-only", is_flag=True, help="Run nothing, only write the tables from the results on disk."
)
def main(names: tuple[str, ...], tables_only: bool) -> None:
    """Run benchmarks one after another."""
    for name in () if tables_only else names or NAMES:
        click.echo(f"== {name}")
        report.save(name, importlib.import_module(f"benchmarks.{name}").run())
    tables.write()


if __name__ == "__main__":
    main()
