"""What the scores make of images that have nothing to do with the class."""

from __future__ import annotations

import streamlit as st

from vaead.i18n.texts import Texts
from vaead.plots.charts import Axes, histogram
from vaead.plots.panels import Panel, Scale, panels
from vaead.scoring.loss_terms import SCORES
from vaead.ui.method.example import Example
from vaead.ui.method.section import HISTOGRAM_PX, section
from vaead.ui.shared.controls import MADE
from vaead.ui.shared.plots import show_as_high, show_chart
from vaead.ui.shared.query_params import fragment
from vaead.ui.shared.widgets import segments
from vaead.ui.shared.window_view import rank

_FORMULA = r"\mathrm{calibrated} \propto -2 \log p_\mathrm{places} - \log p_\mathrm{whole}"


@fragment
def show(example: Example, texts: Texts) -> None:
    """Show an image that is made, and its scores among those of normal images."""
    control, figure = section("blank", _FORMULA, texts)
    with control:
        kind = segments("made_image", texts)
        index, name = MADE.index(kind), texts(f"instead.{kind.replace(' ', '_')}")
        picture = Panel(example.made[index], 0, name)
        drawn = panels([[picture]], [Scale(0, 255, "Greys", reverse=True)], texts("compare.hover"))
        drawn.layout.dragmode = False
        show_as_high(drawn, "made", name, "160px")
    ranks = {}
    with figure:
        for box, score in zip(st.columns(len(SCORES)), SCORES, strict=True):
            normal, value = example.normal_scores[score], float(example.made_scores[score][index])
            ranks[score] = rank(float((normal < value).mean()))
            axes = Axes(texts(f"score.{score}"), texts("evaluate.share_axis"))
            sides = {texts("method.calibration_normal"): normal}
            with box:
                bars = histogram(sides, value, texts("method.blank_here"), axes, height_px=HISTOGRAM_PX)
                show_chart(bars, f"blank_{score}", texts("method.blank_alt", score=texts(f"score.{score}")))
        st.markdown(texts("method.blank_ranks", name=name, images=len(example.images), **ranks))
