"""On the page Evaluate: a threshold, what it flags, and the images it is most wrong about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from vaead.calibration.thresholds import NormalScores
from vaead.data.datasets import Dataset, get_spec
from vaead.i18n.texts import Texts
from vaead.metrics.image import Confusion, best_f1_threshold, recall_threshold
from vaead.model.split_scores import SplitScores
from vaead.plots.charts import Axes, histogram
from vaead.plots.gallery import tiles
from vaead.ui.evaluate.test_scores import Sides, numbers_in_class
from vaead.ui.shared.controls import THRESHOLDS
from vaead.ui.shared.labels import class_name
from vaead.ui.shared.plots import show_chart, show_clickable
from vaead.ui.shared.query_params import fragment
from vaead.ui.shared.widgets import percent, segments, show_link

_WORST = 12
_COLUMNS = 6


@dataclass(frozen=True)
class Subject:
    """Scores of a model on two sides of a test split, and the names of the sides."""

    dataset: Dataset
    scores: SplitScores
    sides: Sides
    calibration: NormalScores
    names: dict[str, str]


@dataclass(frozen=True)
class _Measure:
    """Values that a threshold is compared with: those of a score, by a rule.

    Attributes:
        score: One of `SCORES`.
        rule: One of `RULES`.
        values: (N,), of the whole test split.
        name: In the language of the page.
        axis: The same, with its unit where it has one.
    """

    score: str
    rule: str
    values: NDArray[np.float32]
    name: str
    axis: str

    @classmethod
    def of(cls, subject: Subject, score: str, rule: str, texts: Texts) -> _Measure:
        values, shown = subject.scores.by(rule)[score], texts(f"score.{score}")
        name = texts("evaluate.score_name", score=shown)
        if rule == "window":
            name = texts("evaluate.window_name", score=shown)
        axis = f"{name} ({texts('compare.nats')})"
        if score == "calibrated":
            # The largest of many windows of a normal image is well above 1, how far depends on the model.
            axis = name if rule == "window" else f"{name} ({texts('evaluate.unit_calibrated')})"
        return cls(score, rule, values, name, axis)


@fragment
def show(subject: Subject, texts: Texts) -> None:
    """Show histograms, threshold, counts and worst images. A fragment: the threshold moves nothing else."""
    st.header(texts("evaluate.threshold_title"), anchor=False)
    with st.container(horizontal=True, gap="medium"):
        score, rule, source = (segments(key, texts) for key in ("score", "rule", "threshold"))
        rate = percent("false_alarms", texts) if source == THRESHOLDS[0] else 0
    measure = _Measure.of(subject, score, rule, texts)
    value, sentence = _threshold(subject, measure, source, rate, texts)
    st.markdown(sentence)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _histogram(subject, measure, value, texts)
    with right:
        normal, anomalous = measure.values[subject.sides.normal], measure.values[subject.sides.anomalous]
        _counts(Confusion.at(value, normal, anomalous), subject.names, texts)
    _worst(subject, measure, texts)


def _threshold(
    subject: Subject, measure: _Measure, source: str, rate: int, texts: Texts
) -> tuple[float, str]:
    """The threshold, and where it comes from in words."""
    if source == THRESHOLDS[0]:
        found = subject.calibration.threshold(measure.score, rate / 100, measure.rule)
        shown = {name: f"{number:.3g}" for name, number in found._asdict().items()}
        images = f"{subject.calibration.n_images:,}"
        return found.value, texts("evaluate.by_rate", name=measure.name, rate=rate, images=images, **shown)
    normal, anomalous = measure.values[subject.sides.normal], measure.values[subject.sides.anomalous]
    value = best_f1_threshold(normal, anomalous) if source == THRESHOLDS[1] else recall_threshold(anomalous)
    key = "by_f1" if source == THRESHOLDS[1] else "by_recall"
    return value, texts(f"evaluate.{key}", name=measure.name, value=f"{value:.3g}")


def _histogram(subject: Subject, measure: _Measure, value: float, texts: Texts) -> None:
    sides = subject.sides
    named = {
        f"{texts(f'compare.{role}')}: {subject.names[role]}": measure.values[side]
        for role, side in (("normal", sides.normal), ("anomalous", sides.anomalous))
    }
    axes = Axes(measure.axis, texts("evaluate.share_axis"))
    line = texts("evaluate.threshold_line", value=f"{value:.3g}")
    alt = texts("evaluate.histogram_alt", name=measure.name, value=f"{value:.3g}")
    show_chart(histogram(named, value, line, axes), "histogram", alt)


def _counts(counts: Confusion, names: dict[str, str], texts: Texts) -> None:
    flagged = counts.false_positives, counts.true_positives
    passed = counts.true_negatives, counts.false_negatives
    st.table(
        {
            "": [f"{texts(f'compare.{role}')}: {name}" for role, name in names.items()],
            texts("evaluate.flagged"): [f"{count:,}" for count in flagged],
            texts("evaluate.passed"): [f"{count:,}" for count in passed],
        },
        hide_index=True,
    )
    shares = {
        "recall": (counts.true_positives, counts.true_positives + counts.false_negatives),
        "precision": (counts.true_positives, counts.true_positives + counts.false_positives),
        "false_alarm_rate": (counts.false_positives, counts.false_positives + counts.true_negatives),
    }
    with st.container(horizontal=True, gap="medium"):
        for name, (part, whole) in shares.items():
            st.metric(texts(f"evaluate.{name}"), f"{part / whole:.3f}" if whole else "–", width="content")
        st.metric("F1", f"{counts.f1:.3f}", width="content")


def _worst(subject: Subject, measure: _Measure, texts: Texts) -> None:
    """Galleries of the images that a score is most wrong about; each leads to Compare."""
    sides, values = subject.sides, measure.values
    misses = sides.anomalous[np.argsort(values[sides.anomalous], kind="stable")[:_WORST]]
    false_alarms = sides.normal[np.argsort(-values[sides.normal], kind="stable")[:_WORST]]
    left, right = st.columns(2, gap="large")
    with left:
        _gallery("anomalous", subject, misses, measure, texts)
    with right:
        _gallery("normal", subject, false_alarms, measure, texts)


def _gallery(role: str, subject: Subject, indices: NDArray[np.intp], measure: _Measure, texts: Texts) -> None:
    key = "misses" if role == "anomalous" else "false_alarm_images"
    test, spec = subject.dataset.test, get_spec(subject.dataset.name)
    labels, numbers = test.labels[indices].tolist(), numbers_in_class(test.labels)[indices].tolist()
    names = [
        texts("evaluate.tile", image=class_name(texts, spec, label), number=number)
        for label, number in zip(labels, numbers, strict=True)
    ]
    hovers = [
        f"{name}<br>{measure.name} {value:.3g}"
        for name, value in zip(names, measure.values[indices], strict=True)
    ]
    st.markdown(f"**{texts(f'evaluate.{key}')}**", help=texts("evaluate.gallery_help"))
    figure = tiles(test.images[indices], _COLUMNS, hovers)
    clicked = show_clickable(figure, key, texts(f"evaluate.{key}"))
    if clicked is not None:
        image = {role: labels[clicked], "normal_image": None, "anomalous_image": None}
        image |= {"dataset": spec.name, f"{role}_image": numbers[clicked]}
        show_link(texts("evaluate.open", image=names[clicked]), f"open_{role}", image)
