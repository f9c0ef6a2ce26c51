"""The page "Your images" in Streamlit's own test harness, with small scripts in place of the training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.ui.your_images.helpers import (
    SUCCEED,
    OwnPage,
    Start,
    mask,
    png,
    screw,
    screws,
    scripted_training,
    small_demo,
    wait_for_end,
    zipped,
)
from vaead.data.photos import Limits
from vaead.data.screws.generator import make_screw
from vaead.ui.your_images.why import Chosen


@pytest.fixture(autouse=True)
def _small_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    small_demo(monkeypatch)


@pytest.fixture
def start(tmp_path: Path, photo_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Make the page train with a script."""
    yield from scripted_training(tmp_path, photo_model, monkeypatch)


@pytest.fixture
def results(start: Start) -> OwnPage:
    """The page with the demo's images judged."""
    jobs = start(SUCCEED)
    page = OwnPage()
    page.click("own_demo")
    page.click("own_train")
    wait_for_end(jobs)
    page.run()
    return page


def test_first_visit_offers_uploads_and_the_demo_and_says_the_limits() -> None:
    page = OwnPage()
    assert [uploader.label for uploader in page.app.file_uploader] == [
        "**Normal images**, to learn from",
        "**Test images**, to look for anomalies",
        "A session as a ZIP",
    ]
    assert page.has_button("own_demo")
    assert "2,000 images and 500 MB" in page.said
    assert page.titles == ["1. Bring images"]


def test_a_folder_can_be_uploaded() -> None:
    page = OwnPage()
    page.app.segmented_control(key="own_kind").set_value("directory")
    page.run()
    assert [uploader.accept_directory for uploader in page.app.file_uploader] == [True, True, False]


def test_demo_brings_images_with_labels_and_masks() -> None:
    page = OwnPage()
    page.click("own_demo")
    assert page.titles == [
        "1. Images: 4 normal, 7 to test",
        "2. Train a model on the normal images, or bring one",
    ]
    assert "**7 to test** · 320x240 px · grey · 5 with masks" in page.said
    assert (page["own_scale"], page["own_patch"], page["own_stride"]) == (0.5, 32, 5)


def test_uploads_are_counted_and_settings_suit_their_size() -> None:
    page = OwnPage()
    page.upload("normal", *screws(3, scale=0.5))
    page.upload("test", *screws(2, scale=0.5))
    assert "**3 normal** · 320x240 px · grey" in page.said
    assert page.titles[0] == "1. Images: 3 normal, 2 to test"
    assert (page["own_scale"], page["own_patch"], page["own_stride"]) == (0.5, 32, 5)
    page.set_number("own_scale", 1.0)
    page.set_number("own_stride", 3)
    assert (page["own_patch"], page["own_stride"]) == (32, 3)
    assert any(
        "the longer side of the images becomes 160 of 320 px" in text for text in page.said.splitlines()
    )


def test_zip_in_the_layout_of_mvtec_brings_both_kinds_wherever_it_is_put() -> None:
    page = OwnPage()
    files = {f"parts/train/good/{index}.png": screw(index) for index in range(3)}
    files |= {"parts/test/good/0.png": screw(7), "parts/test/chip/0.png": screw(8, "chip")}
    page.upload("test", zipped(files | {"parts/ground_truth/chip/0_mask.png": mask(8, "chip")}))
    assert page.titles[0] == "1. Images: 3 normal, 2 to test"
    assert "1 with masks" in page.said


def test_bad_files_are_named_with_their_reasons_and_the_others_go_on() -> None:
    page = OwnPage()
    bomb = zipped({"bomb.png": b"\0" * 50_000_000})
    page.upload("normal", ("note.png", b"just text", "image/png"), bomb, *screws(2))
    assert page.titles[0] == "1. Images: 2 normal, 0 to test"
    assert "content of no known image format" in page.rejected["note.png"]
    assert "must unpack to at most 200 times its packed size" in page.rejected["bomb.png"]
    page.upload("test", ("broken.zip", b"PK no zip", "application/zip"))
    assert "must be a complete ZIP file" in page.rejected["broken.zip"]
    assert page.has_button("own_train")


def test_upload_of_too_much_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaead.ui.your_images.own_photos.VISITOR_LIMITS", Limits(upload_images=3))
    page = OwnPage()
    page.upload("normal", *screws(5))
    assert page.errors[0].replace("\\", "").startswith("images must be at most 3, got 4")
    assert page.titles[0] == "1. Images: 3 normal, 0 to test"


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (screws(1), "normal images must be at least 2, got 1"),
        ([(f"{name}.png", screw(0), "image/png") for name in "abc"], "normal images must differ, got 3"),
    ],
)
def test_normal_images_that_teach_nothing_cannot_be_trained_on(files: list, problem: str) -> None:
    page = OwnPage()
    page.upload("normal", *files)
    assert page.errors[0].startswith(problem)
    assert not page.has_button("own_train")


def test_images_smaller_than_a_patch_are_left_out() -> None:
    page = OwnPage()
    page.upload("normal", ("tiny.png", png(np.zeros((9, 12), np.uint8)), "image/png"), *screws(2))
    assert ["1 images, such as `tiny.png` (12x9 px)" in warning for warning in page.warnings] == [True]
    assert page.has_button("own_train")


def test_settings_are_those_of_the_preset_until_they_are_changed() -> None:
    page = OwnPage()
    page.click("own_demo")
    assert (page["own_scale"], page["own_patch"], page["own_stride"]) == (0.5, 32, 5)
    page.select("own_patch", 24)
    page.set_number("own_epochs", 3)
    assert (page["own_scale"], page["own_patch"], page["own_epochs"]) == (0.5, 24, 3)


def test_patch_sizes_are_multiples_of_4_and_the_stride_follows() -> None:
    page = OwnPage()
    page.click("own_demo")
    (control,) = (each for each in page.app.selectbox if each.key == "own_patch")
    assert [int(option) for option in control.options] == list(range(4, 129, 4))
    page.set_number("own_stride", 20)
    page.select("own_patch", 16)
    assert (page["own_stride"], page.errors) == (16, [])


def test_images_of_another_resolution_are_told() -> None:
    page = OwnPage()
    page.upload("normal", *screws(2))
    page.upload("test", *screws(1), ("large.png", screw(5, scale=0.5), "image/png"))
    assert [warning.partition(" px")[0] for warning in page.warnings] == [
        "1 of the test images, such as `large.png` (320x240"
    ]


def test_colours_are_offered_where_there_are_some() -> None:
    page = OwnPage()
    page.upload("normal", *screws(2))
    assert [control.key for control in page.app.segmented_control if control.key == "own_color"] == []
    red = np.zeros((60, 80, 3), np.uint8)
    red[..., 0] = 200
    page.upload("normal", ("red.png", png(red), "image/png"))
    assert page["own_color"] == "rgb"


def test_results_are_sorted_by_score_with_metrics_and_one_image_in_full(results: OwnPage) -> None:
    assert results.titles[-1] == "3. What it finds"
    values = [float(tile.label.replace(",", "")) for tile in results.tiles]
    assert len(values) == 7
    assert values == sorted(values, reverse=True)
    rows = results.app.table[0].value.to_dict("list")["Metric"]
    assert rows == ["Image AUROC", "Best F1", "Pixel AUROC", "AUPRO"]
    defects = results.app.table[1].value.to_dict("list")["Defect"]
    assert defects == ["scratch", "chip at the rim", "stain", "broken thread", "foreign particle", "all"]
    assert len(results.figure("own_maps_figure")["data"]) >= 7
    assert "Label: " in results.said


def test_simple_methods_stand_beside_the_scores_when_asked_for(results: OwnPage) -> None:
    results.click("own_baselines")
    table = results.app.table[0].value.to_dict("list")
    assert list(table)[1:] == ["old", "new", "calibrated", "Brightness", "Nearest patch", "Per place"]
    assert table["Per place"][2:] == ["–", "–"]
    assert "the network adds nothing" in results.said
    assert not any(button.key == "own_baselines" for button in results.app.button)


def framed(page: OwnPage) -> tuple[float, ...]:
    """Left and top of the window that is framed in the first panel."""
    shape = page.figure("own_maps_figure")["layout"]["shapes"][0]
    return shape["x0"] + 0.5, shape["y0"] + 0.5


def test_worst_window_is_explained_until_another_one_is_picked(results: OwnPage) -> None:
    assert "The window where the calibrated score is highest" in results.said
    assert "To the network, " in results.said
    assert len(results.figure("own_window_pictures_figure")["data"]) == 4
    own = results["_own"].results
    shown = next(photo for photo in own.scored if photo.name in results.figure("own_maps_figure")["alt"])
    grid = own.prediction(shown, 0.05).terms.grid
    worst = framed(results)
    picked = Chosen.current(own, shown, "calibrated", own.prediction(shown, 0.05))
    assert worst == (picked.frame[1], picked.frame[0])
    of = str(own.folder), str(shown.path), "calibrated"
    results.app.session_state["own_window"] = of, grid.number((0, 1))
    results.run()
    assert framed(results) == (grid.col_starts[1], 0)
    assert "The window that you picked" in results.said
    results.click("own_tile_3")
    assert "The window where the calibrated score is highest" in results.said


def test_click_into_the_overlay_tells_a_window_that_counts(results: OwnPage) -> None:
    targets = results.figure("own_maps_figure")["data"][-1]
    assert (targets["type"], targets["xaxis"]) == ("scatter", "x2")
    assert 0 < len(targets["x"]) < 3_000


def test_a_click_shows_another_image(results: OwnPage) -> None:
    before = results.figure("own_maps_figure")["alt"]
    results.click("own_tile_3")
    assert results.figure("own_maps_figure")["alt"] != before


def test_false_alarm_rate_decides_how_many_are_flagged(results: OwnPage) -> None:
    normal = make_screw(0, 2, scale=0.5).image.astype(np.uint16)
    brighter = [np.minimum(normal + levels, 255).astype(np.uint8) for levels in range(0, 28, 4)]
    results.upload(
        "test", *((f"{number}.png", png(image), "image/png") for number, image in enumerate(brighter))
    )

    def flagged(percent: float) -> int:
        results.app.select_slider(key="own_rate").set_value(percent)
        results.run()
        count = sum(bool(tile.icon) for tile in results.tiles)
        assert f"**{count} of 14 flagged**" in results.said
        return count

    few = flagged(1)
    assert flagged(50) > few


def test_threshold_is_shown_among_normal_images_and_those_to_judge(results: OwnPage) -> None:
    bars, ticks = results.figure("own_histogram")["data"]
    assert (bars["type"], ticks["type"]) == ("bar", "scatter")
    assert "of 7 images to judge lie above" in results.figure("own_histogram")["alt"]
    assert "at most 50 false alarms in 1,000 normal images" in results.said
    results.app.select_slider(key="own_rate").set_value(0.5)
    results.run()
    assert "at most 5 false alarms in 1,000 normal images" in results.said


def test_images_added_later_are_judged_by_the_same_model(results: OwnPage) -> None:
    results.upload(
        "test", ("new.png", screw(99), "image/png"), ("tiny.png", png(np.zeros((9, 9), np.uint8)), "")
    )
    assert len(results.tiles) == 8
    assert "must be at least 24x24 px" in results.rejected["tiny.png"]


def test_visitors_do_not_see_each_other_s_images(results: OwnPage) -> None:
    assert OwnPage().titles == ["1. Bring images"]


def test_remove_all_leaves_nothing_behind(results: OwnPage) -> None:
    folder = results["_own"].photos.folder
    assert any(folder.iterdir())
    results.click("own_clear")
    assert results.titles == ["1. Bring images"]
    assert not folder.exists()


def test_reasons_are_told_in_japanese() -> None:
    page = OwnPage(lang="日本語")
    page.upload("normal", ("note.png", b"just text", "image/png"), *screws(1))
    (reasons,) = (table.value.to_dict("list")["理由"] for table in page.app.table)
    assert "既知の画像形式ではありません" in reasons[0]
    assert page.errors == [
        "正常画像が 1 枚しかありません。少なくとも 2 枚、できれば 20 枚以上用意してください。"
    ]


def test_page_speaks_japanese(start: Start) -> None:
    page = OwnPage(lang="日本語")
    page.click("own_demo")
    assert page.titles[0] == "1. 画像: 正常 4 枚、テスト 7 枚"
