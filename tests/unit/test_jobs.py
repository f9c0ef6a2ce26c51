"""Training jobs, with small scripts in place of the real training."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vaead import jobs
from vaead.config import Recipe
from vaead.errors import TrainingError
from vaead.jobs import Epoch, JobState, JobStatus, TrainingJobs, train_command

DEADLINE_S = 10.0
RECIPE = Recipe.from_preset("mnist", 1, epochs=2)
OTHER = Recipe.from_preset("mnist", 2, epochs=2)
THIRD = Recipe.from_preset("mnist", 3, epochs=2)

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


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Make TrainingJobs whose children run a script; closed at the end of the test."""
    made: list[TrainingJobs] = []

    def make(script: str, **limits: int) -> TrainingJobs:
        command = [sys.executable, "-S", "-c", HELPERS + script, str(tmp_path)]
        made.append(TrainingJobs(tmp_path, command=lambda *_: command, **limits))
        return made[-1]

    yield make
    for each in made:
        each.close()


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


def test_command_names_every_setting() -> None:
    recipe = Recipe.from_preset("fashion", 7, epochs=3, crops=500, latent=4, patience=2, seed=5)

    command = train_command(recipe, Path("store"))

    assert command[:4] == [sys.executable, "-m", "vaead", "train"]
    options = dict(zip(command[4::2], command[5::2], strict=True))
    assert options == {
        "--dataset": "fashion",
        "--normal": "7",
        "--preset": "article",
        "--epochs": "3",
        "--crops": "500",
        "--latent": "4",
        "--patience": "2",
        "--seed": "5",
        "--store": "store",
        "--progress": "json",
    }


def test_job_runs_to_its_end_and_records_epochs(start: Start) -> None:
    training = start(f'say("start", epochs=2, crops=9); say_epoch(1, 1.5); say_epoch(2, 0.0); {DONE}')

    assert training.submit(RECIPE).state is JobState.RUNNING
    status = wait_for_end(training)

    assert status.state is JobState.DONE
    assert status.epochs == (Epoch(1, 6.5, 1.0, 2.0, 3.5, 7.0), Epoch(2, 6.5, 1.0, 2.0, 3.5, 7.0))
    assert (status.total_epochs, status.remaining_s, status.message) == (2, 0.0, None)
    assert training.active() == ()


def test_times_move_while_running_and_stand_still_afterwards(start: Start) -> None:
    training = start(f"say_epoch(1, 100.0); {WAIT}")
    training.submit(RECIPE)
    wait_until(lambda: status_of(training).epochs)

    early = status_of(training)
    wait_until(lambda: status_of(training).elapsed_s > early.elapsed_s)
    late = status_of(training)
    assert early.remaining_s is not None
    assert late.remaining_s is not None
    assert 90.0 < late.remaining_s < early.remaining_s <= 100.0

    training.cancel(RECIPE)
    end = status_of(training)
    time.sleep(0.002)
    assert status_of(training) == end


def test_total_epochs_follows_the_child(start: Start) -> None:
    training = start(f'say("start", epochs=7, crops=9); {DONE}')
    training.submit(RECIPE)
    assert wait_for_end(training).total_epochs == 7


def test_epochs_of_all_networks_are_expected(start: Start) -> None:
    training = start(WAIT)
    assert training.submit(Recipe.from_preset("mnist", 1, "multi-scale", epochs=3)).total_epochs == 6


def test_equal_recipes_share_one_job(start: Start, tmp_path: Path) -> None:
    training = start(f'print(os.getpid(), file=open(folder / "pids", "a")); {WAIT}', max_running=2)
    threads = [threading.Thread(target=training.submit, args=(RECIPE,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    training.submit(Recipe.from_preset("mnist", 1, epochs=2))
    assert [status.recipe for status in training.active()] == [RECIPE]
    (tmp_path / "go").touch()
    wait_for_end(training)
    assert len(read_pids(tmp_path, 1)) == 1


def test_second_job_waits_for_the_first(start: Start, tmp_path: Path) -> None:
    training = start(WAIT, max_running=1)
    training.submit(RECIPE)

    second, third = training.submit(OTHER), training.submit(THIRD)
    assert (second.state, second.waiting_before) == (JobState.QUEUED, 1)
    assert (third.state, third.waiting_before) == (JobState.QUEUED, 2)
    assert (second.elapsed_s, second.remaining_s) == (0.0, None)
    assert [status.recipe for status in training.active()] == [RECIPE, OTHER, THIRD]
    assert status_of(training).waiting_before == 0

    (tmp_path / "go").touch()
    for recipe in (RECIPE, OTHER, THIRD):
        assert wait_for_end(training, recipe).state is JobState.DONE


def test_cancel_kills_the_child_and_what_it_started(start: Start, tmp_path: Path) -> None:
    training = start(
        'grandchild = subprocess.Popen(["sleep", "60"])\n'
        'print(os.getpid(), grandchild.pid, sep="\\n", file=open(folder / "pids", "a"))\n'
        "time.sleep(60)"
    )
    training.submit(RECIPE)
    pids = read_pids(tmp_path, 2)
    assert all(is_alive(pid) for pid in pids)

    before = time.monotonic()
    training.cancel(RECIPE)
    assert time.monotonic() - before < 0.5
    assert status_of(training).state is JobState.CANCELLED
    wait_until(lambda: not any(is_alive(pid) for pid in pids))


def test_cancel_kills_a_child_that_ignores_the_polite_signal(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "GRACE_S", 0.1)
    training = start(
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        'print(os.getpid(), file=open(folder / "pids", "a"))\n'
        "time.sleep(60)"
    )
    training.submit(RECIPE)
    (pid,) = read_pids(tmp_path, 1)

    training.cancel(RECIPE)
    wait_until(lambda: not is_alive(pid))


def test_same_recipe_waits_until_its_cancelled_child_is_gone(start: Start, tmp_path: Path) -> None:
    training = start(
        'signal.signal(signal.SIGTERM, lambda *_: (wait_for("leave"), sys.exit()))\n'
        'print(os.getpid(), file=open(folder / "pids", "a"))\n'
        f"{WAIT}",
        max_running=2,
    )
    training.submit(RECIPE)
    (pid,) = read_pids(tmp_path, 1)
    training.cancel(RECIPE)

    assert training.submit(RECIPE).state is JobState.QUEUED
    assert is_alive(pid)
    (tmp_path / "leave").touch()
    wait_until(lambda: status_of(training).state is JobState.RUNNING)
    assert not is_alive(pid)


def test_cancelled_waiting_job_never_starts(start: Start, tmp_path: Path) -> None:
    training = start(f'print(os.getpid(), file=open(folder / "pids", "a")); {WAIT}')
    training.submit(RECIPE)
    training.submit(OTHER)
    third = training.submit(THIRD)
    assert third.waiting_before == 2

    training.cancel(OTHER)
    assert status_of(training, OTHER).state is JobState.CANCELLED
    assert status_of(training, THIRD).waiting_before == 1
    (tmp_path / "go").touch()
    wait_for_end(training, THIRD)
    assert len(read_pids(tmp_path, 2)) == 2


def test_cancel_leaves_an_ended_job_as_it_is(start: Start) -> None:
    training = start(DONE)
    training.submit(RECIPE)
    wait_for_end(training)

    training.cancel(RECIPE)
    training.cancel(OTHER)
    assert status_of(training).state is JobState.DONE
    assert training.status(OTHER) is None


def test_killed_child_fails_with_the_signal_and_advice(start: Start) -> None:
    training = start(f"say_epoch(1, 1.0); {KILL_ITSELF}")
    training.submit(RECIPE)

    status = wait_for_end(training)
    assert status.state is JobState.FAILED
    assert len(status.epochs) == 1
    assert status.message == (
        "training stopped unexpectedly (SIGKILL); start it again, with fewer crops if memory is short"
    )


def test_unexpected_exit_quotes_the_last_error_line(start: Start) -> None:
    training = start(
        'print("\\n".join(["a warning"] * 40 + ["no such option", ""]), file=sys.stderr); sys.exit(3)'
    )
    training.submit(RECIPE)

    message = wait_for_end(training).message
    assert message is not None
    assert "(exit code 3)" in message
    assert message.endswith(" no such option")


def test_end_without_result_is_a_failure(start: Start) -> None:
    training = start("")
    training.submit(RECIPE)
    status = wait_for_end(training)
    assert status.state is JobState.FAILED
    assert "(exit code 0)" in str(status.message)


def test_death_is_noticed_while_a_grandchild_holds_the_pipes(start: Start, tmp_path: Path) -> None:
    training = start(
        'print(subprocess.Popen(["sleep", "60"]).pid, file=open(folder / "pids", "a"), flush=True)\n'
        + KILL_ITSELF
    )
    training.submit(RECIPE)

    assert wait_for_end(training).state is JobState.FAILED
    (pid,) = read_pids(tmp_path, 1)
    wait_until(lambda: not is_alive(pid))


def test_error_event_gives_the_message(start: Start) -> None:
    training = start('say("error", message="disk must have room; make some"); sys.exit(2)')
    training.submit(RECIPE)
    status = wait_for_end(training)
    assert (status.state, status.message) == (JobState.FAILED, "disk must have room; make some")


def test_lines_that_are_no_events_are_ignored(start: Start) -> None:
    incomplete = {"event": "epoch", "epoch": 1, "loss": None, "remaining_s": "soon"}
    lines = [
        "garbage",
        "",
        "[1]",
        "3",
        '"done"',
        "{",
        '{"event": 1}',
        '{"event": "error"}',
        json.dumps(incomplete),
    ]
    training = start(
        f'[print(line) for line in {lines!r}]; os.write(1, b"\\xff\\xfe\\n"); say_epoch(1, None); {DONE}'
    )
    training.submit(RECIPE)

    status = wait_for_end(training)
    assert status.state is JobState.DONE
    assert status.epochs == (Epoch(1, 6.5, 1.0, 2.0, 3.5, 7.0),)
    assert status.remaining_s is None


def test_command_that_cannot_start_fails(tmp_path: Path) -> None:
    training = TrainingJobs(tmp_path, command=lambda *_: [str(tmp_path / "absent")])
    training.submit(RECIPE)
    status = wait_for_end(training)
    assert status.state is JobState.FAILED
    assert "could not be started" in str(status.message)


def test_full_queue_refuses(start: Start) -> None:
    training = start(WAIT, max_running=1, max_waiting=1)
    training.submit(RECIPE)
    training.submit(OTHER)

    with pytest.raises(TrainingError, match="at most 1 waiting jobs, got one more; try again"):
        training.submit(THIRD)
    assert training.submit(OTHER).state is JobState.QUEUED
    assert training.status(THIRD) is None


def test_failed_job_can_be_started_again(start: Start) -> None:
    training = start(
        f'(folder / "seen").exists() and [{DONE}, sys.exit()]; (folder / "seen").touch(); {KILL_ITSELF}'
    )
    training.submit(RECIPE)
    assert wait_for_end(training).state is JobState.FAILED

    assert training.submit(RECIPE).message is None
    assert wait_for_end(training).state is JobState.DONE


def test_only_the_latest_ended_jobs_are_kept(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MAX_ENDED", 1)
    training = start(DONE)
    for recipe in (RECIPE, OTHER, THIRD):
        training.submit(recipe)

    wait_for_end(training, THIRD)
    wait_until(lambda: training.status(OTHER) is None)
    assert training.status(RECIPE) is None
    assert status_of(training, THIRD).state is JobState.DONE


def test_close_ends_all_and_refuses_more(start: Start, tmp_path: Path) -> None:
    training = start(f'print(os.getpid(), file=open(folder / "pids", "a")); {WAIT}')
    training.submit(RECIPE)
    training.submit(OTHER)
    (pid,) = read_pids(tmp_path, 1)

    training.close()
    assert not is_alive(pid)
    assert training.active() == ()
    with pytest.raises(TrainingError, match="got closed"):
        training.submit(THIRD)


def test_children_end_with_the_program(tmp_path: Path) -> None:
    pids = str(tmp_path / "pids")
    child = f'import os, time; print(os.getpid(), file=open({pids!r}, "w"), flush=True); time.sleep(60)'
    program = (
        "import pathlib, sys, time\n"
        "from vaead.config import Recipe\n"
        "from vaead.jobs import TrainingJobs\n"
        f"jobs = TrainingJobs(pathlib.Path(), command=lambda *_: [sys.executable, '-S', '-c', {child!r}])\n"
        "jobs.submit(Recipe.from_preset('mnist', 1))\n"
        f"while not pathlib.Path({str(tmp_path / 'pids')!r}).exists(): time.sleep(0.01)\n"
    )
    root = Path(jobs.__file__).parents[1]
    subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        timeout=DEADLINE_S,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    (pid,) = read_pids(tmp_path, 1)
    assert not is_alive(pid)
