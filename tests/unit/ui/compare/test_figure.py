import dataclasses
import re

import numpy as np
import plotly.graph_objects as go
import pytest
from numpy.typing import NDArray

from vaead.calibration.thresholds import LEVELS, NormalScores
from vaead.i18n.texts import Texts
from vaead.recipe import ClassSource, Recipe
from vaead.scoring.loss_terms import SCORES, TERMS
from vaead.scoring.patches import PatchGrid
from vaead.scoring.term_maps import CalibratedScore, TermMaps
from vaead.ui.compare import figure
from vaead.ui.shared.controls import VIEWS
from vaead.ui.shared.sidebar import Choice
from vaead.ui.shared.windows import Window, numbers_of

ENGLISH = Texts("en")
GRID = PatchGrid(8, 10, patch_size=8, stride=2)  # 1 x 2 windows
NAMES = {"normal": "one", "anomalous": "nine"}
CHOICE = Choice(
    Recipe.from_preset("article", ClassSource("digits", 1)),
    anomalous=9,
    palette="Viridis",
    false_alarm_rate=0.05,
    rule="score",
)
PAIR = np.arange(160, dtype=np.uint8).reshape(2, 8, 10)


def maps_of(
    old: tuple[float, float], new: tuple[float, float], calibrated: tuple[float, float] = (1, 2)
) -> TermMaps:
    """A normal and an anomalous image with these image scores."""
    mahalanobis = np.array(new, np.float32).reshape(2, 1, 1) - np.array([[[0.0, 1.0]]], np.float32)
    kl = np.array(old, np.float32).reshape(2, 1, 1) - np.array(new, np.float32).reshape(2, 1, 1)
    score = np.array(calibrated, np.float32)
    shares = CalibratedScore(
        score,
        score[:, None, None] - np.linspace(1, 0, 80, dtype=np.float32).reshape(8, 10),
        np.zeros(len(score), np.bool_),
    )
    return TermMaps(np.repeat(kl, 2, axis=2), np.zeros((2, 1, 2), np.float32), mahalanobis, GRID, shares)


TERM_MAPS = maps_of(old=(10, 20), new=(3, 4))
CALIBRATION = NormalScores(
    n_images=50,
    image={score: tuple(100 * level for level in LEVELS) for score in SCORES},
    window_max={score: tuple(100 * level for level in LEVELS) for score in SCORES},
    window={name: tuple(1000 * level + 1 for level in LEVELS) for name in (*SCORES, *TERMS)},
)


def draw(view: str, terms: TermMaps = TERM_MAPS) -> go.Figure:
    return figure.comparison(figure.Pair(PAIR, terms, NAMES), CALIBRATION, CHOICE, view, ENGLISH)


@pytest.mark.parametrize(
    ("old", "new", "calibrated", "words"),
    [
        ((1, 2), (1, 2), (1, 2), "all three scores are right"),
        ((2, 1), (1, 1), (2, 2), "all three scores are wrong"),
        ((1, 2), (2, 1), (1, 2), "right: **old and calibrated**; wrong: **new**"),
        ((2, 1), (2, 1), (1, 2), "right: **calibrated**; wrong: **old and new**"),
    ],
)
def test_verdict_names_the_scores_that_rank_the_pair(
    old: tuple[float, float], new: tuple[float, float], calibrated: tuple[float, float], words: str
) -> None:
    assert words in figure.verdict(maps_of(old, new, calibrated), ENGLISH)


def test_rank_compares_the_anomalous_image_with_held_out_ones() -> None:
    assert figure.rank(TERM_MAPS, CALIBRATION, ENGLISH) == ENGLISH(
        "verdict.rank", images=50, old="20\u00a0%", new="4\u00a0%", calibrated="2\u00a0%"
    )


@pytest.mark.parametrize("rule", ["score", "window"])
def test_decision_names_the_images_above_the_thresholds(rule: str) -> None:
    terms = maps_of(old=(96, 97), new=(1, 99), calibrated=(96, 1))
    choice = dataclasses.replace(CHOICE, rule=rule)
    assert figure.decision(terms, CALIBRATION, choice, ENGLISH) == (
        "At 5\u00a0% false alarms old flags **both images**, new **only the anomalous image**, "
        "calibrated **only the normal image**."
    )


def test_flagged_pixels_are_outlined() -> None:
    outlines = draw("mean", maps_of(old=(1, 99), new=(1, 2))).data[8:]
    assert [(trace.type, trace.xaxis) for trace in outlines] == [("contour", "x6")]
    # Of the two windows over columns 0 to 7 and 2 to 9, the first has 99, the second 98; both are above 95.
    assert outlines[0].z[1:-1, 1:-1].all()


def of_column(figure: go.Figure, column: int) -> NDArray[np.float64]:
    """What hover shows in a column of panels, (2, H, W)."""
    traces = [figure.data[4 * row + column] for row in range(2)]
    return np.stack([trace.z if trace.customdata is None else trace.customdata for trace in traces])


def test_first_column_shows_the_images() -> None:
    np.testing.assert_array_equal(of_column(draw("article"), 0), PAIR)


@pytest.mark.parametrize("column", [1, 2, 3])
def test_on_the_article_scale_both_maps_of_a_score_span_1_to_10_together(column: int) -> None:
    shown = of_column(draw("article"), column)
    assert (shown[0].min(), shown[1].max()) == (1, 10)
    assert shown[0].max() < 10
    assert shown[1].min() > 1


def test_on_the_article_scale_all_maps_share_one_logarithmic_axis() -> None:
    figure = draw("article")
    assert [trace.coloraxis for trace in figure.data] == ["coloraxis", *["coloraxis2"] * 3] * 2
    assert (figure.layout.coloraxis2.cmin, figure.layout.coloraxis2.cmax) == (0, 1)


def test_in_nats_both_maps_of_a_score_share_one_axis_set_by_held_out_windows() -> None:
    figure = draw("mean")
    axes = ["coloraxis", "coloraxis2", "coloraxis3", "coloraxis4"]
    assert [trace.coloraxis for trace in figure.data] == axes * 2
    for axis in axes[1:]:
        # From the quantiles of windows and of largest windows.
        assert (figure.layout[axis].cmin, figure.layout[axis].cmax) == pytest.approx((11, 95))


def test_ranks_are_percent_of_held_out_windows() -> None:
    figure = draw("rank")
    # A window of 1 is at level 0, one of 1001 at level 1.
    np.testing.assert_allclose(of_column(figure, 2)[1, 0, 0], 100 * (4 - 1) / 1000, rtol=1e-5)
    assert (figure.layout.coloraxis2.cmin, figure.layout.coloraxis2.cmax) == (50, 100)


@pytest.mark.parametrize("view", VIEWS)
def test_maps_have_the_chosen_colours(view: str) -> None:
    axis = draw(view).layout.coloraxis2
    assert axis.colorscale[0][1] == "#440154"  # the first of Viridis


@pytest.mark.parametrize(
    ("view", "unit"), [("article", "on the scale 1..10"), ("mean", "nats"), ("rank", "%")]
)
def test_hover_names_the_unit(view: str, unit: str) -> None:
    assert f"}} {unit}<extra>" in draw(view).data[1].hovertemplate


def test_titles_say_of_each_image_whether_it_is_flagged() -> None:
    # The limit at 5 % false alarms is 95.
    figure = draw("mean", maps_of(old=(10, 96), new=(3, 4), calibrated=(1, 200)))
    titles = [re.sub("<.*?>", "", note.text) for note in figure.layout.annotations][:8]
    assert titles[:4] == ["normal: one", "old: usual", "new: usual", "calibrated: usual"]
    assert titles[4:] == ["anomalous: nine", "old: flagged", "new: usual", "calibrated: flagged"]


def test_bars_name_score_and_limit() -> None:
    notes = [note.text for note in draw("mean").layout.annotations][8:]
    assert notes == [f"{value}, limit 95.0" for value in ("10.0", "3.00", "1.00", "20.0", "4.00", "2.00")]


def test_a_phone_has_two_pictures_a_row_and_no_colour_bars() -> None:
    pair = figure.Pair(PAIR, TERM_MAPS, NAMES)
    drawn = figure.comparison(pair, CALIBRATION, CHOICE, "mean", ENGLISH, columns=2)
    assert len({axis.domain for axis in drawn.select_xaxes()}) == 2
    assert len({axis.domain for axis in drawn.select_yaxes()}) == 4
    assert not any(drawn.layout[f"coloraxis{n}"].showscale for n in ("", 2, 3, 4))


def test_clicks_tell_windows_and_the_chosen_one_is_framed() -> None:
    numbers = numbers_of(GRID)
    pair, window = figure.Pair(PAIR, TERM_MAPS, NAMES), Window(1, (0, 1))
    frames = [[], [window.frame(GRID)]]
    drawn = figure.comparison(pair, CALIBRATION, CHOICE, "mean", ENGLISH, numbers=numbers, frames=frames)
    targets = [trace for trace in drawn.data if trace.type == "scatter"]
    assert [set(trace.customdata[:, 0]) for trace in targets] == [{0.0, 1.0}] * 4 + [{2.0, 3.0}] * 4
    framed = [shape for shape in drawn.layout.shapes if shape.line.width == 2.5]
    assert [(shape.x0, shape.x1, shape.y0, shape.y1) for shape in framed] == [(1.5, 9.5, -0.5, 7.5)] * 4
    assert drawn.layout.dragmode is False
