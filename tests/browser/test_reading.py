"""The pages for those who read with a screen reader, with a keyboard, or in Japanese."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import DIGITS, PHONE, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.browser.conftest import Visit, Visitor

pytestmark = pytest.mark.browser

PAGES = ("", "evaluate", "images", "method")
READY = {
    "": ".st-key-comparison .heatmaplayer image",
    "evaluate": ".st-key-matrix_figure .scatterlayer path.point",
    "images": "[data-testid=stFileUploader]",
    "method": "#wins",
}

# Names, units and file formats, which are the same in Japanese.
SAME_IN_JAPANESE = (
    *("English", "vaead", "MNIST", "Fashion", "scikit", "learn", "Cividis", "Viridis", "arXiv"),
    *("AUROC", "AUPR", "ROC", "ELBO", "nat", "mu", "sigma", "px", "MB", "GB"),
    *("CSV", "ZIP", "PNG", "JPEG", "BMP", "TIFF", "WebP", "MVTec", "AD", "LOCO", "VisA", "BTAD"),
)

# Everything that can be read or is read out, but what code calls the layers of the network.
READ = """() => {
    const found = [document.title];
    const names = ["aria-label", "alt", "title", "placeholder"];
    const seen = e =>
        e && !e.closest("script, style, noscript, [aria-hidden=true], [data-testid=stDataFrame]");
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) if (seen(texts.currentNode.parentElement)) found.push(texts.currentNode.data);
    for (const e of document.querySelectorAll(names.map(name => `[${name}]`)))
        if (seen(e)) found.push(...names.map(name => e.getAttribute(name) ?? ""));
    for (const e of document.querySelectorAll("input[role=combobox]")) found.push(e.value);
    return found.filter(text => text.trim());
}"""


def open_each(visitor: Visit) -> Iterator[str]:
    for name in PAGES:
        visitor.page.locator(f"[data-testid=stTopNavLink][href$='/{name}'], [href*='/{name}?']").first.click()
        settle(visitor.page, name)
        yield name


def settle(page: Page, name: str) -> None:
    expect(page.locator(READY[name]).first).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


# Contrast is the same in both languages, and names are the same in both schemes.
def test_pages_have_names_headings_and_contrast(visit: Visitor) -> None:
    visitor = visit(device={"locale": "en", "color_scheme": "light"})
    visitor.wait_for_maps()
    for name in open_each(visitor):
        assert serious_faults(visitor.page) == [], name
        require_headings(visitor.page)
        require_names(visitor.page)


def test_japanese_page_is_japanese_with_contrast_in_the_dark(visit: Visitor) -> None:
    visitor = visit(device={"locale": "ja", "color_scheme": "dark"})
    visitor.wait_for_maps()
    page = visitor.page
    found: set[tuple[str, str]] = set()

    def read(where: str) -> None:
        texts = page.evaluate(READ)
        found.update((where, text) for text in texts if words(text))

    for name in open_each(visitor):
        assert serious_faults(page) == [], name
        if name == "method":
            continue  # one text, which quotes English titles
        open_details(page)
        for tab in page.get_by_role("tab").all():
            tab.click()
            settle(page, name)
            read(name)
        for control in page.get_by_role("combobox").all():
            # A list closes when anything below it is drawn.
            wait_until(lambda control=control: page.get_by_role("option").count() or control.click(), page)
            read(f"{name}: options")
            page.keyboard.press("Escape")
        read(name)
    assert found == set()


def open_details(page: Page) -> None:
    for index in range(page.locator("details").count()):
        box = page.locator("details").nth(index)
        if box.get_attribute("open") is None:
            box.locator("summary").first.click()


def serious_faults(page: Page) -> list[tuple[str, str]]:
    """What axe finds, with all boxes open."""
    open_details(page)
    faults: list[dict[str, Any]] = Axe().run(page).response["violations"]
    serious = [fault for fault in faults if fault["impact"] in ("serious", "critical")]
    return [(fault["id"], node["html"]) for fault in serious for node in fault["nodes"]]


def require_headings(page: Page) -> None:
    levels = page.locator("h1, h2, h3, h4").evaluate_all("all => all.map(each => +each.tagName[1])")
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def require_names(page: Page) -> None:
    pictures = page.get_by_test_id("stImage").get_by_role("img")
    names = pictures.evaluate_all("all => all.map(e => e.alt)")
    assert all(re.search("[a-z]{4}", name or "") for name in names)
    icons = page.locator("[data-testid=stIconMaterial]:not([aria-hidden=true] *)")
    assert icons.evaluate_all("all => all.filter(each => each.ariaHidden !== 'true').length") == 0


def words(text: str) -> list[str]:
    plain = re.sub(r"https?://\S+|arXiv:\S+", "", text)
    return [word for word in re.findall(r"[A-Za-z]{2,}", plain) if word not in SAME_IN_JAPANESE]


def test_new_verdict_is_read_out(visit: Visitor) -> None:
    visitor = visit()
    visitor.wait_for_maps()
    expect(visitor.page.locator(".st-key-verdict[aria-live=polite]")).to_contain_text("On this pair")
    visitor.page.get_by_text("日本語", exact=True).click()
    expect(visitor.page.locator("html")).to_have_attribute("lang", "ja")
    expect(visitor.page.locator(".st-key-verdict[aria-live=polite]")).to_contain_text("この組では")
    expect(visitor.page.get_by_role("navigation", name="ページ")).to_be_visible()
    visitor.page.get_by_text("English", exact=True).click()
    expect(visitor.page.get_by_role("navigation", name="App pages")).to_be_visible()


def test_tip_does_not_stand_in_the_way_of_the_navigation(visit: Visitor) -> None:
    visitor = visit()
    visitor.wait_for_maps()
    page = visitor.page
    tip = page.get_by_test_id("stTooltipContent")
    page.locator(".st-key-definitions").get_by_test_id("stTooltipHoverTarget").first.hover()
    expect(tip).to_be_visible()
    place = tip.bounding_box()
    assert place is not None
    under = "([x, y]) => document.elementFromPoint(x, y).closest('[data-testid=stTooltipContent]') === null"
    assert page.evaluate(under, [place["x"] + place["width"] / 2, place["y"] + place["height"] / 2])
    page.get_by_role("link", name="Evaluate").click()
    expect(page).to_have_title("Evaluate · vaead")
    expect(tip).to_have_count(0)


def test_phone_shows_the_pages_without_a_sideways_scroll(visit: Visitor) -> None:
    visitor = visit(device=PHONE | {"locale": "en"})
    visitor.wait_for_maps()
    page = visitor.page
    height = "document.querySelector('.stMainBlockContainer').getBoundingClientRect().height"
    assert page.evaluate(height) < 2500
    links = page.locator(".st-key-pages").get_by_role("link")
    expect(links).to_have_text(["Compare", "Evaluate", "Your images", "Method"])
    for index, name in enumerate(PAGES):
        links.nth(index).tap()
        settle(page, name)
        assert max(visitor.widths) <= 390, name
        expect(links).to_have_count(len(PAGES))
        expect(links.first).to_be_in_viewport()
        assert visitor.link["dataset"] == DIGITS
