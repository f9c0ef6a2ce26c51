"""Step 3 of the page "Your images": how good the scores are, where labels or masks tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from vaead.evaluation import Confusion, Metrics, best_f1_threshold
from vaead.terms import SCORES
from vaead.ui.own_scoring import Results
from vaead.ui.texts import Texts


@dataclass(frozen=True)
class ImageMetrics:
    """How well a score tells labelled images apart, each from 0 to 1."""

    auroc: float
    best_f1: float


def image_metrics(results: Results) -> dict[str, ImageMetrics]:
    """Metrics of each score that all labelled images have; nothing without labels of both kinds."""
    found = {}
    for score in SCORES:
        sides: dict[bool, list[float]] = {True: [], False: []}
        for scored in results.scored:
            if scored.photo.anomalous is not None:
                sides[scored.photo.anomalous].append(scored.scores.get(score, np.nan))
        normal, anomalous = np.array(sides[False]), np.array(sides[True])
        if normal.size and anomalous.size and np.isfinite([*normal, *anomalous]).all():
            counts = Confusion.at(best_f1_threshold(normal, anomalous), normal, anomalous)
            found[score] = ImageMetrics(Metrics.of(normal, anomalous).auroc, counts.f1)
    return found


def show(results: Results, texts: Texts) -> None:
    """Show a table of metrics; nothing where there are none."""
    images, pixels = image_metrics(results), results.pixel_metrics()
    rows: dict[str, dict[str, float]] = {}
    if images:
        rows[texts("own.image_auroc")] = {name: each.auroc for name, each in images.items()}
        rows[texts("own.best_f1")] = {name: each.best_f1 for name, each in images.items()}
    if pixels:
        rows[texts("own.pixel_auroc")] = {name: each.auroc for name, each in pixels.items()}
        rows[texts("own.aupro")] = {name: each.aupro for name, each in pixels.items()}
    if not rows:
        return
    table: dict[str, list[str]] = {texts("evaluate.metric"): list(rows)}
    for score in SCORES:
        table[texts(f"score.{score}")] = [_cell(values, score) for values in rows.values()]
    st.table(table, hide_index=True)
    counts = {"normal": False, "anomalous": True}
    labelled = {
        role: sum(each.photo.anomalous is side for each in results.scored) for role, side in counts.items()
    }
    st.caption(texts("own.metrics_caption", **labelled))


def _cell(values: dict[str, float], score: str) -> str:
    if score not in values:
        return "–"
    text = f"{values[score]:.3f}"
    return f"**{text}**" if values[score] == max(values.values()) else text
