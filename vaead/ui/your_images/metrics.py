"""Step 3 of the page "Your images": how good the scores are, where labels or masks tell."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

import streamlit as st

from vaead.i18n.texts import Texts
from vaead.inference.evaluate_photos import ALL, DefectMetrics, Figures
from vaead.scoring.loss_terms import SCORES
from vaead.ui.your_images import detail

NAMES = ("auroc", "best_f1", "pixel_auroc", "aupro")
"""Metrics in `DefectMetrics`."""

_OF_DEFECTS = ("auroc", "pixel_auroc", "aupro")


def show(metrics: Sequence[DefectMetrics], score: str, texts: Texts) -> None:
    """Show tables of metrics; nothing where there are none.

    Args:
        metrics: Of each defect, and last of all.
        score: The score of the second table.
        texts: The language.
    """
    *defects, joint = metrics
    if not any(_known(joint, name) for name in NAMES):
        return
    left, right = st.columns(2, gap="large") if len(defects) > 1 else (st.container(), None)
    with left:
        _scores(joint, texts)
    if right is not None:
        with right:
            _defects(metrics, score, texts)
    counts = {"normal": joint.n_normal, "anomalous": joint.n_anomalous}
    st.caption(texts("own.metrics_caption", **counts))


def metrics_csv(metrics: Sequence[DefectMetrics]) -> str:
    """One row a defect and score; what cannot be told is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["defect", "n_normal", "n_anomalous", "score", *NAMES])
    for each in metrics:
        for score in SCORES:
            values = [_figures(each, name)[score] for name in NAMES]
            cells = ["" if value is None else f"{value:.6g}" for value in values]
            writer.writerow([each.defect, each.n_normal, each.n_anomalous, score, *cells])
    return buffer.getvalue()


def _figures(metrics: DefectMetrics, name: str) -> Figures:
    figures: Figures = getattr(metrics, name)
    return figures


def _known(metrics: DefectMetrics, name: str) -> bool:
    return any(value is not None for value in _figures(metrics, name).values())


def _scores(joint: DefectMetrics, texts: Texts) -> None:
    """All scores, over all defects."""
    names = [name for name in NAMES if _known(joint, name)]
    table = {texts("evaluate.metric"): [texts(f"own.metric_{name}") for name in names]}
    for score in SCORES:
        table[texts(f"score.{score}")] = [_cell(_figures(joint, name), score) for name in names]
    st.markdown(texts("own.metrics_all"))
    st.table(table, hide_index=True)


def _cell(values: Mapping[str, float | None], score: str) -> str:
    """The value of a score, in bold if no other is better."""
    best = max(value for value in values.values() if value is not None)
    return f"**{_shown(values[score])}**" if values[score] == best else _shown(values[score])


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _defects(metrics: Sequence[DefectMetrics], score: str, texts: Texts) -> None:
    """One score, defect by defect."""
    names = [name for name in _OF_DEFECTS if _known(metrics[-1], name)]
    shown = [
        texts("own.all_defects") if each.defect == ALL else detail.defect_name(each.defect, texts)
        for each in metrics
    ]
    table = {
        texts("own.defect"): shown,
        texts("own.n_images"): [f"{each.n_anomalous:,}" for each in metrics],
    }
    for name in names:
        table[texts(f"own.metric_{name}")] = [_shown(_figures(each, name)[score]) for each in metrics]
    st.markdown(texts("own.metrics_defects", score=texts(f"score.{score}")))
    st.table(table, hide_index=True)
