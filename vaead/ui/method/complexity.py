"""Step 4: the paper's figure, scores of simple and of complex patches with one threshold for both."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from vaead.i18n.format import number
from vaead.i18n.texts import Texts
from vaead.plots.charts import Axes, histogram
from vaead.ui.method.example import Example
from vaead.ui.method.section import section
from vaead.ui.shared.plots import show_chart
from vaead.ui.shared.query_params import fragment
from vaead.ui.shared.widgets import percent
from vaead.ui.shared.window_view import rank

_FORMULA = r"P\,(s_\mathrm{complex} > s_\mathrm{simple})"
_SCORES = ("old", "new")


@fragment
def show(example: Example, texts: Texts) -> None:
    """Show histograms of both sides for old and new, and what the threshold flags."""
    control, figure = section("complexity", _FORMULA, texts, images=len(example.images))
    with control:
        share = percent("share", texts) / 100
    low, high = np.quantile(example.variances, (1 / 3, 2 / 3))
    is_simple, is_complex = example.variances <= low, example.variances >= high
    with figure:
        for column, score in zip(st.columns(2), _SCORES, strict=True):
            values = example.windows.values[score]
            sides = values[is_simple], values[is_complex]
            with column:
                _histogram(score, sides, float(np.quantile(values, 1 - share)), texts)


def _histogram(
    score: str, sides: tuple[NDArray[np.float32], NDArray[np.float32]], threshold: float, texts: Texts
) -> None:
    names = [texts("method.complexity_simple"), texts("method.complexity_complex")]
    title = texts(f"score.{score}")
    axes = Axes(texts("compare.bar_score", score=title), texts("method.share_of_windows"))
    line = texts("evaluate.threshold_line", value=number(threshold))
    drawn = histogram(dict(zip(names, sides, strict=True)), threshold, line, axes)
    show_chart(drawn, f"complexity_{score}", texts("method.complexity_alt", score=title))
    flagged = {
        side: rank(float((values > threshold).mean()))
        for side, values in zip(("simple", "complex"), sides, strict=True)
    }
    higher = rank(_share_of_higher(*sides))
    st.markdown(texts("method.complexity_flagged", score=title, higher=higher, **flagged))


def _share_of_higher(low: NDArray[np.float32], high: NDArray[np.float32]) -> float:
    """Share of all pairs, one value of each, of which the second is higher; 1/2 where both are alike."""
    ordered = np.sort(low)
    below = [np.searchsorted(ordered, high, side) for side in ("left", "right")]
    return float(np.mean(below) / len(low))
