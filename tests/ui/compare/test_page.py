"""The page Compare: the pair, its figures, and the controls that choose them."""

from __future__ import annotations

import json
import random
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import streamlit as st

from vaead.data.datasets import clear_cache
from vaead.i18n.texts import Texts
from vaead.presets import PRESETS

if TYPE_CHECKING:
    from tests.ui.conftest import Open


@pytest.fixture
def _real_data(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    clear_cache()
    monkeypatch.setenv("VAEAD_DATA_DIR", str(data_dir))
    yield
    clear_cache()


@pytest.mark.usefixtures("_real_data")
def test_opens_on_mnist_1_against_9(open_page: Open) -> None:
    page = open_page(dataset="MNIST")
    assert (page["normal"], page["anomalous"]) == (1, 9)
    assert "of class 1 and " in page.caption
    assert page.warnings == []
    # There are 1,135 test images of 1 in MNIST, and the held-out 1s are half of 6,742.
    assert page.app.number_input(key="normal_image").max == 1134
    assert "of 3371 calibration images" in page.caption


def test_heading_asks_the_question_with_the_classes_in_it(open_page: Open) -> None:
    titles = [title.value for title in open_page(dataset="Fashion-MNIST").app.title]
    assert titles == ["A network has only ever seen **pullover**. Where does it find this **dress** strange?"]


@pytest.mark.usefixtures("_real_data")
def test_first_visit_opens_on_the_pair_on_which_only_calibrated_is_right(open_page: Open) -> None:
    page = open_page(dataset="Fashion-MNIST")
    assert page["pair"] == 133
    texts = [text.value for text in page.app.markdown]
    assert any("right: **calibrated**; wrong: **old and new**" in text for text in texts)
    assert any("calibrated **only the anomalous image**" in text for text in texts)


LESSON_WORDS = {
    "calibration": "right: **calibrated**; wrong: **old and new**",
    "complex": "right: **new and calibrated**; wrong: **old**",
    "new": "right: **old and calibrated**; wrong: **new**",
    "blank": "old flags **neither image**, new **neither image**, calibrated **only the anomalous image**",
}


@pytest.mark.usefixtures("_real_data")
@pytest.mark.parametrize(("lesson", "words"), LESSON_WORDS.items())
def test_lesson_shows_its_pair_and_says_what_it_shows(open_page: Open, lesson: str, words: str) -> None:
    page = open_page(dataset="MNIST", pair="5")
    page.click(lesson)
    assert any(words in text.value for text in page.app.markdown)
    assert page.infos == [Texts("en")(f"lesson.{lesson}")]
    assert page.link["lesson"] == lesson


def test_link_to_a_lesson_sets_the_controls(open_page: Open) -> None:
    page = open_page(dataset="Fashion-MNIST", lesson="complex")
    assert page.infos == [Texts("en")("lesson.complex")]
    values = {"dataset": "fashion_mnist", "pair": 606, "preset": "article", "window": 8}
    assert {key: page[key] for key in values} == values
    assert page.link == {"dataset": "Fashion-MNIST", "lesson": "complex"}
    assert page.warnings == []
    page.set_number("false_alarms", 10)
    assert page.link == {"lesson": "complex", "false_alarms": "10"}
    page.set_number("pair", 607)
    assert page.infos == []
    assert page.link == {"pair": "607", "window": "8", "false_alarms": "10"}


def test_link_to_another_pair_shows_no_lesson(open_page: Open) -> None:
    page = open_page(dataset="Fashion-MNIST", lesson="complex", pair="5")
    assert page.infos == page.warnings == []
    assert page["pair"] == 5


def test_lesson_ends_with_its_pair(open_page: Open) -> None:
    page = open_page(dataset="Fashion-MNIST", lesson="blank")
    page.set_number("window", 3)
    assert page.infos  # another window of the same pair
    page.click("draw")
    assert page.infos == []
    assert "lesson" not in page.link
    page.click("blank")
    assert page.infos


def test_lesson_that_does_not_exist_is_refused(open_page: Open) -> None:
    page = open_page(lesson="none")
    assert len(page.warnings) == 1
    assert "lesson" in page.warnings[0]


@pytest.mark.parametrize("made", ["blank", "noise", "upside down"])
def test_made_image_stands_in_for_the_anomalous_one(open_page: Open, made: str) -> None:
    page = open_page(instead=made, pair="7")
    assert "and made here: " in page.caption
    normal, anomalous = (page.figure("comparison_figure")["data"][index]["z"] for index in (0, 4))
    assert normal != anomalous
    (title,) = (title.value for title in page.app.title)
    assert {"blank": "blank image", "noise": "noise", "upside down": "upside-down image"}[made] in title
    page.click("mnist_1_9")
    assert page["instead"] == "test image"


def test_window_of_the_link_is_shown_and_another_can_be_chosen(open_page: Open) -> None:
    page = open_page(window="60")

    def intro() -> str:
        return next(text.value for text in page.app.caption if text.value.startswith("Framed"))

    assert "rows 10 to 17, columns 10 to 17 of the normal image" in intro()
    page.set_number("window", 121)
    assert "rows 0 to 7, columns 0 to 7 of the anomalous image" in intro()
    page.set_number("window", None)
    assert "of the anomalous image" in intro()  # the one that adds most
    page.select("anomalous", 4)
    assert "window" not in page.link


def test_other_preset_has_other_windows(open_page: Open) -> None:
    page = open_page(window="200")
    page.select("preset", "multi-scale")
    assert page["window"] is None


def unpacked(array: dict[str, str]) -> list[float]:
    """Numbers of an array as Plotly sends it."""
    numbers: list[float] = np.frombuffer(b64decode(array["bdata"]), array["dtype"]).tolist()
    return numbers


def test_plane_of_z_shows_all_windows_of_both_images(open_page: Open) -> None:
    page = open_page(window="5")
    closed = len(page.app.get("plotly_chart"))
    page.open("plane")
    assert len(page.app.get("plotly_chart")) == closed + 1
    figure = page.figure("latent_plane_figure")
    assert figure["alt"]
    dots = [trace for trace in figure["data"] if trace["type"] == "scatter"]
    numbers = [number for trace in dots for number in unpacked(trace["customdata"])]
    assert numbers == list(range(2 * 121))
    assert [size for trace in dots for size in unpacked(trace["marker"]["size"])].index(16) == 5


@pytest.mark.parametrize("asked", ["242", "-1", "x"])
def test_window_that_does_not_exist_is_refused(open_page: Open, asked: str) -> None:
    page = open_page(window=asked)
    assert any("window" in warning for warning in page.warnings)
    assert page.caption


def test_first_visit_shows_image_old_map_and_new_map_of_both_images(open_page: Open) -> None:
    figure = open_page().figure("comparison_figure")
    titles = [note["text"].split(":")[0] for note in figure["layout"]["annotations"]][:8]
    assert titles == ["normal", "old", "new", "calibrated", "anomalous", "old", "new", "calibrated"]
    assert [trace["type"] for trace in figure["data"]][:8] == ["heatmap"] * 8


def test_alternative_text_says_what_the_figure_shows(open_page: Open) -> None:
    page = open_page()
    (verdict,) = (text.value for text in page.app.markdown if "On this pair" in text.value)
    verdict = verdict.replace("**", "")
    assert page.figure("comparison_figure")["alt"] == (
        "Test images 1 (normal) and 9 (anomalous) with their maps of the old, the new and the calibrated "
        f"score. {verdict}"
    )


@pytest.mark.parametrize(
    "key", ["window_bars", "window_pictures_figure", "normal_image_gallery", "anomalous_image_gallery"]
)
def test_every_figure_has_alternative_text(open_page: Open, key: str) -> None:
    page = open_page()
    page.open("pick")
    assert page.figure(key)["alt"]


def test_thumbnails_show_both_classes(open_page: Open) -> None:
    images = open_page(dataset="Fashion-MNIST").app.sidebar.get("image")
    assert [image.captions for image in images] == [["pullover"], ["dress"]]


def test_same_link_shows_the_same_pair(open_page: Open) -> None:
    first, second = open_page(pair="7"), open_page(pair="7")
    assert first.caption == second.caption
    assert first.figure("comparison_figure") == second.figure("comparison_figure")


def test_another_seed_shows_another_pair(open_page: Open) -> None:
    assert open_page(pair="7").caption != open_page(pair="8").caption


def test_draw_shows_the_pair_of_a_new_seed(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(pair="7")
    monkeypatch.setattr(random, "randrange", lambda stop: stop - 1)
    page.click("draw")
    assert page["pair"] == 999_999
    assert page.link["pair"] == "999999"
    assert page.caption == open_page(pair="999999").caption


def test_picked_image_replaces_the_drawn_one(open_page: Open) -> None:
    page = open_page(pair="7")
    drawn = page.caption.split("test image ")[1]
    page.set_number("normal_image", 3)
    assert "Shown: test image 3 of class 1 and " in page.caption
    assert page.caption.endswith(drawn.split(" and ")[1])


def test_draw_drops_the_picked_images(open_page: Open) -> None:
    page = open_page(normal_image="3", anomalous_image="4")
    assert "test image 3 of class 1 and 4 of class 9" in page.caption
    page.click("draw")
    assert (page["normal_image"], page["anomalous_image"]) == (None, None)
    assert "normal_image" not in page.link


@pytest.mark.parametrize("control", ["dataset", "normal", "anomalous"])
def test_other_class_drops_the_picked_images(open_page: Open, control: str) -> None:
    page = open_page(dataset="MNIST", normal_image="3")
    page.select(control, {"dataset": "digits", "normal": 2, "anomalous": 2}[control])
    assert page["normal_image"] is None


def test_other_colours_keep_the_picked_images(open_page: Open) -> None:
    page = open_page(normal_image="3")
    page.select("colors", "Viridis")
    assert "Shown: test image 3 of class 1 and " in page.caption


def test_galleries_wait_for_their_box_to_be_opened(open_page: Open) -> None:
    page = open_page()
    closed = len(page.app.get("plotly_chart"))
    page.open("pick")
    assert len(page.app.get("plotly_chart")) == closed + 2


def test_gallery_shows_the_chosen_class(open_page: Open) -> None:
    page = open_page()
    page.open("pick")

    def pictures() -> list[object]:
        return [page.figure(f"{role}_image_gallery")["data"][0]["z"] for role in ("normal", "anomalous")]

    ones, nines = pictures()
    page.select("anomalous", 4)
    assert pictures()[0] == ones
    assert pictures()[1] not in (ones, nines)
    page.select("anomalous", 9)
    assert pictures() == [ones, nines]


def test_colours_can_be_chosen(open_page: Open) -> None:
    page = open_page()
    blues = page.figure("comparison_figure")["layout"]["coloraxis2"]["colorscale"]
    page.select("colors", "Cividis")
    cividis = page.figure("comparison_figure")["layout"]["coloraxis2"]["colorscale"]
    assert (blues[-1][1], cividis[0][1]) == ("rgb(8,48,107)", "#00224e")


def test_anomalous_class_can_never_be_the_normal_one(open_page: Open) -> None:
    page = open_page(normal="3")
    assert "3" not in page.app.selectbox(key="anomalous").options
    assert len(page.app.selectbox(key="anomalous").options) == 9


def test_choosing_the_anomalous_class_as_normal_moves_the_anomalous_one(open_page: Open) -> None:
    page = open_page(anomalous="4")
    page.select("normal", 4)
    assert (page["normal"], page["anomalous"]) == (4, 0)


def test_other_normal_class_keeps_the_anomalous_one(open_page: Open) -> None:
    page = open_page(anomalous="4")
    page.select("normal", 6)
    assert (page["normal"], page["anomalous"]) == (6, 4)


def test_other_dataset_starts_with_its_own_pair(open_page: Open) -> None:
    page = open_page(normal="1", anomalous="4")
    page.select("dataset", "fashion_mnist")
    assert (page["normal"], page["anomalous"]) == (2, 3)
    assert "of class pullover and " in page.caption


def test_other_preset_takes_its_own_settings(open_page: Open) -> None:
    page = open_page(epochs="3", latent="5", seed="8")
    page.select("preset", "position-aware")
    base = PRESETS["position-aware"]
    settings = {
        "epochs": base.train.epochs,
        "crops": base.train.crops,
        "latent": base.networks[0].latent_dim,
        "seed": 0,
    }
    assert {key: page[key] for key in settings} == settings


@pytest.mark.parametrize(
    ("pair", "dataset", "classes"),
    [
        ("mnist_1_9", "mnist", ("1", "9")),
        ("fashion_mnist_7_9", "fashion_mnist", ("sneaker", "ankle boot")),
        ("fashion_mnist_2_3", "fashion_mnist", ("pullover", "dress")),
    ],
)
def test_pair_of_the_article_is_one_click_away(
    open_page: Open, pair: str, dataset: str, classes: tuple[str, str]
) -> None:
    page = open_page(normal="1", anomalous="6", normal_image="3")
    page.click(pair)
    assert page["dataset"] == dataset
    assert f"of class {classes[0]} and " in page.caption
    assert page.caption.endswith(f"of class {classes[1]}.")
    assert page["normal_image"] is None


def test_article_scale_is_logarithmic_from_1_to_10(open_page: Open) -> None:
    layout = open_page(view="article").figure("comparison_figure")["layout"]
    assert (layout["coloraxis2"]["cmin"], layout["coloraxis2"]["cmax"]) == (0, 1)
    assert "coloraxis3" not in layout


def test_plain_nats_have_a_scale_a_score_that_no_pair_changes(open_page: Open) -> None:
    page = open_page(pair="7", view="mean")
    first = page.figure("comparison_figure")["layout"]
    page.set_number("pair", 8)
    second = page.figure("comparison_figure")["layout"]
    for axis in ("coloraxis2", "coloraxis3", "coloraxis4"):
        assert first[axis]["cmax"] - first[axis]["cmin"] > 3
        assert (first[axis]["cmin"], first[axis]["cmax"]) == (second[axis]["cmin"], second[axis]["cmax"])


def test_ranks_have_one_scale_in_percent(open_page: Open) -> None:
    page = open_page(view="rank")
    figure = page.figure("comparison_figure")
    assert (figure["layout"]["coloraxis2"]["cmax"], "coloraxis3" in figure["layout"]) == (100, False)


def test_decision_follows_the_false_alarm_rate(open_page: Open) -> None:
    page = open_page(false_alarms="1")

    def decision() -> str:
        return next(text.value for text in page.app.markdown if " false alarms old flags" in text.value)

    assert decision().startswith("At 1\u00a0% false alarms")
    page.set_number("false_alarms", 50)
    assert decision().startswith("At 50\u00a0% false alarms old flags **")


@pytest.mark.parametrize(
    ("tab", "key", "traces"),
    [
        ("The three terms", "terms_figure", 6),
        ("What the decoder made", "decoder_figure", 6),
        ("Training", "history", 5),
    ],
)
def test_details_draw_a_figure(open_page: Open, tab: str, key: str, traces: int) -> None:
    page = open_page()
    page.app.session_state["more"] = True
    page.app.session_state["details"] = tab
    page.run()
    assert len(page.figure(key)["data"]) == traces


def test_details_list_the_layers_and_their_parameters(open_page: Open) -> None:
    page = open_page()
    page.app.session_state["more"] = True
    page.app.session_state["details"] = "Network"
    page.run()
    (table,) = (frame.value for frame in page.app.dataframe)
    assert set(table["Part"]) == {"encoder", "decoder"}
    first = table.iloc[0]
    assert first["Parameters"] == 2 * 2 * 16 + 16  # 16 kernels of 2x2 and their biases
    total = f"{table['Parameters'].sum():,} parameters"
    assert any(total in text.value for text in page.app.markdown)


@pytest.mark.parametrize(
    ("diagnostics", "start"),
    [
        ({"explained_variance": 0.01}, "This model's bottleneck has died"),
        (
            {"error_per_pixel": 12.5},
            "This model is too sure of itself: on calibration images M is 12.5 nats",
        ),
    ],
)
def test_model_that_went_wrong_is_shown_with_a_warning(
    open_page: Open, store: Path, diagnostics: dict[str, float], start: str
) -> None:
    file = store / "digits/1/article/card.json"
    card = json.loads(file.read_text())
    card["card"]["networks"][0]["diagnostics"] |= diagnostics
    file.write_text(json.dumps(card))
    page = open_page()
    assert [warning.startswith(start) for warning in page.warnings] == [True]
    assert page.caption


def test_two_visitors_see_their_own_pairs(open_page: Open) -> None:
    first, second = open_page(pair="7"), open_page(pair="8")
    before = first.caption
    second.set_number("pair", 9)
    first.run()
    assert first.caption == before


def test_caches_are_cleared_between_tests() -> None:
    from vaead.ui.shared.cache import dataset_source

    first = dataset_source()
    st.cache_resource.clear()
    assert dataset_source() is not first
