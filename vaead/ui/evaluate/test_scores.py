"""The scores of a whole test split, computed once for all visitors, and what follows from them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from vaead.data.datasets import Dataset
from vaead.i18n.texts import Texts
from vaead.metrics.image import Evaluation
from vaead.model.model import Model
from vaead.model.split_scores import Scores, SplitScores
from vaead.model.store import ModelStore
from vaead.recipe import Recipe
from vaead.ui.shared.cache import changed_ns

_SPLITS_IN_MEMORY = 64
"""240 kB each with 10,000 test images."""
_EVALUATIONS_IN_MEMORY = 512


@dataclass(frozen=True)
class Sides:
    """The test images that are compared, by their indices in the test split.

    Attributes:
        normal: (n,).
        anomalous: (m,).
    """

    normal: NDArray[np.intp]
    anomalous: NDArray[np.intp]

    @classmethod
    def from_labels(cls, labels: NDArray[np.integer], normal: int, anomalous: int | None) -> Sides:
        """The images of a normal class and of an anomalous one, or of all others if that is None."""
        other = labels != normal if anomalous is None else labels == anomalous
        return cls(np.flatnonzero(labels == normal), np.flatnonzero(other))


class _Split:
    """The scores of one model; the first visitor computes them, and those who come meanwhile wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scores: SplitScores | None = None

    def get(self, model: Model, dataset: Dataset, texts: Texts) -> SplitScores:
        with self._lock:
            if self._scores is None:
                self._scores = _read(model, dataset) or _compute(model, dataset, texts)
            return self._scores


def split_scores(recipe: Recipe, model: Model, dataset: Dataset, texts: Texts) -> SplitScores:
    """The scores of the whole test split, with a progress bar while they are computed."""
    return _split(recipe, changed_ns(recipe)).get(model, dataset, texts)


@st.cache_resource(max_entries=_SPLITS_IN_MEMORY, show_spinner=False)
def _split(recipe: Recipe, changed: int) -> _Split:  # noqa: ARG001 - the key of the cache
    return _Split()


def _read(model: Model, dataset: Dataset) -> SplitScores | None:
    """The scores that come with the model, if they are of these images."""
    folder = ModelStore().folder(model.card.recipe)
    return SplitScores.read(folder, dataset.test.images) if isinstance(folder, Path) else None


def _compute(model: Model, dataset: Dataset, texts: Texts) -> SplitScores:
    place = st.empty()

    def on_progress(done: int, total: int) -> None:
        share = done / max(total, 1)
        place.progress(
            min(share, 1.0),
            texts("evaluate.scoring", images=f"{len(dataset.test.images):,}", done=f"{share:.0%}"),
        )

    found = SplitScores.compute(model, dataset.test.images, on_progress)
    place.empty()
    return found


def evaluations(recipe: Recipe, anomalous: int | None, scores: Scores, sides: Sides) -> dict[str, Evaluation]:
    """The metrics of each score with their intervals.

    Raises:
        InvalidInputError: A score is not a number.
    """
    return _evaluations(recipe, changed_ns(recipe), anomalous, scores, sides)


@st.cache_resource(max_entries=_EVALUATIONS_IN_MEMORY, show_spinner=False)
def _evaluations(
    recipe: Recipe,  # noqa: ARG001 - the first three are the key of the cache
    changed: int,  # noqa: ARG001
    anomalous: int | None,  # noqa: ARG001
    _scores: Scores,
    _sides: Sides,
) -> dict[str, Evaluation]:
    return {
        score: Evaluation.compute(values[_sides.normal], values[_sides.anomalous])
        for score, values in _scores.items()
    }


def numbers_in_class(labels: NDArray[np.integer]) -> NDArray[np.intp]:
    """The number of each test image within its class, as the page Compare counts, (N,)."""
    numbers = np.empty(len(labels), dtype=np.intp)
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        numbers[places] = np.arange(len(places))
    return numbers
