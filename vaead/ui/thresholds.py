"""On the page Evaluate: a threshold, what it flags, and the images it is most wrong about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from vaead.card import ModelCard
from vaead.charts import Axes, histogram, tiles
from vaead.datasets import Dataset, get_spec
from vaead.evaluation import Confusion, best_f1_threshold, recall_threshold
from vaead.recipe import Recipe
from vaead.terms import SCORES
from vaead.ui import controls, leaving, state
from vaead.ui.scores import Scores, Sides, numbers_in_class
from vaead.ui.texts import Texts

RULES = ("false alarms", "best F1", "95 % recall")
"""How a threshold is set; written into the address, so the same in every language."""

_WORST = 12
_COLUMNS = 6
_FALSE_ALARMS = 5


@dataclass(frozen=True)
class Subject:
    """What is evaluated: a model's scores of two sides of a test split, whose names are shown."""

    recipe: Recipe
    dataset: Dataset
    scores: Scores
    sides: Sides
    card: ModelCard
    names: dict[str, str]


@st.fragment
def show(subject: Subject, texts: Texts) -> None:
    """Show histograms, threshold, counts and worst images. A fragment: the threshold moves nothing else."""
    leaving.go()
    st.subheader(texts("evaluate.threshold_title"), anchor=False)
    with st.container(horizontal=True, gap="medium"):
        score = controls.segments(texts("evaluate.score"), tuple(reversed(SCORES)), "score")
        rule = controls.segments(texts("evaluate.rule"), RULES, "threshold", help=texts("evaluate.rule_help"))
        rate = _FALSE_ALARMS
        if rule == RULES[0]:
            rate = controls.percent(texts("evaluate.rate"), "false_alarms", _FALSE_ALARMS)
    values = subject.scores[score]
    normal, anomalous = values[subject.sides.normal], values[subject.sides.anomalous]
    value, sentence = _threshold(subject.card, score, rule, rate, (normal, anomalous), texts)
    st.markdown(sentence)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _histogram(subject, score, value, texts)
    with right:
        _counts(Confusion.at(value, normal, anomalous), subject.names, texts)
    _worst(subject, values, texts)


def _threshold(
    card: ModelCard,
    score: str,
    rule: str,
    rate: int,
    sides: tuple[NDArray[np.float32], NDArray[np.float32]],
    texts: Texts,
) -> tuple[float, str]:
    """The threshold, and where it comes from in words."""
    if rule == RULES[0]:
        found = card.calibration.threshold(score, rate / 100)
        shown = {name: f"{number:.3g}" for name, number in found._asdict().items()}
        return found.value, texts(
            "evaluate.by_rate", rate=rate, images=f"{card.calibration.images:,}", **shown
        )
    value = best_f1_threshold(*sides) if rule == RULES[1] else recall_threshold(sides[1])
    key = "by_f1" if rule == RULES[1] else "by_recall"
    return value, texts(f"evaluate.{key}", value=f"{value:.3g}")


def _histogram(subject: Subject, score: str, value: float, texts: Texts) -> None:
    values, sides = subject.scores[score], subject.sides
    named = {
        f"{texts(f'compare.{role}')}: {subject.names[role]}": values[side]
        for role, side in (("normal", sides.normal), ("anomalous", sides.anomalous))
    }
    unit = texts("evaluate.unit_calibrated") if score == "calibrated" else texts("compare.nats")
    axes = Axes(
        texts("evaluate.score_axis", score=texts(f"score.{score}"), unit=unit), texts("evaluate.share_axis")
    )
    name = texts("evaluate.threshold_line", value=f"{value:.3g}")
    st.plotly_chart(
        histogram(named, value, name, axes),
        key="histogram",
        alt=texts("evaluate.histogram_alt", score=texts(f"score.{score}"), value=f"{value:.3g}"),
        config={"displayModeBar": False},
    )


def _counts(counts: Confusion, names: dict[str, str], texts: Texts) -> None:
    st.table(
        {
            "": [f"{texts(f'compare.{role}')}: {name}" for role, name in names.items()],
            texts("evaluate.flagged"): [f"{count:,}" for count in (counts.false_alarms, counts.found)],
            texts("evaluate.passed"): [f"{count:,}" for count in (counts.true_normals, counts.missed)],
        },
        hide_index=True,
    )
    shares = {
        "recall": (counts.found, counts.found + counts.missed),
        "precision": (counts.found, counts.found + counts.false_alarms),
        "false_alarm_rate": (counts.false_alarms, counts.false_alarms + counts.true_normals),
    }
    with st.container(horizontal=True, gap="medium"):
        for name, (part, whole) in shares.items():
            st.metric(texts(f"evaluate.{name}"), f"{part / whole:.3f}" if whole else "–", width="content")
        st.metric("F1", f"{counts.f1:.3f}", width="content")


def _worst(subject: Subject, values: NDArray[np.float32], texts: Texts) -> None:
    """Galleries of the images that a score is most wrong about; each leads to Compare."""
    sides = subject.sides
    misses = sides.anomalous[np.argsort(values[sides.anomalous], kind="stable")[:_WORST]]
    false_alarms = sides.normal[np.argsort(-values[sides.normal], kind="stable")[:_WORST]]
    left, right = st.columns(2, gap="large")
    with left:
        _gallery("misses", "anomalous", subject, misses, values, texts)
    with right:
        _gallery("false_alarm_images", "normal", subject, false_alarms, values, texts)


def _gallery(
    key: str, role: str, subject: Subject, places: NDArray[np.intp], values: NDArray[np.float32], texts: Texts
) -> None:
    labels = subject.dataset.test.labels[places].tolist()
    numbers = numbers_in_class(subject.dataset.test.labels)[places].tolist()
    spec = get_spec(subject.dataset.name)
    hovers = [
        texts(
            "evaluate.tile_hover",
            name=state.class_name(texts, spec, label),
            number=number,
            score=f"{values[place]:.3g}",
        )
        for label, number, place in zip(labels, numbers, places, strict=True)
    ]

    def take() -> None:
        points: Sequence[dict[str, int]] = st.session_state[key].selection.points
        if points:
            chosen = int(points[0]["point_index"])
            leaving.choose_image(role, labels[chosen], numbers[chosen])

    st.markdown(f"**{texts(f'evaluate.{key}')}**", help=texts("evaluate.gallery_help"))
    st.plotly_chart(
        tiles(subject.dataset.test.images[places], _COLUMNS, hovers),
        key=key,
        on_select=take,
        selection_mode="points",
        width="content",
        config={"displayModeBar": False},
        alt=texts(f"evaluate.{key}"),
    )
