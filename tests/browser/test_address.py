"""The address holds the whole choice: on every page, after a reload, and after Back and Forward."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DIGITS, wait_until

if TYPE_CHECKING:
    from tests.browser.conftest import Visit, Visitor

pytestmark = pytest.mark.browser

# In another order than the app writes, and with a value that only Compare has and one that only Evaluate has.
LINK = {"view": "rank", "pair": "7", "matrix": "new", "anomalous": "4", "dataset": DIGITS, "from": "mail"}
MARKER = ".st-key-matrix_figure .scatterlayer path.point"


def open_page(visitor: Visit, name: str) -> None:
    visitor.page.get_by_role("link", name=name, exact=True).click()


def expect_compare(visitor: Visit, link: dict[str, str]) -> None:
    expect(visitor.caption).to_contain_text(f"of class {link['anomalous']}.")
    expect(visitor.page.get_by_role("spinbutton", name="Pair seed")).to_have_value(link["pair"])
    expect(visitor.page.get_by_role("radio", name="rank")).to_be_checked()
    wait_until(lambda: visitor.link == link, visitor.page)


def expect_evaluate(visitor: Visit, link: dict[str, str]) -> None:
    expect(visitor.page).to_have_title("Evaluate · vaead")
    expect(visitor.page.get_by_role("combobox", name="Anomalous class")).to_have_value(link["anomalous"])
    expect(visitor.page.locator(MARKER).first).to_be_visible()
    wait_until(lambda: visitor.link == link, visitor.page)


def test_choice_stays_on_every_page_after_a_reload_and_back_and_forward(visit: Visitor) -> None:
    visitor = visit(**LINK)
    page = visitor.page
    expect_compare(visitor, LINK)
    open_page(visitor, "Evaluate")
    expect_evaluate(visitor, LINK)
    page.reload()
    expect_evaluate(visitor, LINK)
    page.go_back()
    expect_compare(visitor, LINK)
    page.go_forward()
    expect_evaluate(visitor, LINK)
    open_page(visitor, "Method")
    wait_until(lambda: visitor.page.url.split("?")[0].endswith("/method"), page)
    assert visitor.link == LINK
    page.go_back()
    expect_evaluate(visitor, LINK)
    page.go_back()
    expect_compare(visitor, LINK)


def test_back_undoes_one_step(visit: Visitor) -> None:
    visitor = visit(**LINK)
    page = visitor.page
    expect_compare(visitor, LINK)
    seen: list[str] = []
    for _ in range(2):
        visitor.button("Draw another pair").click()
        wait_until(lambda: visitor.link["pair"] not in ("7", *seen), page)
        seen.append(visitor.link["pair"])
    visitor.choose("Normal class", "2")  # changes the other class's default too, all in one step
    wait_until(lambda: visitor.link.get("normal") == "2", page)
    page.go_back()
    expect_compare(visitor, LINK | {"pair": seen[1]})
    page.go_back()
    expect_compare(visitor, LINK | {"pair": seen[0]})
    page.go_back()
    expect_compare(visitor, LINK)
    page.go_forward()
    expect_compare(visitor, LINK | {"pair": seen[0]})


def test_back_leaves_the_page_that_a_cell_of_the_matrix_opens(visit: Visitor) -> None:
    visitor = visit(path="evaluate", **LINK)
    expect_evaluate(visitor, LINK)
    marker = visitor.page.locator(MARKER).nth(9 + 4)  # row 1 without its diagonal: 0, 2, 3, 4, 5
    marker.scroll_into_view_if_needed()
    box = marker.bounding_box()
    assert box is not None
    visitor.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    link = visitor.page.get_by_role("link", name="See 1 and 5")
    expect(link).to_be_visible()
    visitor.page.goto(str(link.evaluate("link => link.href")))
    opened = {key: value for key, value in LINK.items() if key != "from"} | {"anomalous": "5"}
    expect_compare(visitor, opened)
    visitor.page.go_back()
    expect_evaluate(visitor, LINK)
