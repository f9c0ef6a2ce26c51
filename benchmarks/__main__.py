"""Run benchmarks and write their figures into the README: `python -m benchmarks [NAME ...]`."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from benchmarks import report

NAMES = ("pairs", "training", "scoring", "first_picture", "visitors")
"""What runs if none is named, in less than half an hour."""
LONG_NAMES = ("one_class", "screws", "screws_few", "folder")
"""What runs only if it is named: the first takes 40 minutes, the others 10 to 15 each."""
README = Path(__file__).parent.parent / "README.md"
_BEGIN, _END = "<!-- results -->", "<!-- /results -->"


@click.command(
    help="Run benchmarks (if none is named, all but the long ones) and write their figures into the README."
)
@click.argument("names", nargs=-1, type=click.Choice([*NAMES, *LONG_NAMES]))
@click.option(
    "--table-only", is_flag=True, help="Run nothing, only write the table from the results on disk."
)
def main(names: tuple[str, ...], table_only: bool) -> None:
    """Run benchmarks one after another."""
    for name in () if table_only else names or NAMES:
        click.echo(f"== {name}")
        report.save(name, importlib.import_module(f"benchmarks.{name}").run())
    write_table()


def write_table() -> None:
    """Replace the table in the README by one of all results on disk."""
    lines = ["| what | figure |", "|---|---|"]
    machine = {}
    for name in ("one_class", *NAMES, "screws", "screws_few", "folder"):
        result = report.load(name)
        if result is not None:
            machine = result["machine"]
            module = importlib.import_module(f"benchmarks.{name}")
            lines += [f"| {what} | {figure} |" for what, figure in module.rows(result)]
    lines += [
        "",
        f"Measured on {machine.get('cores')} cores of {machine.get('processor')}, shared with other work.",
    ]
    text = README.read_text(encoding="utf-8")
    before, after = text.split(_BEGIN)[0], text.split(_END)[1]
    README.write_text("\n".join([before + _BEGIN, *lines, _END + after]), encoding="utf-8")


if __name__ == "__main__":
    main()
