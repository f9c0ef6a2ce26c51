"""The page Method: what the control of each step changes."""

from __future__ import annotations

import shutil
from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.conftest import ROOT, Page
from vaead.ui.method.section import STEPS

METHOD = """
import streamlit as st
from vaead.i18n.texts import Texts
from vaead.ui.method import page, reference
from vaead.ui.shared import query_params

query_params.follow()

names = "reference", "compare", "method"
pages = {name: st.Page(lambda: None, title=name, url_path=name) for name in names}
first = st.Page(lambda: page.show(Texts(LANGUAGE), pages), title="first", default=True)
st.navigation([first, *pages.values()]).run()
"""
FIGURES = (
    *(
        "crops_figure",
        "plane_figure",
        "plane_window_figure",
        "terms_figure",
        "terms_window_figure",
        "terms_bars",
    ),
    *("complexity_old", "complexity_new", "map_figure", "place_figure"),
    *(f"place_{term}" for term in ("kl", "log_variance", "mahalanobis")),
    *(f"blank_{score}" for score in ("old", "new", "calibrated")),
)


class MethodPage(Page):
    """The page Method; the test harness cannot open another page of an app than the first."""

    def __init__(self, language: str = "en", **link: str) -> None:
        self.app = AppTest.from_string(METHOD.replace("LANGUAGE", repr(language)), default_timeout=30)
        self.app.query_params.update(link)
        self.run()

    def slide(self, key: str, value: float) -> None:
        self.app.slider(key=key).set_value(value)
        self.run()

    def text(self, start: str) -> str:
        """The one paragraph with this start."""
        (text,) = (each.value for each in self.app.markdown if each.value.startswith(start))
        return str(text)


def numbers(array: Any) -> np.ndarray:
    """An array as Plotly sends it."""
    if not isinstance(array, dict):
        return np.asarray(array)
    values = np.frombuffer(b64decode(array["bdata"]), array["dtype"])
    return values.reshape([int(n) for n in array["shape"].split(",")]) if "shape" in array else values


@pytest.fixture
def page() -> MethodPage:
    return MethodPage()


@pytest.mark.parametrize("language", ["en", "ja"])
def test_each_step_has_an_anchor_and_figures_with_alternative_text(language: str) -> None:
    page = MethodPage(language)
    assert tuple(heading.anchor for heading in page.app.header) == STEPS
    assert all(page.figure(key)["alt"] for key in FIGURES)
    assert page.warnings == page.errors == []


CHOSEN = {"z1": "0", "z2": "100", "patch": "241", "share": "50", "map_windows": "1", "place_window": "60"} | {
    "other_crops": "1",
    "made_image": "noise",
    "compared": "calibrated - new",
}


def test_link_shows_what_was_chosen(page: MethodPage, store: Path) -> None:
    for dataset in ("mnist", "fashion_mnist"):
        name = f"{dataset}/article.pairs.json"
        shutil.copy(ROOT / "models" / name, store / name)
    page.run()
    page.click("other_crops_draw")
    for key in ("z1", "z2"):
        page.app.select_slider(key=key).set_value(int(CHOSEN[key]))
    for key in ("patch", "share", "map_windows", "place_window"):
        page.app.slider(key=key).set_value(int(CHOSEN[key]))
    for key in ("made_image", "compared"):
        page.app.segmented_control(key=key).set_value(CHOSEN[key])
    page.run()
    assert page.link == CHOSEN
    other = MethodPage(**CHOSEN)
    assert other.warnings == []
    assert other.link == CHOSEN
    for key in (*FIGURES, "wins_figure"):
        assert other.figure(key) == page.figure(key)


BAD = {"z1": "101", "z2": "-1", "patch": "242", "share": "0", "map_windows": "122", "place_window": "121"} | {
    "other_crops": "x",
    "made_image": "test image",
    "compared": "old",
}


@pytest.mark.parametrize("link", [BAD, {"map_windows": "0"}])
def test_bad_values_fall_back_with_a_notice(page: MethodPage, link: dict[str, str]) -> None:
    asked = MethodPage(**link)
    assert sorted(warning.split("asks for ")[1].split(",")[0] for warning in asked.warnings) == sorted(
        f"{key} = `{value}`" for key, value in link.items()
    )
    assert [asked.figure(name) for name in FIGURES] == [page.figure(name) for name in FIGURES]


def test_other_crops_can_be_drawn(page: MethodPage) -> None:
    def frames() -> list[tuple[float, float]]:
        return [(shape["x0"], shape["y0"]) for shape in page.figure("crops_figure")["layout"]["shapes"]]

    before = frames()
    assert len(before) == 4 * 6
    page.click("other_crops_draw")
    assert frames() != before


def test_handle_shows_the_normal_window_nearest_to_it(page: MethodPage) -> None:
    def line() -> tuple[np.ndarray, np.ndarray]:
        traces = page.figure("plane_figure")["data"]
        (handle,) = (trace for trace in traces if trace.get("mode") == "lines+markers")
        return numbers(handle["x"]), numbers(handle["y"])

    def move(value: int) -> None:
        page.app.select_slider(key="z1").set_value(value)
        page.run()

    move(0)
    left, low = page.figure("plane_window_figure")["data"][1]["z"], line()[0][0]
    assert page.app.select_slider(key="z1").options[0] == f"{low:.2f}"
    move(100)
    assert line()[0][0] > line()[0][1]  # no normal window lies at the edge
    assert page.figure("plane_window_figure")["data"][1]["z"] != left


def test_picked_window_is_framed_and_told(page: MethodPage) -> None:
    page.slide("patch", 0)
    figure = page.figure("terms_figure")
    (frame,) = figure["layout"]["shapes"]
    assert (frame["xref"], frame["x0"], frame["y0"]) == ("x", -0.5, -0.5)
    first = page.figure("terms_bars")["data"][0]["x"]
    page.slide("patch", 241)
    (frame,) = page.figure("terms_figure")["layout"]["shapes"]
    assert (frame["xref"], frame["x1"], frame["y1"]) == ("x2", 27.5, 27.5)
    assert page.figure("terms_bars")["data"][0]["x"] != first


def test_threshold_follows_its_handle_on_both_histograms(page: MethodPage) -> None:
    def thresholds() -> list[float]:
        return [page.figure(f"complexity_{s}")["layout"]["shapes"][0]["x0"] for s in ("old", "new")]

    strict, told = thresholds(), page.text("**old**: a complex window")
    page.slide("share", 50)
    assert all(low < high for low, high in zip(thresholds(), strict, strict=True))
    assert page.text("**old**: a complex window") != told


def test_map_grows_with_the_windows(page: MethodPage) -> None:
    def seen() -> list[int]:
        maps = page.figure("map_figure")["data"][1:]
        return [int(np.isfinite(numbers(each["z"]).astype(float)).sum()) for each in maps]

    page.slide("map_windows", 1)
    assert seen() == [64, 64]
    page.slide("map_windows", 121)
    assert seen() == [28 * 28, 28 * 28]


def test_other_place_has_other_normal_windows(page: MethodPage) -> None:
    page.slide("place_window", 0)
    corner, told = page.figure("place_kl")["data"][0], page.text("At this place")
    page.slide("place_window", 60)
    assert page.figure("place_kl")["data"][0] != corner
    assert page.text("At this place") != told


def test_blank_image_is_normal_to_old_and_new_and_not_to_calibrated(page: MethodPage) -> None:
    def side(score: str) -> float:
        """Where the line of the image lies on the axis, 0 to 1."""
        layout = page.figure(f"blank_{score}")["layout"]
        low, high = layout["xaxis"]["range"]
        return (layout["shapes"][0]["x0"] - low) / (high - low)

    assert side("old") < 0.1
    assert side("new") < 0.1
    assert side("calibrated") > 0.9
    assert "above 0\u00a0% with new, above 100\u00a0% with calibrated" in page.text("**blank image**")
    page.app.segmented_control(key="made_image").set_value("noise")
    page.run()
    assert page.text("**noise**")


def test_without_tables_of_pairs_the_page_says_how_to_make_them(page: MethodPage) -> None:
    assert any("vaead pretrain" in info for info in page.infos)


def test_all_pairs_are_dots_of_the_chosen_scores(store: Path) -> None:
    for dataset in ("mnist", "fashion_mnist"):
        name = f"{dataset}/article.pairs.json"
        shutil.copy(ROOT / "models" / name, store / name)
    page = MethodPage()

    def figure() -> dict[str, Any]:
        return page.figure("wins_figure")

    traces = figure()["data"]
    assert np.concatenate([numbers(trace["customdata"]).ravel() for trace in traces]).tolist() == [
        *range(180)
    ]
    assert figure()["layout"]["yaxis"]["title"]["text"] == "AUROC, new"
    new = numbers(traces[0]["y"])
    above = sum(int((numbers(trace["y"]) > numbers(trace["x"])).sum()) for trace in traces)
    assert f"**{above} of 180** pairs" in page.text("new against old")
    page.app.segmented_control(key="compared").set_value("calibrated - new")
    page.run()
    np.testing.assert_array_equal(numbers(figure()["data"][0]["x"]), new)
    assert figure()["layout"]["yaxis"]["title"]["text"] == "AUROC, calibrated"


@pytest.mark.usefixtures("no_data")
def test_without_fashion_mnist_the_digits_stand_in(store: Path) -> None:
    shutil.copytree(ROOT / "models/digits/2/article", store / "digits/2/article")
    page = MethodPage()
    assert len(page.warnings) == 1
    assert "**2**" in page.text("How a score comes about")


def test_missing_model_is_offered_for_training(store: Path) -> None:
    shutil.rmtree(store / "fashion_mnist/2")
    page = MethodPage()
    assert page.has_button("train")
    assert [heading.anchor for heading in page.app.header] == ["wins"]


@pytest.mark.parametrize(("language", "title"), [("en", "# Method"), ("ja", "# 手法")])
def test_reference_shows_its_text(language: str, title: str) -> None:
    script = METHOD.replace(
        "page.show(Texts(LANGUAGE), pages)", 'reference.show(Texts(LANGUAGE), pages["method"])'
    )
    app = AppTest.from_string(script.replace("LANGUAGE", repr(language))).run()
    assert not app.exception
    assert app.markdown[0].value.startswith(title)
