"""Small scripts in place of the real training, and what is known of their processes."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from vaead.processes.training_jobs import JobStatus, TrainingJobs
from vaead.recipe import ClassSource, Recipe

DEADLINE_S = 10.0
RECIPE = Recipe.from_preset("article", ClassSource("mnist", 1), epochs=2)
OTHER = Recipe.from_preset("article", ClassSource("mnist", 2), epochs=2)
THIRD = Recipe.from_preset("article", ClassSource("mnist", 3), epochs=2)

HELPERS = """
import json, os, pathlib, signal, subprocess, sys, time
folder = pathlib.Path(sys.argv[1])
def say(event, **values): print(json.dumps({"event": event, **values}))
def say_epoch(number, remaining_s):
    say("epoch", epoch=number, epochs=2, loss=6.5, kl=1.0, log_variance=2.0, mahalanobis=3.5,
        held_out_loss=7.0, elapsed_s=1.0, remaining_s=remaining_s)
def wait_for(name):
    while not (folder / name).exists(): time.sleep(0.005)
"""
DONE = 'say("done", model="x", elapsed_s=1.0)'
WAIT = f'wait_for("go"); {DONE}'
KILL_ITSELF = 'print("noise", file=sys.stderr); os.kill(os.getpid(), signal.SIGKILL)'

Start = Callable[..., TrainingJobs]


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def status_of(training: TrainingJobs, recipe: Recipe = RECIPE) -> JobStatus:
    status = training.status(recipe)
    assert status is not None
    return status


def wait_for_end(training: TrainingJobs, recipe: Recipe = RECIPE) -> JobStatus:
    wait_until(lambda: not status_of(training, recipe).state.active)
    return status_of(training, recipe)


def read_pids(folder: Path, count: int) -> list[int]:
    """The process ids that a script wrote to the file `pids`, once all are there."""
    path = folder / "pids"
    wait_until(lambda: path.exists() and len(path.read_text().split("\n")) > count)
    return [int(pid) for pid in path.read_text().split()]


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended but that nobody has waited for does not."""
    ps = ["ps", "-o", "stat=", "-p", str(pid)]
    state = subprocess.run(ps, capture_output=True, check=False, text=True).stdout
    return bool(state.strip()) and not state.strip().startswith("Z")
