"""Run commands in this process and look at what they print."""

import re
from pathlib import Path

from click.testing import CliRunner, Result
from PIL import Image

from vaead.cli import main
from vaead.data.screws.generator import make_screw


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="vaead")


def lines_of(result: Result) -> list[str]:
    """Standard output of a run without a fault."""
    assert (result.exit_code, result.exception) == (0, None), result.stderr
    return result.stdout.splitlines()


def assert_refused(result: Result, message: str) -> None:
    """One line on standard error, nothing on standard output, exit code 2."""
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.fullmatch(f"Error: .*{message}.*\n", result.stderr), result.stderr


def write_normal_photos(folder: Path) -> Path:
    """Write four normal photos of 128x96 pixels into train/good of a folder, and return the folder."""
    good = folder / "train" / "good"
    good.mkdir(parents=True)
    for index in range(4):
        Image.fromarray(make_screw(0, index, scale=0.2).image).save(good / f"{index}.png")
    return folder
