import pytest

from vaead.plots.score_bands import ScoreBand, score_bands

ROWS = [
    ScoreBand("calibrated", (1, 2, 3, 4, 5), (3, 9)),
    ScoreBand("new", (100, 100, 100, 100, 100), (100, 101)),
]


def test_each_row_runs_from_0_to_1_between_its_outer_quantiles() -> None:
    normal, anomalous = score_bands(ROWS, ["1", "9"], "title").data
    assert (normal.name, anomalous.name) == ("1", "9")
    assert list(normal.x) == pytest.approx([0.5, 0])
    assert list(anomalous.x) == pytest.approx([2, 1])
    assert list(anomalous.customdata) == [9, 101]


def test_band_holds_all_halves_and_the_median() -> None:
    shapes = score_bands(ROWS, ["1", "9"], "title").layout.shapes
    assert [(shape.x0, shape.x1) for shape in shapes[:3]] == [(0, 1), (0.25, 0.75), (0.5, 0.5)]


def test_rows_have_the_names_of_the_scores() -> None:
    axis = score_bands(ROWS, ["1", "9"], "title").layout.yaxis
    assert list(axis.ticktext) == ["calibrated", "new"]
