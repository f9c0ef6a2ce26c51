"""Page "Your images": boxes on a normal image, which are left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ui.your_images.helpers import WAIT, OwnPage, Start, scripted_training, small_demo
from vaead.errors import InvalidInputError
from vaead.ui.your_images.boxes import read_boxes, region


@pytest.fixture
def start(tmp_path: Path, photo_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Make the page train with a script."""
    small_demo(monkeypatch)
    yield from scripted_training(tmp_path, photo_model, monkeypatch)


def test_boxes_are_left_out_of_the_training(start: Start) -> None:
    jobs = start(WAIT)
    page = OwnPage()
    page.click("own_demo")
    page["_own"].boxes = [(0.0, 0.0, 0.5, 0.25)]
    page.run()
    page.click("own_train")
    (status,) = jobs.active()
    ignored = status.task.recipe.source.ignored
    found = ignored.pixels((240, 320))
    assert found[:60, :160].all()
    assert found.sum() == 60 * 160
    page.click("cancel")
    page["_own"].boxes = []
    page.run()
    page.click("own_train")
    (status,) = jobs.active()
    assert status.task.recipe.source.ignored is None


@pytest.mark.parametrize("box", [(0.0, 0.0, 1.0, 1.0), (0.02, 0.02, 0.99, 0.99)])
def test_boxes_that_leave_nothing_are_told(start: Start, box: tuple[float, ...]) -> None:
    page = OwnPage()
    page.click("own_demo")
    page["_own"].boxes = [box]
    page.run()
    assert page.errors == [
        "The boxes leave no window of an image to look at. Make them smaller, or remove some."
    ]
    assert not page.has_button("own_train")
    page.click("own_clear")
    assert page["_own"].boxes == []


@pytest.mark.parametrize(
    ("found", "boxes"),
    [
        (None, []),
        ("text", []),
        ([], []),
        ([[0.1, 0.1, 0.2]], []),
        ([[0.1, 0.1, float("nan"), 0.2]], []),
        ([["0", "0", "1", "1"]], []),
        ([[0.5, 0.1, 0.2, 0.2]], []),
        ([[-3, 0.1, 7, 0.2], [0, 0, 0, 1]], [(0.0, 0.1, 1.0, 0.2)]),
        ([[0.0, 0.0, 0.1, 0.1]] * 99, [(0.0, 0.0, 0.1, 0.1)] * 20),
    ],
)
def test_browser_may_send_anything(found: Any, boxes: list[tuple[float, ...]]) -> None:
    assert read_boxes(found) == boxes


def test_region_is_that_of_all_boxes() -> None:
    found = region([(0.0, 0.0, 0.5, 0.5), (0.25, 0.25, 0.75, 0.75)], (8, 12))
    assert found is not None
    assert found.pixels((8, 12)).sum() == 4 * 6 + 4 * 6 - 2 * 3
    assert np.argwhere(found.pixels((8, 12))).max(axis=0).tolist() == [5, 8]
    assert region([], (8, 12)) is None
    with pytest.raises(InvalidInputError, match="must be a part of the photos, got all of them"):
        region([(0.0, 0.0, 1.0, 1.0)], (8, 12))
