"""Run commands in this process and look at what they print."""

import re

from click.testing import CliRunner, Result

from vaead.cli import main


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
