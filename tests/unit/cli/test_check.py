import re
from pathlib import Path

import pytest

from tests.unit.cli.command_line import assert_refused, lines_of, run
from vaead.inference.golden import save_with_golden
from vaead.model.files import GOLDEN
from vaead.model.model import Model


@pytest.fixture
def folder(photo_model: Model, tmp_path: Path) -> Path:
    save_with_golden(tmp_path / "model", photo_model)
    return tmp_path / "model"


def test_model_proves_itself(folder: Path) -> None:
    assert lines_of(run("check", "--model", folder)) == ["3 pictures have their scores and decisions"]


def test_each_difference_is_a_line_until_the_scores_are_renewed(folder: Path) -> None:
    golden = folder / GOLDEN
    golden.write_text(re.sub(r'"old": [-\d.]+', '"old": 1.5', golden.read_text()))
    result = run("check", "--model", folder)
    assert (result.exit_code, result.stderr) == (1, "")
    assert len(result.stdout.splitlines()) == 3
    assert all(": old must be 1.5, got " in line for line in result.stdout.splitlines())
    assert lines_of(run("check", "--model", folder, "--renew")) == [str(folder)]
    assert lines_of(run("check", "--model", folder)) == ["3 pictures have their scores and decisions"]


def test_zip_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "kept.zip").write_bytes(b"PK")
    result = run("check", "--model", tmp_path / "kept.zip")
    assert_refused(result, "if it is a ZIP, unpack it, and name the folder in it that holds card.json")


def test_model_without_golden_scores_is_refused(folder: Path) -> None:
    (folder / GOLDEN).unlink()
    assert_refused(run("check", "--model", folder), "golden.json must be .*; write them with --renew")
