"""Training from the page, with small scripts in place of the real training."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from vaead.model.folder import load_model, save_model
from vaead.model.model import Model
from vaead.processes.training_jobs import JobState, TrainingJobs
from vaead.recipe import ClassSource, Recipe

if TYPE_CHECKING:
    from tests.ui.conftest import Open, Page

DEADLINE_S = 30.0
RECIPE = Recipe.from_preset("article", ClassSource("digits", 1), epochs=4, crops=2000)
LINK = {"epochs": "4", "crops": "2000"}

HELPERS = """
import json, os, pathlib, shutil, signal, sys, time
folder, model, trained = (pathlib.Path(name) for name in sys.argv[1:4])
def say(event, **values): print(json.dumps({"event": event, **values}))
def say_epoch(number):
    say("epoch", epoch=number, epochs=4, loss=6.5, kl=1.0, log_variance=2.0, mahalanobis=3.5,
        held_out_loss=6.6, elapsed_s=1.0, remaining_s=77.0)
def wait_for(name):
    while not (folder / name).exists(): time.sleep(0.005)
"""
SUCCEED = 'shutil.copytree(trained, model); say("done", model=str(model), elapsed_s=1.0)'
WAIT = f'wait_for("go"); {SUCCEED}'

Start = Callable[[str], TrainingJobs]


@pytest.fixture
def start(tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Make the app train with a script; a good model is copied where one is trained."""
    made: list[TrainingJobs] = []
    model, trained = load_model(store / "digits/1/article"), tmp_path / "trained"

    def make(script: str) -> TrainingJobs:
        def command(recipe: Recipe, _: Path) -> list[str]:
            save_model(trained, Model(replace(model.card, recipe=recipe), model.networks))
            paths = [str(path) for path in (tmp_path, store / recipe.path, trained)]
            return [sys.executable, "-S", "-c", HELPERS + script, *paths]

        made.append(TrainingJobs(store, command=command))
        monkeypatch.setattr("vaead.ui.shared.training_panel.training_jobs", lambda: made[-1])
        return made[-1]

    yield make
    for each in made:
        each.close()


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def wait_for_end(jobs: TrainingJobs, recipe: Recipe = RECIPE) -> None:
    wait_until(lambda: not jobs.status(recipe).state.active)


def metrics(page: Page) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.app.metric}


def progress(page: Page) -> tuple[int, str]:
    """Per cent done, and what the bar says."""
    (bar,) = page.app.get("progress")
    return bar.proto.value, bar.proto.text


def test_without_a_model_training_is_offered(open_page: Open) -> None:
    page = open_page(**LINK)
    assert page.infos == ["No model is stored for this choice yet."]
    assert page.app.button(key="train").label == "Train this model"
    assert page.app.get("plotly_chart") == []


def test_offer_says_how_long_training_takes(open_page: Open) -> None:
    def seconds(**link: str) -> int:
        captions = (caption.value for caption in open_page(**link).app.caption)
        (caption,) = (text for text in captions if "Training takes" in text)
        return int(caption.split("about ")[1].split(" s ")[0])

    assert seconds(epochs="4", crops="2000") < seconds(epochs="40", crops="200000")


def test_button_starts_the_training_of_this_recipe(open_page: Open, start: Start) -> None:
    jobs = start(WAIT)
    page = open_page(**LINK)
    assert jobs.active() == ()
    page.click("train")
    assert [status.task for status in jobs.active()] == [RECIPE]
    assert not page.has_button("train")


def test_start_is_shown_before_the_first_epoch(open_page: Open, start: Start) -> None:
    start(WAIT)
    page = open_page(**LINK)
    page.click("train")
    assert progress(page)[1] == "Training is starting"
    assert metrics(page)["Elapsed"] == "0 s"
    assert int(metrics(page)["Remaining"].removesuffix(" s")) > 0


def test_progress_shows_epoch_times_and_losses(open_page: Open, start: Start) -> None:
    jobs = start(f"say_epoch(1); {WAIT}")
    page = open_page(**LINK)
    page.click("train")
    wait_until(lambda: jobs.status(RECIPE).epochs)
    page.run()
    assert progress(page)[0] > 0
    assert progress(page)[1] == "Training: epoch 1 of 4"
    curves = {trace["name"]: trace["y"][0] for trace in page.figure("live_losses")["data"]}
    terms = {"D, rarity": 1.0, "A, complexity": 2.0, "M, error": 3.5}
    assert curves == {"loss": 6.5, "loss, calibration images": 6.6} | terms


def test_second_job_says_that_it_waits(open_page: Open, start: Start) -> None:
    start(WAIT)
    open_page(**LINK).click("train")
    page = open_page(epochs="5")
    page.click("train")
    assert progress(page) == (0, "Waiting: trainings before this one: 1")


def test_maps_appear_when_training_ends(open_page: Open, start: Start, tmp_path: Path) -> None:
    jobs = start(WAIT)
    page = open_page(**LINK)
    page.click("train")
    (tmp_path / "go").touch()
    wait_for_end(jobs)
    page.run()
    assert len(page.figure("comparison_figure")["data"]) >= 8
    assert not page.has_button("cancel")


def test_link_keeps_its_pair_while_the_model_is_trained(
    open_page: Open, start: Start, tmp_path: Path
) -> None:
    jobs = start(WAIT)
    page = open_page(pair="7", **LINK)
    page.click("train")
    (tmp_path / "go").touch()
    wait_for_end(jobs)
    page.run()
    assert page["pair"] == 7


def test_bad_pair_in_a_link_is_told_before_there_are_maps(open_page: Open) -> None:
    page = open_page(pair="abc", **LINK)
    assert ["pair = `abc`" in warning for warning in page.warnings] == [True]


def test_page_stays_usable_during_training(open_page: Open, start: Start) -> None:
    jobs = start(WAIT)
    page = open_page(**LINK)
    page.click("train")
    page.set_number("epochs", 10)
    page.set_number("crops", 100_000)
    assert page.figure("comparison_figure")
    page.click("draw")
    assert jobs.status(RECIPE).state is JobState.RUNNING


def test_training_is_found_again(open_page: Open, start: Start) -> None:
    start(WAIT)
    page = open_page(**LINK)
    page.click("train")
    page.select("normal", 2)
    assert page.has_button("train")
    page.select("normal", 1)
    assert progress(page)[1] == "Training is starting"


def test_second_visitor_sees_the_same_job(open_page: Open, start: Start) -> None:
    jobs = start(f"say_epoch(1); {WAIT}")
    open_page(**LINK).click("train")
    wait_until(lambda: jobs.status(RECIPE).epochs)
    second = open_page(**LINK)
    assert progress(second)[1] == "Training: epoch 1 of 4"
    assert not second.has_button("train")


def test_two_visitors_who_press_the_button_share_one_job(open_page: Open, start: Start) -> None:
    jobs = start(WAIT)
    first, second = open_page(**LINK), open_page(**LINK)
    first.click("train")
    second.click("train")
    assert len(jobs.active()) == 1
    assert progress(second)[1] == "Training is starting"


def test_cancel_ends_the_job_for_everyone(open_page: Open, start: Start) -> None:
    jobs = start(WAIT)
    page, other = open_page(**LINK), open_page(**LINK)
    page.click("train")
    page.click("cancel")
    assert jobs.status(RECIPE).state is JobState.CANCELLED
    assert page.infos == ["The training was cancelled."]
    other.run()
    assert other.infos == ["The training was cancelled."]


def test_only_who_has_started_a_training_can_cancel_it(open_page: Open, start: Start) -> None:
    start(WAIT)
    page, other = open_page(**LINK), open_page(**LINK)
    page.click("train")
    other.run()
    assert progress(other)[1] == "Training is starting"
    assert page.has_button("cancel")
    assert not other.has_button("cancel")


def test_cancelled_training_can_be_started_again(open_page: Open, start: Start) -> None:
    jobs = start(WAIT)
    page = open_page(**LINK)
    page.click("train")
    page.click("cancel")
    page.click("train")
    assert jobs.status(RECIPE).state.active
    assert page.has_button("cancel")


def test_reason_of_a_failure_is_shown(open_page: Open, start: Start) -> None:
    jobs = start('say("error", message="crops must be fewer, got {too} *many*; take less")')
    page = open_page(**LINK)
    page.click("train")
    wait_for_end(jobs)
    page.run()
    assert page.errors == ["The training failed: crops must be fewer, got {too} *many*; take less"]
    assert page.has_button("train")


def test_killed_training_is_a_failure_that_can_be_repeated(open_page: Open, start: Start) -> None:
    jobs = start("os.kill(os.getpid(), signal.SIGKILL)")
    page = open_page(**LINK)
    page.click("train")
    wait_for_end(jobs)
    page.run()
    (error,) = page.errors
    assert "training stopped unexpectedly (SIGKILL)" in error
    start(WAIT)
    page.click("train")
    assert page.errors == []
    assert page.has_button("cancel")


def test_full_queue_is_said_and_the_page_goes_on(
    open_page: Open, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = start(WAIT)
    monkeypatch.setattr(jobs, "_max_waiting", 0)
    open_page(**LINK).click("train")
    page = open_page(epochs="5")
    page.click("train")
    (error,) = page.errors
    assert error.startswith("the training queue must hold at most 0 waiting jobs")
    assert page.has_button("train")


def test_store_that_cannot_be_written_is_said_before_training(
    open_page: Open, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = start(WAIT)
    (tmp_path / "file").touch()
    monkeypatch.setenv("VAEAD_STORE", str(tmp_path / "file" / "store"))
    page = open_page(**LINK)
    page.click("train")
    (error,) = page.errors
    assert error.startswith("store must be a folder that can be written, got ")
    assert jobs.status(RECIPE) is None
    assert page.has_button("train")


def test_training_replaces_a_damaged_model(
    open_page: Open, start: Start, store: Path, tmp_path: Path
) -> None:
    jobs = start(f"shutil.rmtree(model); {WAIT}")
    (store / "digits/1/article/card.json").write_text("{")
    page = open_page()
    page.click("train")
    assert page.has_button("cancel")
    (tmp_path / "go").touch()
    wait_for_end(jobs, Recipe.from_preset("article", ClassSource("digits", 1)))
    page.run()
    assert page.errors == []
    assert page.caption
