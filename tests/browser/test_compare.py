"""The page Compare in a real browser: drawn pictures, controls, address, clicks and hover."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.browser.conftest import Server, Visit, Visitor

pytestmark = pytest.mark.browser

# Decodes the drawn pictures and counts their colours.
COUNT_COLOURS = """images => Promise.all(images.map(async image => {
    const picture = new Image();
    picture.src = image.href.baseVal;
    await picture.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [picture.width, picture.height];
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0);
    const pixels = new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    return new Set(pixels).size;
}))"""


def test_first_visit_shows_all_heatmaps_with_alternative_texts_without_a_click(
    visit: Visitor, server: Server
) -> None:
    visitor = visit(url=server.url)
    visitor.wait_for_maps()
    colours = visitor.maps.evaluate_all(COUNT_COLOURS)
    assert len(colours) == 8
    assert min(colours) >= 10
    expect(visitor.page.locator(".js-plotly-plot")).to_have_count(3)
    for text in (r"Test images .+ \(normal\) and", "The window, what the network", "Terms and scores of"):
        expect(visitor.page.get_by_role("figure", name=re.compile(f"^{text}"))).to_be_visible()


@pytest.mark.skipif(bool(os.environ.get("VAEAD_DATA_DIR")), reason="VAEAD_DATA_DIR is set: MNIST can be had")
def test_without_mnist_a_notice_says_why(visit: Visitor, server: Server) -> None:
    visitor = visit(url=server.url)
    visitor.wait_for_maps()
    expect(visitor.alerts).to_contain_text("MNIST could not be had")
    expect(visitor.button("Try again")).to_be_visible()


def test_draw_changes_picture_and_address(visit: Visitor, wait_until: Callable) -> None:
    visitor = visit()
    visitor.wait_for_maps()
    seen = []
    for _ in range(3):  # two seeds may draw the same pair, three hardly
        before = visitor.page.url
        visitor.button("Draw another pair").click()
        wait_until(lambda before=before: visitor.page.url != before, visitor.page)
        seed = visitor.link["pair"]
        expect(visitor.page.get_by_role("spinbutton", name="Pair seed")).to_have_value(seed)
        seen.append(visitor.caption.inner_text())
    assert len(set(seen)) > 1


def test_address_shows_the_same_picture_to_someone_else(visit: Visitor, wait_until: Callable) -> None:
    visitor = visit()
    visitor.wait_for_maps()
    visitor.choose("Anomalous class", "6")
    expect(visitor.caption).to_contain_text("of class 6.")
    visitor.button("Draw another pair").click()
    wait_until(lambda: "pair" in visitor.link, visitor.page)
    expect(visitor.page.get_by_role("spinbutton", name="Pair seed")).to_have_value(visitor.link["pair"])

    other = visit(url=visitor.page.url, device={"locale": "en-US"})
    other.wait_for_maps()
    values = "gd._fullData.slice(0, 8).map(trace => (trace.customdata ?? trace.z).map(row => [...row]))"
    wait_until(lambda: other.plotly(values) == visitor.plotly(values), visitor.page)
    assert other.caption.inner_text() == visitor.caption.inner_text()
    expect(other.alerts).to_have_count(0)


def test_address_follows_when_another_normal_class_changes_the_default(
    visit: Visitor, wait_until: Callable
) -> None:
    # Beside normal class 1 the 9 is the default and not in the address; beside class 2 it must be.
    visitor = visit()
    visitor.wait_for_maps()
    visitor.choose("Normal class", "2")
    wait_until(lambda: visitor.link.get("anomalous") == "9", visitor.page)
    assert visitor.link["normal"] == "2"


def test_click_in_the_gallery_picks_an_image(visit: Visitor) -> None:
    visitor = visit()
    visitor.wait_for_maps()
    visitor.button("Pick images").click()
    gallery = visitor.page.get_by_role("figure", name="Anomalous test image")
    tiles = gallery.locator(".scatterlayer path.point")
    expect(tiles).to_have_count(24)
    tile = tiles.nth(10).bounding_box()
    assert tile is not None
    visitor.page.mouse.click(tile["x"] + tile["width"] / 2, tile["y"] + tile["height"] / 2)
    expect(visitor.caption).to_contain_text("and 10 of class 9.")
    assert visitor.link["anomalous_image"] == "10"


def test_hover_shows_pixel_value_and_unit(visit: Visitor) -> None:
    visitor = visit(view="mean")
    visitor.wait_for_maps()
    box = visitor.map_boxes()[5]
    pixel_px = box["width"] / 28
    visitor.page.mouse.move(box["x"] + 9 * pixel_px, box["y"] + 21 * pixel_px)
    pixel, value = visitor.figure.locator(".hoverlayer .nums .line").all()
    expect(pixel).to_have_text("row 20, column 8")
    expect(value).to_have_text(re.compile(r"^\S+ nats$"))
    shown = float((value.text_content() or "").removesuffix(" nats").replace("−", "-"))
    assert shown == pytest.approx(visitor.plotly("gd._fullData[5].z[20][8]"), rel=6e-3)


def test_click_on_a_map_opens_the_window_there(visit: Visitor, wait_until: Callable) -> None:
    visitor = visit()
    visitor.wait_for_maps()
    box = visitor.map_boxes()[3]  # calibrated, of the normal image
    x, y = box["x"] + 0.4 * box["width"], box["y"] + 0.4 * box["height"]
    visitor.page.mouse.click(x, y)
    wait_until(lambda: "window" in visitor.link, visitor.page)
    expect(visitor.page.get_by_text("rows 6 to 13, columns 6 to 13 of the normal image")).to_be_visible()
    assert visitor.plotly("gd._fullLayout.shapes.filter(shape => shape.line.width == 2.5).length") == 4
    field = visitor.page.get_by_role("spinbutton", name="Window")
    number = int(field.input_value())
    field.press("ArrowUp")  # for those without a mouse
    wait_until(lambda: visitor.link.get("window") == str(number + 1), visitor.page)


def test_strokes_change_the_maps_and_the_link_shows_them(visit: Visitor, wait_until: Callable) -> None:
    visitor = visit(instead="edited")
    visitor.wait_for_maps()
    canvas = visitor.page.get_by_role("application", name="The second image")
    before = _last_map(visitor)
    box = canvas.bounding_box()
    assert box is not None
    visitor.page.mouse.move(box["x"] + 20, box["y"] + 20)
    visitor.page.mouse.down()
    visitor.page.mouse.move(box["x"] + 150, box["y"] + 120, steps=5)
    visitor.page.mouse.up()
    wait_until(lambda: "drawing" in visitor.link and _last_map(visitor) != before, visitor.page)

    painted, drawing = _last_map(visitor), visitor.link["drawing"]
    canvas.press("ArrowLeft")
    canvas.press("Space")
    wait_until(lambda: visitor.link["drawing"] != drawing, visitor.page)
    visitor.button("Undo").click()
    wait_until(lambda: visitor.link["drawing"] == drawing, visitor.page)

    other = visit(url=visitor.page.url, device={"locale": "en-US"})
    other.wait_for_maps()
    assert _last_map(other) == painted


def _last_map(visitor: Visit) -> str | None:
    return visitor.maps.last.get_attribute("href")
