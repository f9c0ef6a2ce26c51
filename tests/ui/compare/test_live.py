"""The maps of the pair while its model is trained, with small scripts in place of the training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from vaead.model.events import EpochMaps
from vaead.processes.training_jobs import JobState, JobStatus
from vaead.recipe import ClassSource, Recipe

if TYPE_CHECKING:
    from tests.ui.conftest import Open, Page

WINDOWS = (2, 11, 11)
LINK = {"epochs": "4", "crops": "2000"}


class Jobs:
    """Stands in for the jobs of the server."""

    def __init__(self, state: JobState, count: int) -> None:
        recipe = Recipe.from_preset("article", ClassSource("digits", 1), epochs=4, crops=2000)
        terms = np.arange(3 * np.prod(WINDOWS), dtype="<f4")
        maps = tuple(EpochMaps(number, WINDOWS, (terms * number).tobytes()) for number in range(1, count + 1))
        images = np.full((2, 28, 28), 7, np.uint8)
        self.recipe = recipe
        self.submitted: list[np.ndarray] = []
        self.shown = JobStatus(recipe, state, (), 4, followed=images, maps=maps)

    def status(self, recipe: Recipe) -> JobStatus | None:
        return self.shown if recipe == self.recipe else None

    def expected_s(self, recipe: Recipe, windows: int) -> float:
        return 30.0

    def submit(self, recipe: Recipe, windows: int, followed: np.ndarray) -> None:
        self.submitted.append(followed)

    def cancel(self, recipe: Recipe) -> None:
        pass


@pytest.fixture
def open_with(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> object:
    """Open the page while, or after, a training has told so many maps."""

    def opened(jobs: Jobs, **link: str) -> Page:
        for module in ("shared.training_panel", "compare.live"):
            monkeypatch.setattr(f"vaead.ui.{module}.training_jobs", lambda: jobs)
        return open_page(**(LINK | link))

    return opened


def test_maps_of_the_last_epoch_are_shown_while_the_training_runs(open_with: object) -> None:
    page = open_with(Jobs(JobState.RUNNING, 3))
    assert "after epoch 3" in page.figure("live_maps_figure")["alt"]
    assert len(page.figure("live_maps_figure")["data"]) == 6


def test_before_the_first_epoch_there_are_none(open_with: object) -> None:
    page = open_with(Jobs(JobState.RUNNING, 0))
    assert not any("live_maps" in chart.proto.id for chart in page.app.get("plotly_chart"))


def test_training_follows_the_pair_of_the_address(open_with: object, open_page: Open) -> None:
    jobs = Jobs(JobState.CANCELLED, 0)
    open_with(jobs, pair="7", normal_image="3").click("train")
    other = Jobs(JobState.CANCELLED, 0)
    open_with(other, pair="8", normal_image="3", anomalous_image="x").click("train")
    ((first,), (second,)) = jobs.submitted, other.submitted
    assert first.shape == second.shape == (2, 28, 28)
    assert np.array_equal(first[0], second[0])
    assert not np.array_equal(first[1], second[1])


def test_afterwards_a_slider_goes_back_through_the_epochs(open_with: object) -> None:
    jobs = Jobs(JobState.DONE, 4)
    jobs.recipe = Recipe.from_preset("article", ClassSource("digits", 1))  # whose model is there
    page = open_with(jobs, epochs="10", crops="100000")
    page.open("epochs_seen")
    assert "after epoch 1" in page.figure("live_maps_figure")["alt"]
    page.app.slider(key="epoch_seen").set_value(3)
    page.run()
    assert "after epoch 3" in page.figure("live_maps_figure")["alt"]
