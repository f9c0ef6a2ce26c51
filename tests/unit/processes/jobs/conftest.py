import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.processes.jobs.helpers import HELPERS, Start
from vaead.processes.training_jobs import TrainingJobs


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Make TrainingJobs whose children run a script; closed at the end of the test."""
    made: list[TrainingJobs] = []

    def make(script: str, **settings: Any) -> TrainingJobs:
        command = [sys.executable, "-S", "-c", HELPERS + script, str(tmp_path)]
        made.append(TrainingJobs(tmp_path, command=lambda *_: command, **settings))
        return made[-1]

    yield make
    for each in made:
        each.close()
