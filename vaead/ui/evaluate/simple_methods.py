"""Metrics of methods without a network on the same test images, computed once for all visitors."""

from __future__ import annotations

import numpy as np
import streamlit as st

from vaead.data.datasets import Dataset
from vaead.i18n.texts import Texts
from vaead.metrics.baselines import BASELINES, MOST, Baselines
from vaead.metrics.image import Evaluation
from vaead.ui.evaluate.test_scores import Sides

_CHUNK = 500
"""Images between two steps of the progress bar."""
_IN_MEMORY = 128


def evaluations(
    dataset: Dataset, normal: int, anomalous: int | None, sides: Sides, texts: Texts
) -> dict[str, Evaluation]:
    """Metrics of each baseline, fitted to training images of the normal class.

    Args:
        dataset: The dataset.
        normal: Normal class.
        anomalous: Anomalous class; None for all others.
        sides: Test images of the two.
        texts: Language of the progress.
    """
    found = _computed(dataset.name, normal, anomalous)
    if not found:
        found |= _compute(dataset, normal, sides, texts)
    return found


@st.cache_resource(max_entries=_IN_MEMORY, show_spinner=False)
def _computed(dataset: str, normal: int, anomalous: int | None) -> dict[str, Evaluation]:  # noqa: ARG001
    """Where the results are kept; visitors who come while they are computed compute them, too."""
    return {}


def _compute(dataset: Dataset, normal: int, sides: Sides, texts: Texts) -> dict[str, Evaluation]:
    place = st.empty()
    chosen = np.concatenate([sides.normal, sides.anomalous])
    baselines = Baselines.fit(dataset.train.of_class(normal)[:MOST])
    parts: dict[str, list[np.ndarray]] = {name: [] for name in BASELINES}
    for start in range(0, len(chosen), _CHUNK):
        place.progress(start / len(chosen), texts("evaluate.simple_running"))
        found = baselines.scores(dataset.test.images[chosen[start : start + _CHUNK]])
        for name, values in found.items():
            parts[name].append(values)
    place.empty()
    n_normal = len(sides.normal)
    scores = {name: np.concatenate(values) for name, values in parts.items()}
    return {name: Evaluation.compute(each[:n_normal], each[n_normal:]) for name, each in scores.items()}
