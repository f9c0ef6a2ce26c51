"""Progress of the training of one and of several networks on the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from vaead.model.events import EpochReport
from vaead.processes.training_jobs import JobState, JobStatus
from vaead.recipe import ClassSource, Recipe

if TYPE_CHECKING:
    from tests.ui.conftest import Open, Page

FINISHING = "Calibrated; thresholds are being set, and the model is stored"

Show = Callable[..., "Page"]


@pytest.fixture
def show(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> Show:
    """Open the page while a training has told these epochs and their losses on held-out images."""

    def show_with(preset: str, told: Sequence[tuple[int, float]]) -> Page:
        recipe = Recipe.from_preset(preset, ClassSource("digits", 1), epochs=4, crops=2000)
        epochs = tuple(EpochReport(n, 4, 3.0, 1.0, 1.0, 1.0, loss, 1.0, 77.0) for n, loss in told)
        status = JobStatus(recipe, JobState.RUNNING, epochs, recipe.total_epochs, 9.0, 0.4, 77.0)
        jobs = SimpleNamespace(status={recipe: status}.get, cancel=lambda _: None)
        monkeypatch.setattr("vaead.ui.shared.training_panel.training_jobs", lambda: jobs)
        return open_page(preset=preset, epochs="4", crops="2000")

    return show_with


@pytest.mark.parametrize(
    ("preset", "told", "shown"),
    [
        ("article", [(1, 5.0), (2, 6.0)], "Training: epoch 2 of 4"),
        ("article", [(1, 5.0), (2, 6.0), (3, 5.0)], "Training: epoch 3 of 4"),
        ("article", [(1, 5.0), (2, 4.0), (3, 3.0), (4, 2.0)], FINISHING),
        ("multi-scale", [(1, 5.0), (2, 6.0)], "Training: epoch 2 of 8"),
        ("multi-scale", [(n, 5.0) for n in range(1, 6)], "Training: epoch 5 of 8"),
        ("multi-scale", [(n, 5.0) for n in range(1, 9)], FINISHING),
    ],
)
def test_bar_follows_the_time_and_tells_the_epochs_of_all_networks(
    show: Show, preset: str, told: list[tuple[int, float]], shown: str
) -> None:
    page = show(preset, told)
    (bar,) = page.app.get("progress")
    assert (bar.proto.value, bar.proto.text) == (40, shown)
    assert {metric.label: metric.value for metric in page.app.metric}["Remaining"] == "77 s"


@pytest.mark.parametrize(
    ("told", "name", "losses"),
    [
        ([(1, 5.0), (2, 6.0)], "**Network 1/2**", [5.0, 6.0]),
        ([(1, 5.0), (2, 6.0), (5, 9.0)], "**Network 2/2**", [9.0]),
    ],
)
def test_losses_are_those_of_the_network_in_training(
    show: Show, told: list[tuple[int, float]], name: str, losses: list[float]
) -> None:
    page = show("multi-scale", told)
    assert name in [text.value for text in page.app.markdown]
    curves = {trace["name"]: trace["y"] for trace in page.figure("live_losses")["data"]}
    assert curves["loss, calibration images"] == losses


def test_losses_of_one_network_need_no_name(show: Show) -> None:
    page = show("article", [(1, 5.0)])
    assert not any("Network" in text.value for text in page.app.markdown)
