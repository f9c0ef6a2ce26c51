"""The page Method in a real browser: anchors, drawn figures, width on a phone, and the way to a pair."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

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


def test_click_on_a_dot_goes_to_that_pair(visit: Visitor, server: Server, wait_until: Callable) -> None:
    visitor = visit(url=f"{server.url}method")
    visitor.page.get_by_role("radio", name="日本語").click()
    expect(visitor.page.get_by_role("heading", name="手法", exact=True)).to_be_visible()
    wins = visitor.page.locator(".st-key-wins")
    expect(wins.locator(".ytitle")).to_have_text("AUROC, 新")
    dots = wins.locator(".scatterlayer path.point")
    dots.nth(MNIST_1_8).scroll_into_view_if_needed()
    box = _box(dots.nth(MNIST_1_8))
    visitor.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    wait_until(lambda: visitor.link.get("anomalous") == "8", visitor.page)
    assert visitor.link["dataset"] == "MNIST"
    expect(visitor.page.get_by_role("combobox", name="正常クラス")).to_have_value("1")


def test_click_into_the_plane_moves_the_handle(visit: Visitor, server: Server, wait_until: Callable) -> None:
    visitor = visit(url=f"{server.url}method")
    slider = visitor.page.get_by_role("slider", name="z, first dimension")
    expect(visitor.page.locator(".st-key-wins .scatterlayer path.point")).to_have_count(180)
    places = visitor.page.locator(".st-key-plane .scatterlayer .trace").last.locator("path.point")
    places.nth(0).scroll_into_view_if_needed()
    box = _box(places.nth(0))
    visitor.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    wait_until(lambda: float(str(slider.get_attribute("aria-valuetext"))) < -1, visitor.page)
    assert int(visitor.link["z1"]) < 10


def _box(locator) -> dict[str, float]:
    box = locator.bounding_box()
    assert box is not None
    return box
