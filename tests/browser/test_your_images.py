"""The page "Your images" with real files and a real, short training."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import Dialog, expect

from vaead.data.screws.generator import make_screw

if TYPE_CHECKING:
    from tests.browser.conftest import Visit, Visitor

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
TRAINED_S, DRAWN_S = 120.0, 60.0
MIDDLE_OF_OVERLAY = """figure => {
    const plot = figure.closest(".js-plotly-plot") || figure.querySelector(".js-plotly-plot");
    const { xaxis2: x, yaxis2: y } = plot._fullLayout, at = plot.getBoundingClientRect();
    return [at.x + x._offset + x._length / 2, at.y + y._offset + y._length / 2];
}"""


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """Six normal images, and two to judge of which one has a defect."""
    folder = tmp_path / "parts"
    for name, count, defect in (("normal", 6, None), ("judged", 1, None), ("judged", 1, "stain")):
        for number in range(count):
            file = folder / name / f"{defect or 'fine'} {number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            index = number + 100 * (name == "judged")
            Image.fromarray(make_screw(3, index, defect, scale=0.25).image).save(file)
    return folder


def open_page(visit: Visitor) -> Visit:
    visitor = visit(path="images")
    expect(visitor.page.get_by_test_id("stFileUploader").first).to_be_visible()
    return visitor


def upload(visitor: Visit, number: int, files: list[Path] | Path, said: str) -> None:
    """Give files to one of the two file choosers, and wait for what the page says of them."""
    visitor.page.locator("input[type=file]").nth(number).set_input_files(files)
    expect(visitor.page.get_by_text(said)).to_be_visible()


def test_demo_shows_what_is_found_without_a_training(visit: Visitor) -> None:
    visitor = open_page(visit)
    visitor.button("Try it with screw holes").click()
    figure = visitor.page.locator(".st-key-own_maps").get_by_role("figure")
    # The image twice, the overlay, the mask and a map of each score.
    expect(figure.locator(".heatmaplayer image")).to_have_count(7, timeout=1000 * DRAWN_S)
    expect(visitor.page.get_by_text("By a model that comes with vaead")).to_be_visible()
    decision = re.compile("its calibrated score .* is above the threshold .* of 30 calibration images")
    expect(visitor.page.get_by_text(decision)).to_be_visible()
    expect(visitor.page.get_by_text("The window where the calibrated score is highest")).to_be_visible()
    figure.scroll_into_view_if_needed()
    visitor.page.mouse.click(*figure.evaluate(MIDDLE_OF_OVERLAY))
    expect(visitor.page.get_by_text("The window that you picked")).to_be_visible(timeout=1000 * DRAWN_S)
    assert visitor.server.trainings() == []


def test_own_images_are_uploaded_trained_on_and_judged(visit: Visitor, parts: Path) -> None:
    visitor = open_page(visit)
    (parts / "notes.png").write_text("no image")
    upload(visitor, 0, [*sorted((parts / "normal").iterdir()), parts / "notes.png"], "6 normal ·")
    expect(visitor.page.get_by_text("Left out: 1")).to_be_visible()
    upload(visitor, 1, sorted((parts / "judged").iterdir()), "2 to test ·")

    for name, value in (("Epochs", "3"), ("Crops", "12800")):
        visitor.page.get_by_role("spinbutton", name=name).fill(value)
        visitor.page.keyboard.press("Enter")
    visitor.button("Train this model").click()
    figure = visitor.page.locator(".st-key-own_maps").get_by_role("figure")
    expect(figure.locator(".heatmaplayer image")).to_have_count(7, timeout=1000 * TRAINED_S)
    tiles = visitor.page.locator(".st-key-own_gallery").get_by_role("button")
    expect(visitor.page.locator(".st-key-own_gallery img")).to_have_count(2)

    decision = visitor.page.get_by_text("its calibrated score").first
    before = decision.text_content()
    tiles.last.click()
    expect(decision).not_to_have_text(before or "")
    with visitor.page.expect_download() as download:
        visitor.button("Model (ZIP)").click()
    packed = zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())).namelist()
    assert {"model/card.json", "model/golden.json", "model/score.py"} < set(packed)


def test_folder_with_a_dataset_brings_both_kinds(visit: Visitor, parts: Path) -> None:
    (parts / "train").mkdir()
    (parts / "normal").rename(parts / "train" / "good")
    (parts / "test").mkdir()
    (parts / "judged").rename(parts / "test" / "mixed")
    visitor = open_page(visit)
    visitor.page.get_by_text("A folder").click()
    expect(visitor.page.locator("input[webkitdirectory]")).to_have_count(2)
    upload(visitor, 0, parts, "6 normal ·")
    expect(visitor.page.get_by_text("2 to test ·")).to_be_visible()


def test_uploads_are_taken_in_although_others_are_and_buttons_are_clicked(
    visit: Visitor, parts: Path
) -> None:
    many = []
    for number in range(4):
        image = Image.open(parts / "normal" / f"fine {number}.png").resize((4000, 3000))
        many += [parts / f"large {number}.png", parts / f"the same {number}.png"]
        for file in many[-2:]:
            image.save(file, compress_level=1)
    visitor = open_page(visit)
    upload(visitor, 0, many, "Reading image")
    visitor.page.locator("input[type=file]").nth(1).set_input_files(sorted((parts / "judged").iterdir()))
    visitor.page.get_by_text("A folder").first.click()
    expect(visitor.page.get_by_text("8 normal ·")).to_be_visible(timeout=1000 * DRAWN_S)
    expect(visitor.page.get_by_text("2 to test ·")).to_be_visible()


def test_session_is_kept_and_opened_again_and_a_reload_asks_before_all_is_lost(
    visit: Visitor, parts: Path, tmp_path: Path
) -> None:
    visitor = open_page(visit)
    page = visitor.page
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", leave)
    expect(visitor.button("Try it with screw holes")).to_be_visible()
    page.reload()
    upload(visitor, 0, sorted((parts / "normal").iterdir()), "6 normal ·")
    page.get_by_role("link", name="Method").click()
    expect(page.get_by_role("heading", name="Method", exact=True)).to_be_visible()
    page.get_by_role("link", name="Your images").click()
    expect(page.get_by_text("6 normal ·")).to_be_visible()
    assert asked == []
    visitor.button("Save session").click()
    with page.expect_download() as download:
        visitor.button("Download the session").click()
    download.value.save_as(tmp_path / "kept.zip")
    page.reload()
    visitor.button("Open a session").click()
    assert asked == ["beforeunload"]
    upload(visitor, -1, tmp_path / "kept.zip", "6 normal ·")
    page.get_by_text("Look through all, move or remove").click()
    visitor.button("Move fine 0.png to the test images").click()
    expect(page.get_by_text("5 normal ·")).to_be_visible()
    expect(page.get_by_text("1 to test ·")).to_be_visible()


def test_model_that_was_downloaded_judges_without_normal_images(
    visit: Visitor, parts: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model.zip"
    with zipfile.ZipFile(model, "w") as archive:
        for file in (ROOT / "models" / "screws" / "industrial").iterdir():
            archive.write(file, f"model/{file.name}")
    visitor = open_page(visit)
    upload(visitor, 1, sorted((parts / "judged").iterdir()), "2 to test ·")
    visitor.button("Use a model downloaded here").click()
    upload(visitor, -1, model, "By the model that you brought")
    figure = visitor.page.locator(".st-key-own_maps").get_by_role("figure")
    expect(figure.locator(".heatmaplayer image")).to_have_count(7, timeout=1000 * DRAWN_S)
    expect(visitor.page.get_by_text("A model as a ZIP")).not_to_be_visible()


def test_boxes_are_drawn_and_moved_with_the_mouse(visit: Visitor, parts: Path) -> None:
    visitor = open_page(visit)
    upload(visitor, 0, sorted((parts / "normal").iterdir())[:2], "2 normal ·")
    visitor.page.get_by_text("Leave regions out").click()
    board = visitor.page.get_by_role("application")

    def drag(*places: tuple[int, int]) -> None:
        start, end = ({"x": x, "y": y} for x, y in places)
        board.hover(position=start)  # waits until the board stands still
        visitor.page.mouse.down()
        board.hover(position=end)
        visitor.page.mouse.up()

    box = board.locator(".box")
    board.scroll_into_view_if_needed()
    drag((20, 20), (140, 100))
    expect(box).to_have_css("width", "120px")
    drag((40, 40), (60, 50))
    expect(box).to_have_css("left", "40px")
    expect(box).to_have_css("width", "120px")
    visitor.page.get_by_role("button", name="Remove box").click()
    expect(box).to_have_count(0)
