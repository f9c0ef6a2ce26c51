"""Settings that are compared on the page "Your images", with small scripts in place of the trainings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.your_images.helpers import (
    SUCCEED,
    WAIT,
    OwnPage,
    Start,
    scripted_training,
    small_demo,
    wait_for_end,
)
from vaead.processes.training_jobs import TrainingJobs

FAIL = 'say("error", message="crops must be fewer, got many; take less")'


@pytest.fixture
def start(tmp_path: Path, photo_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Make the page train with a script."""
    small_demo(monkeypatch)
    yield from scripted_training(tmp_path, photo_model, monkeypatch)


def _page() -> OwnPage:
    page = OwnPage()
    page.click("own_demo")
    return page


def _run_all(page: OwnPage, jobs: TrainingJobs) -> None:
    """Wait for one training after another."""
    while "Trying settings" in page.said:
        assert len(jobs.active()) <= 1, "a visitor has one training in the queue"
        wait_for_end(jobs)
        page.run()


def _table(page: OwnPage) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = next(
        table.value.to_dict("list") for table in page.app.table if "Settings" in table.value
    )
    return columns


def test_settings_are_tried_one_after_another_and_one_is_taken(start: Start) -> None:
    jobs = start(SUCCEED)
    page = _page()
    page.click("own_try")
    (count,) = re.findall(r"Trying settings 1 of (\d+)", page.said)
    _run_all(page, jobs)
    assert len(_table(page)["Settings"]) == int(count) >= 4
    assert "as set above" in _table(page)["Settings"]
    assert all("±" in auroc for auroc in _table(page)["AUROC"])
    assert "No other settings are better" in page.said
    page.click("own_take_1")
    assert page.titles[-1] == "3. What it finds"
    assert not page.has_button("own_take_1")


def test_settings_that_fail_are_told_and_the_others_tried(start: Start) -> None:
    jobs = start(f'{FAIL} if "run2" in str(out) else None; {SUCCEED}')
    page = _page()
    page.click("own_try")
    _run_all(page, jobs)
    (failed,) = (cell for cell in _table(page)["AUROC"] if "failed" in cell)
    assert failed == "failed: crops must be fewer, got many; take less"


def test_cancel_ends_all_that_is_left_to_try(start: Start) -> None:
    jobs = start(WAIT)
    page = _page()
    page.click("own_try")
    page.click("cancel")
    assert jobs.active() == ()
    assert _table(page)["AUROC"] == ["failed: The training was cancelled."]
    assert page.has_button("own_try")
    assert page.has_button("own_train")
