"""The figure of one image on the page "Your images": what is sent, and that nothing small gets lost in it."""

from __future__ import annotations

import base64
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import plotly.io
import pytest

from vaead.calibration.thresholds import NormalScores
from vaead.data.photos import Photo
from vaead.i18n.texts import Texts
from vaead.ignored import IgnoredRegion
from vaead.inference.prediction import Prediction, Thresholds
from vaead.model.folder import load_model
from vaead.scoring.patches import PatchGrid
from vaead.scoring.term_maps import CalibratedScore, TermMaps
from vaead.ui.your_images import figure as drawing
from vaead.ui.your_images.downsampling import View

LARGE = 3000, 4000
FRAME = 10, 20, 30, 40
SPOT = 1503, 2001
"""A pixel of a large image."""


def view(shape: tuple[int, int], colors: tuple[int, ...] = ()) -> View:
    """An image whose maps and masks have one pixel apart from all others, at the same share of each side."""
    height, width = shape
    spot = height * SPOT[0] // LARGE[0], width * SPOT[1] // LARGE[1]
    grid = PatchGrid(height, width, 96, 96)
    windows = np.ones((1, *grid.shape), np.float32)
    joint = np.ones((1, height, width), np.float32)
    joint[0][spot] = 9.0
    mask = np.zeros(shape, np.bool_)
    mask[spot] = True
    pixels = np.full((*shape, *colors), 0.5, np.float32)
    pixels[spot] = 1.0
    calibrated = CalibratedScore(np.array([9.0], np.float32), joint, np.array([False]))
    terms = TermMaps(windows, windows, windows, grid, calibrated)
    scores = {name: float(terms.image_scores(name)[0]) for name in terms.scores}
    thresholds = Thresholds(scores, dict.fromkeys(scores, 5.0))
    photo = Photo("a.png", "a.png")
    prediction = Prediction(photo, shape, scores, thresholds, image=pixels, terms=terms, true_mask=mask)
    return View.from_prediction(prediction, "calibrated", 0.7)


@pytest.fixture
def normal_scores(photo_model: Path) -> NormalScores:
    return load_model(photo_model).card.normal_scores


def sent(view: View, normal_scores: NormalScores) -> list[dict[str, Any]]:
    """The traces of the figure as a browser gets them."""
    figure = drawing.draw(view, normal_scores, FRAME, Texts("en"))
    traces: list[dict[str, Any]] = json.loads(plotly.io.to_json(figure, validate=False))["data"]
    return traces


def at(trace: dict[str, Any], row: float, column: float) -> float:
    """The value of a heatmap that covers a pixel."""
    shape = [int(length) for length in trace["z"]["shape"].split(",")]
    values = np.frombuffer(base64.b64decode(trace["z"]["bdata"]), trace["z"]["dtype"]).reshape(shape)
    place = [(row - trace["y0"]) / trace["dy"], (column - trace["x0"]) / trace["dx"]]
    return float(values[round(place[0]), round(place[1])])


@pytest.mark.parametrize(
    ("shape", "most_mb"), [((120, 160), 0.6), ((480, 640), 9), ((900, 1200), 9), (LARGE, 9)]
)
@pytest.mark.parametrize("colors", [(), (3,)])
def test_figure_is_small_however_large_the_image_is(
    normal_scores: NormalScores, shape: tuple[int, int], colors: tuple[int, ...], most_mb: float
) -> None:
    figure = drawing.draw(view(shape, colors), normal_scores, FRAME, Texts("en"))
    # As Streamlit sends it.
    assert len(plotly.io.to_json(figure, validate=False)) < 1e6 * most_mb


def test_one_anomalous_pixel_of_a_large_image_is_seen(normal_scores: NormalScores) -> None:
    image, _, mask, _, _, calibrated, heat, *outlines = sent(view(LARGE), normal_scores)
    assert at(calibrated, *SPOT) == 9.0
    assert at(mask, *SPOT) == 1
    assert at(heat, *SPOT) > at(heat, 100, 100)
    # Among 7 x 7 pixels of the image one is white, and the others are grey.
    assert at(image, *SPOT) == round(255 * (0.5 * 48 + 1) / 49)
    assert at(image, 100, 100) == 128
    assert [trace["type"] for trace in outlines] == ["contour"] * 3 + ["scatter"]


def test_image_in_colours_covers_the_same_pixels_as_its_maps(normal_scores: NormalScores) -> None:
    traces = sent(view(LARGE, (3,)), normal_scores)
    assert [trace["type"] for trace in traces[:3]] == ["image", "image", "heatmap"]
    places = [{name: trace[name] for name in ("x0", "y0", "dx", "dy")} for trace in traces[:7]]
    assert places == [{"x0": 3.0, "y0": 3.0, "dx": 7, "dy": 7}] * 7


def test_chosen_window_is_framed_in_all_panels(normal_scores: NormalScores) -> None:
    figure = drawing.draw(view((120, 160)), normal_scores, FRAME, Texts("en"))
    frames = [shape for shape in figure.layout.shapes if shape.type == "rect" and shape.line.width]
    assert {(each.x0, each.x1, each.y0, each.y1) for each in frames} == {(19.5, 59.5, 9.5, 39.5)}
    assert len(frames) == 6


def test_click_into_the_overlay_of_a_large_image_tells_the_window_there(normal_scores: NormalScores) -> None:
    shown = view(LARGE)
    figure = drawing.draw(shown, normal_scores, FRAME, Texts("en"))
    targets = figure.data[-1]
    assert shown.prediction.terms is not None
    grid = shown.prediction.terms.grid
    assert 1_000 < len(targets.x) < 3_000
    for x, y, (number,) in list(zip(targets.x, targets.y, targets.customdata, strict=True))[::97]:
        row, column = divmod(int(number), grid.shape[1])
        assert (row, column) == grid.nearest((y, x))


def test_nobody_is_led_to_a_window_that_is_left_out(normal_scores: NormalScores) -> None:
    shown = view((192, 288))
    terms = shown.prediction.terms
    assert terms is not None
    left = np.zeros((192, 288), np.bool_)
    left[:, :96] = True
    grid = dataclasses.replace(terms.grid, ignored=IgnoredRegion.from_mask(left))
    terms = dataclasses.replace(terms, grid=grid)
    shown = dataclasses.replace(shown, prediction=dataclasses.replace(shown.prediction, terms=terms))
    targets = drawing.draw(shown, normal_scores, FRAME, Texts("en")).data[-1]
    assert {int(number) for (number,) in targets.customdata} == {1, 2, 4, 5}
