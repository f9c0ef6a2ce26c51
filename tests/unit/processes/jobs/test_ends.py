"""Jobs that are cancelled or fail, and the processes they leave."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.unit.processes.jobs.helpers import (
    DEADLINE_S,
    DONE,
    KILL_ITSELF,
    OTHER,
    RECIPE,
    THIRD,
    WAIT,
    Start,
    is_alive,
    read_pids,
    status_of,
    wait_for_end,
    wait_until,
)
from vaead.errors import TrainingError
from vaead.processes import training_child
from vaead.processes.training_jobs import JobState, JobStatus, TrainingJobs


def test_cancel_kills_the_child_and_what_it_started(start: Start, tmp_path: Path) -> None:
    training = start(
        'grandchild = subprocess.Popen(["sleep", "60"])\n'
        'print(os.getpid(), grandchild.pid, sep="\\n", file=open(folder / "pids", "a"))\n'
        "time.sleep(60)"
    )
    training.submit(RECIPE)
    pids = read_pids(tmp_path, 2)
    assert all(is_alive(pid) for pid in pids)

    training.cancel(RECIPE)
    assert status_of(training).state is JobState.CANCELLED
    wait_until(lambda: not any(is_alive(pid) for pid in pids))


def test_cancel_kills_a_child_that_ignores_the_polite_signal(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_child, "GRACE_S", 1.0)
    training = start(
        'signal.signal(signal.SIGTERM, lambda *_: (folder / "asked").touch())\n'
        'print(os.getpid(), file=open(folder / "pids", "a"))\n'
        "time.sleep(60)"
    )
    training.submit(RECIPE)
    (pid,) = read_pids(tmp_path, 1)

    training.cancel(RECIPE)
    wait_until((tmp_path / "asked").exists)
    assert is_alive(pid)
    wait_until(lambda: not is_alive(pid))
    assert status_of(training).state is JobState.CANCELLED
    assert not training.active()


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
        f'[print(line) for line in {lines!r}]; os.write(1, b"\\xff\\xfe\\n"); say_epoch(1, 1.0); {DONE}'
    )
    training.submit(RECIPE)

    status = wait_for_end(training)
    assert status.state is JobState.DONE
    (report,) = status.epochs
    assert (report.epoch, report.loss, report.held_out_loss) == (1, 6.5, 7.0)


def test_command_that_cannot_start_fails(tmp_path: Path) -> None:
    training = TrainingJobs(tmp_path, command=lambda *_: [str(tmp_path / "absent")])
    training.submit(RECIPE)
    status = wait_for_end(training)
    assert status.state is JobState.FAILED
    assert "could not be started" in str(status.message)


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
        "from vaead.recipe import ClassSource, Recipe\n"
        "from vaead.processes.training_jobs import TrainingJobs\n"
        f"jobs = TrainingJobs(pathlib.Path(), command=lambda *_: [sys.executable, '-S', '-c', {child!r}])\n"
        "jobs.submit(Recipe.from_preset('article', ClassSource('mnist', 1)))\n"
        f"while not pathlib.Path({str(tmp_path / 'pids')!r}).exists(): time.sleep(0.01)\n"
    )
    root = Path(training_child.__file__).parents[1]
    subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        timeout=DEADLINE_S,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    (pid,) = read_pids(tmp_path, 1)
    assert not is_alive(pid)


def test_collector_may_cancel_a_job_at_any_moment(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    training = start(WAIT)
    training.submit(RECIPE)
    training.submit(OTHER)
    snapshot = training._snapshot

    def collected_meanwhile(job: object) -> JobStatus:
        training.cancel(OTHER)  # as the finalizer of the folder of a visitor who has left
        return snapshot(job)

    monkeypatch.setattr(training, "_snapshot", collected_meanwhile)
    asking = threading.Thread(target=training.status, args=(RECIPE,), daemon=True)
    asking.start()
    asking.join(DEADLINE_S)
    assert not asking.is_alive()
    assert status_of(training, OTHER).state is JobState.CANCELLED
