"""Downloads of the page Evaluate as CSV, made only when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from vaead.data.datasets import Dataset, DatasetSpec
from vaead.i18n.texts import Texts
from vaead.inference.tables import to_csv
from vaead.metrics.image import METRICS, Evaluation
from vaead.model.split_scores import SplitScores
from vaead.recipe import Recipe
from vaead.ui.evaluate.test_scores import numbers_in_class


def scores(split: SplitScores, dataset: Dataset, recipe: Recipe, texts: Texts) -> None:
    """Offer the scores of all test images: class, number of the image in it, and one column a score.

    The last column holds the largest window of the calibrated score. Of old and new, it is the image score.
    """

    def rows() -> Iterable[Sequence[object]]:
        values = split.image | {"calibrated_largest_window": split.largest["calibrated"]}
        yield "class", "image", *values
        labels, numbers = dataset.test.labels, numbers_in_class(dataset.test.labels)
        for index, (label, number) in enumerate(zip(labels.tolist(), numbers.tolist(), strict=True)):
            yield label, number, *(f"{column[index]:.6g}" for column in values.values())

    _button(texts("download.scores"), "scores", f"{_name(recipe)}_scores", rows)


def metrics(results: dict[str, Evaluation], recipe: Recipe, anomalous: int | None, texts: Texts) -> None:
    """Offer the metrics with their intervals, one row a score and metric."""

    def rows() -> Iterable[Sequence[object]]:
        yield "score", "metric", "value", "low", "high"
        for score, result in results.items():
            for metric in METRICS:
                numbers = (getattr(result.metrics, metric), *result.intervals[metric])
                yield score, metric, *(f"{number:.6g}" for number in numbers)

    against = "all" if anomalous is None else anomalous
    _button(texts("download.metrics"), "metrics", f"{_name(recipe)}_against_{against}_metrics", rows)


def matrix(values: NDArray[np.float64], name: str, spec: DatasetSpec, texts: Texts) -> None:
    """Offer a matrix of all pairs, rows normal and columns anomalous classes."""

    def rows() -> Iterable[Sequence[object]]:
        yield "normal \\ anomalous", *spec.class_names
        for class_name, row in zip(spec.class_names, values, strict=True):
            yield class_name, *("" if np.isnan(value) else f"{value:.5f}" for value in row)

    _button(texts("download.matrix"), "matrix", name, rows)


def _name(recipe: Recipe) -> str:
    return str(recipe.path).replace("/", "_")


def _button(label: str, key: str, name: str, rows: Callable[[], Iterable[Sequence[object]]]) -> None:
    st.download_button(
        label,
        data=lambda: to_csv(rows()),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=f"download_{key}",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )
