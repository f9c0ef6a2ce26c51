import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from vaead.cli.options import Group
from vaead.cli.screws import screws
from vaead.data.screws.screw_set import ScrewSet

SMALL = ("--train", "2", "--good", "1", "--defective", "1", "--scale", "0.2")


def run(*arguments: object) -> Result:
    vaead = Group("vaead", commands=[screws])
    return CliRunner().invoke(vaead, ["screws", *map(str, arguments)], prog_name="vaead")


def files_of(folder: Path) -> dict[Path, bytes]:
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*.png")}


def test_command_writes_the_set_of_its_options(tmp_path: Path) -> None:
    result = run(tmp_path / "made", *SMALL, "--seed", 3)
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path / 'made'}\n"), result.stderr
    assert result.stderr.startswith("images")
    ScrewSet(seed=3, train=2, good=1, defective=1, scale=0.2).write(tmp_path / "wanted")
    assert files_of(tmp_path / "made") == files_of(tmp_path / "wanted")


def test_defaults_make_a_set_of_full_size() -> None:
    options = {option.name: option.default for option in screws.params if isinstance(option, click.Option)}
    assert options == {"seed": 0, "train": 100, "good": 20, "defective": 10, "scale": 1.0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scale", "9"], r"scale must be from 0\.2 to 4, got 9\.0"),
        (["--train", "0"], "train must be a whole number, 1 or more, got 0"),
        (["--seed", "-1"], "seed must be a whole number, 0 or more, got -1"),
        (["--good", "some"], "Invalid value for '--good'"),
    ],
)
def test_bad_option_is_refused_on_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    result = run(tmp_path / "made", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.fullmatch(f"Error: .*{message}.*\n", result.stderr), result.stderr


def test_folder_with_files_is_refused_on_one_line(tmp_path: Path) -> None:
    (tmp_path / "mine.png").write_bytes(b"mine")
    result = run(tmp_path, *SMALL)
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.fullmatch("Error: folder must be empty or new, got .*\n", result.stderr), result.stderr
    assert files_of(tmp_path) == {Path("mine.png"): b"mine"}
