import os
import subprocess
import sys
from pathlib import Path

import pytest

import vaead
from vaead.presets import SHIPPED_PRESETS

ROOT = Path(vaead.__file__).parents[1]

PROGRAM = """
import sys

import numpy as np

import vaead.cli
import vaead.processes.training_jobs
from vaead import load_model
from vaead.plots import panels

model = load_model(sys.argv[1])
image = np.zeros((1, 28, 28), np.uint8)
maps = panels.article_scale(model.anomaly_map(image, "calibrated"))
model.card.normal_scores.threshold_value("calibrated", 0.05)
panels.panels([[panels.Panel(maps[0], 0, "map")]], [panels.Scale(1, 10, "Blues")], "{x} {y} {value}")
model.reconstruct(image)
slow = {"tensorflow", "keras", "sklearn", "joblib", "dask", "distributed"}
slow |= {"fsspec", "s3fs", "scipy", "jinja2"}
print(sorted({name.partition(".")[0] for name in sys.modules} & slow))
"""


@pytest.mark.parametrize("preset", SHIPPED_PRESETS)
def test_a_model_is_loaded_scores_and_is_drawn_without_tensorflow(preset: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, ROOT / "models" / "digits" / "1" / preset],
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
        timeout=120,
    )
    assert (result.returncode, result.stdout) == (0, "[]\n"), result.stderr
