"""What five people do on the page, from end to end. Each leaves pictures in build/journeys to look at."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, wait_until

if TYPE_CHECKING:
    from tests.browser.conftest import Server, Visit, Visitor

pytestmark = pytest.mark.browser

PICTURES = Path(__file__).parents[2] / "build" / "journeys"
HAS_MNIST = bool(os.environ.get("VAEAD_DATA_DIR"))
LEAST_PROJECTED_PX = 320
LONGEST_ON_PHONE_PX = 2500


@pytest.fixture
def keep() -> Callable[[Visit, str], None]:
    """Keep a picture of the whole page under a name."""
    PICTURES.mkdir(parents=True, exist_ok=True)

    def take(visitor: Visit, name: str) -> None:
        height = visitor.page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        size = visitor.page.viewport_size
        visitor.page.set_viewport_size({"width": size["width"], "height": height})
        visitor.page.screenshot(path=PICTURES / f"{name}.png")
        visitor.page.set_viewport_size(size)

    return take


def desk(width: int, height: int, **settings: Any) -> dict[str, Any]:
    return {"viewport": {"width": width, "height": height}, **settings}


def settle(visitor: Visit) -> None:
    """Wait until nothing is drawn any more."""
    app = visitor.page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-script-state", "notRunning")


def test_engineer_follows_a_link_and_looks_whether_it_works_on_photos(visit: Visitor, keep: Callable) -> None:
    visitor = visit(anomalous="4", pair="7", view="rank")
    visitor.wait_for_maps()
    expect(visitor.caption).to_contain_text("of class 4.")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(
        re.compile("has only ever seen 1. Where does it find this 4 strange")
    )
    keep(visitor, "engineer 1 compare")
    chosen = visitor.link
    visitor.page.get_by_role("link", name="Evaluate").click()
    expect(visitor.page.get_by_test_id("stTable").first).to_contain_text("AUROC")
    assert visitor.link == chosen
    keep(visitor, "engineer 2 evaluate")
    visitor.page.get_by_role("link", name="Your images").click()
    expect(visitor.button("Try it with screw holes")).to_be_visible()
    keep(visitor, "engineer 3 your images")


def test_japanese_reader_looks_for_the_pairs_of_the_article(
    visit: Visitor, server: Server, keep: Callable
) -> None:
    visitor = visit(device=desk(1366, 900, locale="ja-JP", color_scheme="dark"), url=server.url)
    visitor.wait_for_maps()
    expect(visitor.page.locator("html")).to_have_attribute("lang", "ja")
    assert "lang" not in visitor.link
    expect(visitor.button("別の組を引く")).to_be_visible()
    if HAS_MNIST:
        visitor.page.locator(".st-key-stories").get_by_test_id("stBaseButton-tertiary").last.click()
        expect(visitor.page).to_have_url(re.compile("normal=7"))
        visitor.wait_for_maps()
    keep(visitor, "reader 1 compare")
    visitor.page.get_by_role("link", name="手法").click()
    expect(visitor.page.locator(".js-plotly-plot").first).to_be_visible()
    keep(visitor, "reader 2 method")


def test_teacher_passes_a_phone_around(visit: Visitor, keep: Callable) -> None:
    visitor = visit(device=PHONE)
    visitor.wait_for_maps()
    for box in visitor.map_boxes():
        assert box["width"] > 130
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    assert visitor.widths == [390, 390]
    height = visitor.page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    assert height < LONGEST_ON_PHONE_PX
    assert visitor.texts_over_figures == []
    verdict = visitor.page.locator(".st-key-verdict")
    visitor.button("Draw another pair").tap()
    expect(visitor.page).to_have_url(re.compile("pair="))
    expect(verdict).to_contain_text("On this pair")
    settle(visitor)
    visitor.maps.nth(3).scroll_into_view_if_needed()
    box = visitor.map_boxes()[3]
    visitor.page.touchscreen.tap(box["x"] + 60, box["y"] + 60)
    expect(visitor.page).to_have_url(re.compile("window="))
    keep(visitor, "phone")


def test_teacher_shows_it_on_a_projector(visit: Visitor, server: Server, keep: Callable) -> None:
    link = {"url": f"{server.url}?lesson=complex"} if HAS_MNIST else {}
    visitor = visit(device=desk(1920, 1080, color_scheme="dark", locale="en-US"), **link)
    visitor.wait_for_maps()
    # A figure without the room of its colour bars may last on a busy machine.
    wait_until(lambda: min(box["width"] for box in visitor.map_boxes()) >= LEAST_PROJECTED_PX, visitor.page)
    sizes = visitor.figure.locator(".annotation-text").evaluate_all(
        "texts => texts.map(text => parseFloat(getComputedStyle(text).fontSize))"
    )
    assert min(sizes) >= 16
    assert visitor.texts_over_figures == []
    keep(visitor, "projector")


def test_someone_without_a_mouse_hears_what_changes(visit: Visitor, keep: Callable) -> None:
    visitor = visit()
    visitor.wait_for_maps()
    page = visitor.page
    spoken = page.locator(".st-key-verdict[aria-live=polite]")
    expect(spoken).to_contain_text("On this pair")
    draw = page.get_by_role("button", name="Draw another pair", exact=True)
    outlines = {}
    for _ in range(25):
        page.keyboard.press("Tab")
        if draw.evaluate("button => button === document.activeElement"):
            break
        name, outline = page.evaluate(
            "[document.activeElement.innerText, getComputedStyle(document.activeElement).outlineStyle]"
        )
        outlines[name] = outline
    else:
        pytest.fail("25 stops and no button")
    assert outlines["Evaluate"] == "solid"
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("pair="))
    expect(spoken).to_contain_text("On this pair")
    settle(visitor)
    field = page.get_by_role("spinbutton", name="Window")
    field.fill("20")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("window=20"))
    page.keyboard.press("ArrowUp")
    expect(page).to_have_url(re.compile("window=21"))
    keep(visitor, "keyboard")
    page.get_by_role("link", name="Skip to main content").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#stMain")).to_be_focused()
