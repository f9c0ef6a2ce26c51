"""`python -m vaead` in a process of its own, as a user runs it."""

import gzip
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import vaead
from vaead.model.files import CARD
from vaead.model.store import ModelStore
from vaead.recipe import Recipe
from vaead.scoring.loss_terms import SCORES


def run(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the program in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "vaead", *map(str, arguments)],
        capture_output=True,
        check=False,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(vaead.__file__).parents[1]), "PYTHONUTF8": "1"},
        text=True,
        timeout=120,
    )


def test_model_is_trained_and_scores_an_image(tmp_path: Path, images: NDArray[np.uint8]) -> None:
    Image.fromarray(images[0]).save(tmp_path / "九.png")
    small = ["--epochs", "1", "--crops", "256", "--store", "店"]
    trained = run("train", "--dataset", "digits", "--normal", "1", *small, folder=tmp_path)
    assert trained.returncode == 0, trained.stderr
    folder = trained.stdout.splitlines()[-1]
    assert folder == str(Path("店", "digits", "1", "article+crops256+epochs1"))
    files = {"card.json", "network0.tflite.gz", "reference0.npz"}
    assert {path.name for path in (tmp_path / folder).iterdir()} == files

    scored = run("score", "--model", folder, "九.png", "--json", folder=tmp_path)
    assert (scored.returncode, scored.stderr) == (0, "")
    ((result),) = json.loads(scored.stdout)
    assert result.keys() >= {"image", *SCORES}
    assert result["image"] == "九.png"


def test_native_libraries_add_nothing_to_an_error(store: ModelStore, recipe: Recipe, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(store.folder(recipe), tmp_path / "model"))
    card = json.loads((folder / CARD).read_text())
    content = gzip.compress(b"no program")  # with the right checksum, so that LiteRT gets to see it
    (folder / "network0.tflite.gz").write_bytes(content)
    card["sha256"]["network0.tflite.gz"] = hashlib.sha256(content).hexdigest()
    (folder / CARD).write_text(json.dumps(card))

    result = run("score", "--model", "model", "x.png", folder=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: scorer must be a LiteRT program, got a file that")
    assert result.stderr.index("\n") == len(result.stderr) - 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--dataset", "digits", "--normal", "1", "--epochs", "0"],
        ["score", "--model", "absent", "x.png"],
        ["train"],
    ],
)
def test_error_is_one_line_and_exit_code_2(arguments: list[str], tmp_path: Path) -> None:
    result = run(*arguments, folder=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: ")
    assert result.stderr.index("\n") == len(result.stderr) - 1
    assert list(tmp_path.iterdir()) == []


def test_results_come_also_where_standard_error_is_closed(
    store: ModelStore, recipe: Recipe, images: NDArray[np.uint8], tmp_path: Path
) -> None:
    Image.fromarray(images[0]).save(tmp_path / "x.png")
    command = [
        sys.executable,
        "-m",
        "vaead",
        "score",
        "--model",
        str(store.folder(recipe)),
        "x.png",
        "--json",
    ]
    shell = f"{shlex.join(command)} 2>&-"
    env = os.environ | {"PYTHONPATH": str(Path(vaead.__file__).parents[1])}
    result = subprocess.run(
        ["sh", "-c", shell], capture_output=True, check=False, cwd=tmp_path, env=env, timeout=120
    )
    assert result.returncode == 0
    assert len(json.loads(result.stdout)) == 1
