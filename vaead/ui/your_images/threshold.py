"""Step 3 of the page "Your images": where the threshold lies among normal images and those to judge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from vaead.calibration.thresholds import NormalScores
from vaead.i18n.format import number
from vaead.i18n.texts import Texts
from vaead.inference.prediction import Prediction
from vaead.plots.charts import Axes, histogram
from vaead.ui.shared.plots import show_chart
from vaead.ui.your_images.predictions import Results

PERCENTS = (0.1, 0.2, 0.5, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 50)
"""False-alarm rates to choose from."""
USUAL = 5
_HEIGHT_PX = 190


def choose(results: Results, score: str, texts: Texts) -> float:
    """Show the scores of calibration images, the images to judge as ticks, and the threshold as a slider.

    Returns:
        The share of normal images that may be flagged.
    """
    chosen = st.session_state.get("own_rate", USUAL)  # the slider stands below what follows from it
    calibration = results.calibration
    with st.container(key="own_threshold"):
        _figure(calibration, list(results.scored.values()), score, chosen / 100, texts)
        percent = st.select_slider(
            texts("control.false_alarms"),
            PERCENTS,
            value=USUAL,
            format_func=lambda each: f"{each:g} %",
            key="own_rate",
            help=texts("control.false_alarms_help"),
        )
        st.caption(in_words(calibration, percent / 100, texts))
    return float(percent) / 100


def in_words(calibration: NormalScores, rate: float, texts: Texts) -> str:
    """How many false alarms to expect in 1,000 normal images, and how sure that is."""
    low, high = calibration.false_alarm_interval(rate)
    return texts(
        "threshold.words",
        expected=f"{1000 * rate:g}",
        low=f"{1000 * low:.0f}",
        high=f"{1000 * high:.0f}",
        images=f"{calibration.n_images:,}",
    )


def _figure(
    calibration: NormalScores, judged: Sequence[Prediction], score: str, rate: float, texts: Texts
) -> None:
    value = calibration.threshold_value(score, rate)
    ticks = np.array([each.scores[score] for each in judged if score in each.scores])
    name = texts(f"score.{score}")
    figure = histogram(
        {texts("threshold.normal"): calibration.typical_scores(score)},
        value,
        texts("evaluate.threshold_line", value=number(value)),
        Axes(texts("evaluate.score_name", score=name), texts("evaluate.share_axis")),
        ticks={texts("threshold.judged"): ticks} if len(ticks) else {},
        height_px=_HEIGHT_PX,
    )
    above = int((ticks > value).sum())
    alt = texts("threshold.alt", score=name, value=number(value), above=above, count=len(ticks))
    show_chart(figure, "own_histogram", alt)
