"""Jobs that run, wait for each other and go well."""

import sys
import threading
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.unit.processes.jobs.helpers import (
    DONE,
    KILL_ITSELF,
    OTHER,
    RECIPE,
    THIRD,
    WAIT,
    Start,
    read_pids,
    status_of,
    wait_for_end,
    wait_until,
)
from vaead.errors import TrainingError
from vaead.processes import training_jobs as jobs
from vaead.processes.durations import DurationLog
from vaead.processes.train_command import PhotoTask, train_command
from vaead.processes.training_jobs import JobState
from vaead.recipe import ClassSource, PhotoSource, Recipe


def test_command_holds_the_whole_recipe() -> None:
    recipe = Recipe.from_preset("article", ClassSource("fashion", 7), epochs=3, latent_dim=4)
    recipe = replace(recipe, train=replace(recipe.train, batch_size=64))
    command = train_command(recipe, Path("store"))

    assert command[:4] == [sys.executable, "-m", "vaead", "train"]
    options = dict(zip(command[4::2], command[5::2], strict=True))
    assert Recipe.from_json(options.pop("--recipe")) == recipe
    assert options == {"--store": "store", "--progress": "json"}


def test_command_of_photos_names_their_folders() -> None:
    recipe = Recipe.from_preset("industrial", PhotoSource(scale=0.3))
    command = train_command(PhotoTask(recipe, Path("photos"), Path("out")), Path("store"))
    options = dict(zip(command[4::2], command[5::2], strict=True))
    assert Recipe.from_json(options.pop("--recipe")) == recipe
    assert options == {"--images": "photos", "--out": "out", "--progress": "json"}


def test_job_runs_to_its_end_and_records_epochs(start: Start) -> None:
    training = start(
        f'say("start", epochs=2, crops=9, path="x"); say_epoch(1, 1.5); say_epoch(2, 0.0); {DONE}'
    )

    assert training.submit(RECIPE).state is JobState.RUNNING
    status = wait_for_end(training)

    assert status.state is JobState.DONE
    assert [(report.epoch, report.loss, report.held_out_loss) for report in status.epochs] == [
        (1, 6.5, 7.0),
        (2, 6.5, 7.0),
    ]
    assert (status.total_epochs, status.remaining_s, status.message) == (2, 0.0, None)
    assert training.active() == ()


def test_times_move_while_running_and_stand_still_afterwards(start: Start) -> None:
    training = start(f"say_epoch(1, 100.0); {WAIT}")
    training.submit(RECIPE)
    wait_until(lambda: status_of(training).epochs)

    early = status_of(training)
    wait_until(lambda: status_of(training).elapsed_s > early.elapsed_s)
    late = status_of(training)
    assert late.share > early.share > 0

    training.cancel(RECIPE)
    end = status_of(training)
    time.sleep(0.002)
    assert status_of(training) == end


def test_total_epochs_follows_the_child(start: Start) -> None:
    training = start(f'say("start", epochs=7, crops=9, path="x"); {DONE}')
    training.submit(RECIPE)
    assert wait_for_end(training).total_epochs == 7


def test_epochs_of_all_networks_are_expected(start: Start) -> None:
    training = start(WAIT)
    assert (
        training.submit(Recipe.from_preset("multi-scale", ClassSource("mnist", 1), epochs=3)).total_epochs
        == 6
    )


def test_equal_recipes_share_one_job(start: Start, tmp_path: Path) -> None:
    training = start(f'print(os.getpid(), file=open(folder / "pids", "a")); {WAIT}', max_running=2)
    threads = [threading.Thread(target=training.submit, args=(RECIPE,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    training.submit(Recipe.from_preset("article", ClassSource("mnist", 1), epochs=2))
    assert [status.task for status in training.active()] == [RECIPE]
    (tmp_path / "go").touch()
    wait_for_end(training)
    assert len(read_pids(tmp_path, 1)) == 1


def test_second_job_waits_for_the_first(start: Start, tmp_path: Path) -> None:
    training = start(WAIT, max_running=1)
    training.submit(RECIPE)

    second, third = training.submit(OTHER), training.submit(THIRD)
    assert (second.state, second.waiting_before) == (JobState.QUEUED, 1)
    assert (third.state, third.waiting_before) == (JobState.QUEUED, 2)
    assert (second.elapsed_s, second.share) == (0.0, 0.0)
    assert third.remaining_s > second.remaining_s > status_of(training).remaining_s > 0
    assert training.expected_s(OTHER, 0) > third.remaining_s
    assert [status.task for status in training.active()] == [RECIPE, OTHER, THIRD]
    assert status_of(training).waiting_before == 0

    (tmp_path / "go").touch()
    for recipe in (RECIPE, OTHER, THIRD):
        assert wait_for_end(training, recipe).state is JobState.DONE


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


def test_training_teaches_how_long_the_next_one_takes(start: Start, tmp_path: Path) -> None:
    durations = DurationLog(tmp_path)
    training = start(f"say_epoch(1, 1.0); say_epoch(2, 0.0); {DONE}", durations=durations)
    before_s = training.expected_s(OTHER, 0)
    training.submit(RECIPE)
    wait_until(lambda: training.expected_s(OTHER, 0) < before_s / 2)
    assert DurationLog(tmp_path).expected(OTHER, 0) == durations.expected(OTHER, 0)


def test_failed_training_teaches_nothing(start: Start, tmp_path: Path) -> None:
    training = start("say_epoch(1, 1.0); sys.exit(1)", durations=DurationLog(tmp_path))
    before_s = training.expected_s(OTHER, 0)
    training.submit(RECIPE)
    wait_for_end(training)
    assert training.expected_s(OTHER, 0) == before_s
