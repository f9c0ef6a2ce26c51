import numpy as np

from vaead.plots.charts import Axes
from vaead.plots.pair_dots import PairDots, pair_dots

DOTS = [
    PairDots("first", np.array([0.5, 0.6]), np.array([0.7, 0.4]), ["a", "b"], first=0),
    PairDots("second", np.array([0.9]), np.array([1.0]), ["c"], first=2),
]


def test_clicks_tell_numbers_that_run_on_from_dataset_to_dataset() -> None:
    figure = pair_dots(DOTS, Axes("old", "new"))
    assert [trace.customdata.tolist() for trace in figure.data] == [[[0], [1]], [[2]]]
    assert [trace.text for trace in figure.data] == [("a", "b"), ("c",)]


def test_line_of_equal_scores_is_the_diagonal() -> None:
    (line,) = pair_dots(DOTS, Axes("old", "new")).layout.shapes
    assert (line.x0, line.y0, line.x1, line.y1) == (0, 0, 1, 1)
