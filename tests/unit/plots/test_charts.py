from collections.abc import Sequence

import numpy as np
import pytest

from vaead.plots.charts import (
    AUROC_SCALE,
    Axes,
    MatrixScale,
    curves,
    difference_scale,
    histogram,
    matrix,
    roc_curves,
)

AXES = Axes("across", "up")
HOVER = "normal {normal}, anomalous {anomalous}: {value}"


def test_roc_has_a_line_a_score_and_the_diagonal_of_chance() -> None:
    figure = roc_curves({"old": ([0, 0.5, 1], [0, 0.8, 1]), "new": ([0, 1], [0, 1])}, AXES)
    assert [line.name for line in figure.data] == ["old", "new", None]
    assert tuple(figure.data[0].y) == (0, 0.8, 1)
    assert (figure.data[2].x, figure.data[2].y) == ((0, 1), (0, 1))


def test_bars_of_a_side_add_up_to_all_its_images() -> None:
    sides = {"normal": np.arange(200.0), "anomalous": np.array([50.0, 1e6])}
    normal, anomalous = histogram(sides, 100.0, "threshold", AXES).data
    assert (sum(normal.customdata), sum(anomalous.customdata)) == (200, 2)
    assert sum(anomalous.y) == pytest.approx(100)


def test_a_few_high_scores_do_not_stretch_the_axis() -> None:
    scores = np.append(np.linspace(0, 1, 1000), 1e6)
    figure = histogram({"normal": scores, "anomalous": scores}, 0.5, "threshold", AXES)
    assert figure.layout.xaxis.range[1] < 2


@pytest.mark.parametrize("threshold", [-5.0, 0.5, 9.0])
def test_threshold_lies_on_the_axis(threshold: float) -> None:
    sides = {"normal": np.linspace(0, 1, 50), "anomalous": np.linspace(0, 2, 50)}
    figure = histogram(sides, threshold, "threshold", AXES)
    low, high = figure.layout.xaxis.range
    assert figure.layout.shapes[0].x0 == threshold
    assert low < threshold < high


def test_equal_scores_can_be_drawn() -> None:
    figure = histogram({"normal": np.ones(3), "anomalous": np.ones(2)}, 1.0, "threshold", AXES)
    assert sum(figure.data[0].y) == pytest.approx(100)


@pytest.mark.parametrize(
    ("scores", "end", "symbols"),
    [([0.1, 1.2], 1.2, ["line-ns-open"] * 2), ([0.1, 50.0], 2.99, ["line-ns-open", "triangle-right"])],
)
def test_axis_ends_at_the_highest_tick_or_with_an_arrow(
    scores: list[float], end: float, symbols: list[str]
) -> None:
    sides, ticks = {"normal": np.linspace(0, 1, 101)}, {"judged": np.array(scores)}
    figure = histogram(sides, 1.0, "threshold", AXES, ticks)
    _, marks = figure.data
    assert marks.x[-1] == pytest.approx(end, rel=0.02)
    assert list(marks.marker.symbol) == symbols
    assert figure.layout.xaxis.range[1] < 1.1 * end


VALUES = np.array([[np.nan, 0.25], [1.0, np.nan]])


def test_cells_of_a_matrix_can_be_clicked_except_the_diagonal() -> None:
    heatmap, markers = matrix(VALUES, ["a", "b"], AUROC_SCALE, AXES, HOVER).data
    assert (markers.x.tolist(), markers.y.tolist()) == ([1, 0], [0, 1])
    assert markers.text == ("normal a, anomalous b: 0.250", "normal b, anomalous a: 1.000")
    assert heatmap.text == (["", "0.25"], ["1.00", ""])


def test_rows_are_normal_from_the_top() -> None:
    low, high = matrix(VALUES, ["a", "b"], AUROC_SCALE, AXES, HOVER).layout.yaxis.range
    assert low > high


def test_differences_carry_their_sign() -> None:
    figure = matrix(VALUES - 0.5, ["a", "b"], difference_scale(VALUES - 0.5), AXES, HOVER)
    assert figure.data[0].text == (["", "-0.25"], ["+0.50", ""])


@pytest.mark.parametrize(
    ("values", "size"),
    [(VALUES - 0.75, 0.5), (np.full((2, 2), np.nan), 1.0), (np.zeros((2, 2)), 1.0)],
)
def test_colours_of_differences_reach_as_far_down_as_up(values: np.ndarray, size: float) -> None:
    assert difference_scale(values) == MatrixScale(-size, 0.0, size)


@pytest.mark.parametrize(("epochs", "step"), [([4.0, 3.0], 1), ([1.0] * 45, 4)])
def test_curves_count_from_1_with_at_most_a_dozen_ticks(epochs: Sequence[float], step: int) -> None:
    figure = curves({"loss": epochs, "A": epochs}, "epoch", "nats")
    assert [trace.name for trace in figure.data] == ["loss", "A"]
    assert list(figure.data[1].x) == list(range(1, len(epochs) + 1))
    assert list(figure.data[1].y) == epochs
    assert figure.layout.xaxis.dtick == step
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("epoch", "nats")
