"""All commands for photos on a tree of screws, from its making to its evaluation."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaead.data.screws.generator import DEFECTS
from vaead.scoring.loss_terms import SCORES


def vaead(*arguments: object, exit_code: int = 0) -> str:
    command = [sys.executable, "-m", "vaead", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == exit_code, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder of small screws, and a model that was trained on it at half its size."""
    folder = tmp_path_factory.mktemp("photos")
    sizes = ["--train", 8, "--good", 2, "--defective", 1, "--scale", 0.2]
    vaead("screws", "--seed", 3, *sizes, folder / "screws")
    model = folder / "model"
    small = ["--scale", 0.5, "--patch-size", 16, "--stride", 8, "--epochs", 1, "--crops", 256]
    printed = vaead("train", "--images", folder / "screws", *small, "--out", model)
    assert printed.splitlines() == [str(model)]
    return folder / "screws", model


def test_folder_is_scored_with_all_outputs(made: tuple[Path, Path], tmp_path: Path) -> None:
    screws, model = made
    (screws / "test/good/bad.png").write_bytes(b"")
    outputs = ["--csv", tmp_path / "s.csv", "--maps", tmp_path / "maps", "--masks", tmp_path / "masks"]
    outputs += ["--report", tmp_path / "r.html", "--false-alarm-rate", 0.2, "--json"]
    entries = json.loads(vaead("score", "--model", model, screws, *outputs, exit_code=1))
    (screws / "test/good/bad.png").unlink()
    assert len(entries) == 2 + len(DEFECTS)
    assert all(isinstance(entry[name], float) for entry in entries for name in SCORES)
    with (tmp_path / "s.csv").open(encoding="utf-8-sig", newline="") as table:
        assert [row["image"] for row in csv.DictReader(table)] == [entry["image"] for entry in entries]
    assert np.load(tmp_path / "maps/test/stain/000.new.npy").shape == (48, 64)
    with Image.open(tmp_path / "masks/test/stain/000.new.mask.png") as mask:
        assert mask.size == (128, 96)
    assert "test/stain/000.png" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_folder_is_evaluated_by_defect(made: tuple[Path, Path]) -> None:
    screws, model = made
    printed = vaead("evaluate", "--model", model, "--images", screws, "--json")
    results = [json.loads(line) for line in printed.splitlines()]
    assert [result["defect"] for result in results] == [*sorted(DEFECTS), "all"]
    for result in results:
        anomalous = len(DEFECTS) if result["defect"] == "all" else 1
        assert (result["n_normal"], result["n_anomalous"]) == (2, anomalous)
        for metric in ("auroc", "pixel_auroc", "aupro"):
            assert all(0 <= result[metric][name] <= 1 for name in SCORES)
