"""Real training, started, followed and stopped in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.browser.conftest import Server, Visitor

pytestmark = pytest.mark.browser

TRAIN = "Train this model"
TRAINED_S = 120.0
"""Deadline for a small training: 8 s on two idle cores, most of it to load TensorFlow."""


def test_small_model_is_trained_with_progress_until_its_maps_appear(visit: Visitor) -> None:
    visitor = visit(epochs="1", crops="2000", pair="5")
    visitor.button(TRAIN).click()
    progress = visitor.page.get_by_test_id("stProgress")
    expect(progress).to_have_text("Training is starting")
    elapsed = visitor.page.get_by_test_id("stMetric").filter(has_text="Elapsed")
    expect(elapsed).to_have_text(re.compile(r"^Elapsed\s*[1-9]\d* s$"))  # it moves by itself
    visitor.wait_for_maps(TRAINED_S)
    expect(progress).to_have_count(0)
    assert visitor.link["pair"] == "5"


def test_cancel_stops_the_training_for_all_visitors(
    visit: Visitor, server: Server, wait_until: Callable
) -> None:
    link = {"epochs": "100", "crops": "20000"}
    first = visit(**link)
    first.button(TRAIN).click()
    epoch = re.compile(r"^Training: epoch \d+ of 100$")
    expect(first.page.get_by_test_id("stProgress")).to_have_text(epoch, timeout=1000 * TRAINED_S)
    expect(first.page.get_by_role("figure", name="Training").locator(".scatterlayer .trace")).to_have_count(5)

    second = visit(**link)
    expect(second.page.get_by_test_id("stProgress")).to_have_text(epoch)
    (process,) = server.trainings()
    expect(second.button("Cancel")).to_have_count(0)
    first.button("Cancel").click()

    for visitor in (first, second):
        expect(visitor.alerts).to_have_text("The training was cancelled.")
        expect(visitor.button(TRAIN)).to_be_visible()
    wait_until(lambda: not process.is_running(), first.page)


def test_killed_training_is_told_and_the_page_still_works(
    visit: Visitor, server: Server, wait_until: Callable
) -> None:
    visitor = visit(epochs="99")
    visitor.button(TRAIN).click()
    wait_until(server.trainings, visitor.page)
    (process,) = server.trainings()
    process.kill()
    expect(visitor.alerts).to_contain_text("The training failed: training stopped unexpectedly (SIGKILL)")
    expect(visitor.button(TRAIN)).to_be_visible()

    visitor.page.get_by_text("Model settings").click()
    visitor.page.get_by_role("spinbutton", name="Epochs").fill("10")
    visitor.page.keyboard.press("Enter")
    visitor.wait_for_maps()
