import dataclasses

import numpy as np
import plotly.graph_objects as go
import pytest
from numpy.typing import NDArray

from vaead.calibration import LEVELS, Calibration
from vaead.config import PatchGrid, Recipe
from vaead.scoring import TermMaps
from vaead.terms import SCORES, TERMS
from vaead.ui import pictures
from vaead.ui.state import Choice
from vaead.ui.texts import Texts

ENGLISH = Texts("en")
GRID = PatchGrid(8, 10, patch_size=8, stride=2)  # 1 x 2 windows
NAMES = {"normal": "one", "anomalous": "nine"}
CHOICE = Choice(Recipe.from_preset("digits", 1), anomalous=9, article_scale=True, palette="Viridis")
PAIR = np.arange(160, dtype=np.uint8).reshape(2, 8, 10)


def maps_of(old: tuple[float, float], new: tuple[float, float]) -> TermMaps:
    """A normal and an anomalous image with these image scores."""
    mahalanobis = np.array(new, np.float32).reshape(2, 1, 1) - np.array([[[0.0, 1.0]]], np.float32)
    kl = np.array(old, np.float32).reshape(2, 1, 1) - np.array(new, np.float32).reshape(2, 1, 1)
    return TermMaps(np.repeat(kl, 2, axis=2), np.zeros((2, 1, 2), np.float32), mahalanobis, GRID)


TERM_MAPS = maps_of(old=(10, 20), new=(3, 4))
CALIBRATION = Calibration(
    images=50,
    image={score: [100 * level for level in LEVELS] for score in SCORES},
    window={name: [1000 * level + 1 for level in LEVELS] for name in (*SCORES, *TERMS)},
)


def draw(*, article_scale: bool) -> go.Figure:
    choice = dataclasses.replace(CHOICE, article_scale=article_scale)
    return pictures.comparison(PAIR, TERM_MAPS, NAMES, CALIBRATION, choice, ENGLISH)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ((1, 2), (1, 2), "both"),
        ((1, 2), (2, 1), "old"),
        ((2, 1), (1, 2), "new"),
        ((2, 1), (2, 1), "neither"),
        ((2, 2), (1, 1), "neither"),
    ],
)
def test_verdict_names_the_scores_that_rank_the_pair(
    old: tuple[float, float], new: tuple[float, float], key: str
) -> None:
    assert pictures.verdict(maps_of(old, new), ENGLISH) == ENGLISH(f"verdict.{key}")


def test_rank_compares_the_anomalous_image_with_held_out_ones() -> None:
    assert pictures.rank(TERM_MAPS, CALIBRATION, ENGLISH) == ENGLISH(
        "verdict.rank", images=50, old="20 %", new="4 %"
    )


def test_maps_in_nats_are_the_mean_of_the_windows_over_a_pixel() -> None:
    # The windows of the first image have 3 and 2; columns 2 to 7 lie under both.
    expected = [3, 3, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2, 2]
    np.testing.assert_allclose(pictures.nats_maps(TERM_MAPS, "new")[0, 5], expected)


def of_column(figure: go.Figure, column: int) -> NDArray[np.float64]:
    """What hover shows in a column of panels, (2, H, W)."""
    return np.stack([figure.data[3 * row + column].customdata for row in range(2)])


def test_first_column_shows_the_images() -> None:
    np.testing.assert_array_equal(of_column(draw(article_scale=True), 0), PAIR)


@pytest.mark.parametrize("column", [1, 2])
def test_on_the_article_scale_both_maps_of_a_score_span_1_to_10_together(column: int) -> None:
    shown = of_column(draw(article_scale=True), column)
    assert (shown[0].min(), shown[1].max()) == (1, 10)
    assert shown[0].max() < 10
    assert shown[1].min() > 1


def test_on_the_article_scale_all_maps_share_one_logarithmic_axis() -> None:
    figure = draw(article_scale=True)
    assert [trace.coloraxis for trace in figure.data] == ["coloraxis", "coloraxis2", "coloraxis2"] * 2
    assert (figure.layout.coloraxis2.cmin, figure.layout.coloraxis2.cmax) == (0, 1)


def test_in_nats_both_maps_of_a_score_share_one_axis_set_by_held_out_windows() -> None:
    figure = draw(article_scale=False)
    assert [trace.coloraxis for trace in figure.data] == ["coloraxis", "coloraxis2", "coloraxis3"] * 2
    for axis in (figure.layout.coloraxis2, figure.layout.coloraxis3):
        assert (axis.cmin, axis.cmax) == pytest.approx((11, 1000))


@pytest.mark.parametrize("article_scale", [True, False])
def test_maps_have_the_chosen_colours(article_scale: bool) -> None:
    axis = draw(article_scale=article_scale).layout.coloraxis2
    assert axis.colorscale[0][1] == "#440154"  # the first of Viridis


@pytest.mark.parametrize(("article_scale", "unit"), [(True, "on the scale 1..10"), (False, "nats")])
def test_hover_names_the_unit(article_scale: bool, unit: str) -> None:
    assert f"}} {unit}<extra>" in draw(article_scale=article_scale).data[1].hovertemplate


def test_titles_name_the_images_and_their_scores() -> None:
    titles = [note.text for note in draw(article_scale=True).layout.annotations]
    assert titles == ["normal: one", "old 10", "new 3", "anomalous: nine", "old 20", "new 4"]
