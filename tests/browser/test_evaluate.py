"""The page Evaluate in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, expect

if TYPE_CHECKING:
    from tests.browser.conftest import Visit, Visitor

pytestmark = pytest.mark.browser


@pytest.fixture
def evaluate(visit: Visitor) -> Callable[..., Visit]:
    """Open the page."""

    def open_with(**link: str) -> Visit:
        visitor = visit(path="evaluate", **link)
        expect(visitor.page.locator(".st-key-matrix_figure .scatterlayer path.point")).to_have_count(90)
        return visitor

    return open_with


def click(visitor: Visit, place: Locator) -> None:
    # A figure is drawn anew when the script has ended; its points before that are soon gone.
    expect(visitor.page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    # Plotly catches clicks with a layer above its points.
    place.click(force=True)


def test_table_and_threshold(evaluate: Callable[..., Visit]) -> None:
    visitor = evaluate(score="old")
    tables = visitor.page.get_by_test_id("stTable")
    expect(tables.first).to_contain_text(re.compile(r"AUROC.*0\.\d{3}"))
    before = tables.nth(1).text_content() or ""
    visitor.page.get_by_role("slider").press("End")
    expect(visitor.page.get_by_text("50 % of")).to_be_visible()
    expect(tables.nth(1)).not_to_have_text(before)


def test_click_on_a_miss_links_its_image(evaluate: Callable[..., Visit], visit: Visitor) -> None:
    visitor = evaluate(anomalous="4")
    click(visitor, visitor.page.locator(".st-key-misses .scatterlayer path.point").nth(2))
    link = visitor.page.get_by_role("link", name="See 4, test image")
    expect(link).to_be_visible()
    other = visit(url=str(link.evaluate("link => link.href")))  # as somebody else
    expect(other.caption).to_contain_text(f"and {other.link['anomalous_image']} of class 4.")
    assert other.link["anomalous"] == "4"


def test_rule_and_false_alarms_travel_between_the_pages(evaluate: Callable[..., Visit]) -> None:
    visitor = evaluate(rule="window", false_alarms="12")
    expect(visitor.page.get_by_text(re.compile("for the largest window .* 12 % of"))).to_be_visible()
    visitor.page.get_by_role("slider").press("End")
    expect(visitor.page.get_by_text("50 % of")).to_be_visible()
    visitor.page.locator(".st-key-rule").get_by_text("score", exact=True).click()
    expect(visitor.page.get_by_text("for the calibrated score")).to_be_visible()
    visitor.page.get_by_role("link", name="Compare", exact=True).click()
    expect(visitor.page.get_by_text("At 50 % false alarms")).to_be_visible()
    rule = visitor.page.get_by_role("combobox", name="An image is flagged by")
    expect(rule).to_have_value("score")

    visitor.choose("An image is flagged by", "window")
    visitor.page.get_by_role("spinbutton", name="False alarms").fill("20")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_text("At 20 % false alarms")).to_be_visible()
    visitor.page.get_by_role("link", name="Evaluate").click()
    expect(visitor.page.get_by_text(re.compile("for the largest window .* 20 % of"))).to_be_visible()
