"""The page Method in a real browser: anchors, drawn figures, width on a phone, and the way to a pair."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import PHONE
from vaead.ui.method.section import STEPS

if TYPE_CHECKING:
    from tests.browser.conftest import Server, Visitor

pytestmark = pytest.mark.browser

FIGURES = 19
MNIST_1_8 = 9 + 7
"""Dot of normal class 1 and anomalous class 8: nine dots of class 0 come first, then 1 with 0, 2, 3, ..."""


def test_phone_shows_all_steps_in_japanese_without_scrolling_sideways(visit: Visitor, server: Server) -> None:
    visitor = visit(device=PHONE | {"locale": "ja-JP"}, url=f"{server.url}method#map")
    page = visitor.page
    expect(page.locator(".st-key-wins .scatterlayer path.point")).to_have_count(180)
    expect(page.get_by_role("heading", name="手法", exact=True)).to_be_visible()
    assert [name for name in STEPS if page.locator(f"#{name}").count() != 1] == []
    figures = page.locator(".js-plotly-plot .main-svg:first-child")
    expect(figures).to_have_count(FIGURES)
    assert all(box["width"] > 100 and box["x"] + box["width"] <= 390 for box in map(_box, figures.all()))
    assert max(visitor.widths) <= 390
    # The page has scrolled to the step of the address.
    expect(page.locator("#map")).to_be_in_viewport()


def test_clicks_into_figures_move_the_handle_and_go_to_a_pair(
    visit: Visitor, server: Server, wait_until: Callable
) -> None:
    visitor = visit(url=f"{server.url}method")
    page = visitor.page
    wins = page.locator(".st-key-wins")
    dots = wins.locator(".scatterlayer path.point")
    expect(dots).to_have_count(180)
    slider = page.get_by_role("slider", name="z, first dimension")
    places = page.locator(".st-key-plane .scatterlayer .trace").last.locator("path.point")
    places.first.click(force=True)  # Plotly catches clicks with a layer above its points
    wait_until(lambda: float(str(slider.get_attribute("aria-valuetext"))) < -1, page)
    assert int(visitor.link["z1"]) < 10

    page.get_by_role("radio", name="日本語").click()
    expect(page.get_by_role("heading", name="手法", exact=True)).to_be_visible()
    expect(wins.locator(".ytitle")).to_have_text("AUROC, 新")
    dots.nth(MNIST_1_8).click(force=True)
    wait_until(lambda: visitor.link.get("anomalous") == "8", page)
    assert visitor.link["dataset"] == "MNIST"
    expect(page.get_by_role("combobox", name="正常クラス")).to_have_value("1")


def _box(locator: Locator) -> dict[str, float]:
    box = locator.bounding_box()
    assert box is not None
    return box
