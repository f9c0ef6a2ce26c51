"""Step 6: one window against the same window of many normal images."""

from __future__ import annotations

import streamlit as st

from vaead.i18n.texts import Texts
from vaead.plots.charts import Axes, histogram
from vaead.plots.panels import Panel, Scale, panels
from vaead.scoring.loss_terms import TERMS
from vaead.ui.method.example import Example
from vaead.ui.method.section import HISTOGRAM_PX, section
from vaead.ui.shared.plots import show_as_high, show_chart
from vaead.ui.shared.query_params import change, fragment
from vaead.ui.shared.widgets import slider
from vaead.ui.shared.window_view import rank
from vaead.ui.shared.windows import Window, numbers_of

_FORMULA = r"""\begin{aligned}
f_w &= (\log M,\ \log D,\ A,\ z_\mathrm{mean}, \\
&\qquad \textstyle\sum (x - \mu) / \sigma) \\
d_w &= (f_w - \mathrm{median}_w) / \mathrm{spread}_w \\
\mathrm{places} &= d^\top \Sigma^{-1} d \,/\, n
\end{aligned}"""


@fragment
def show(example: Example, title: str, texts: Texts) -> None:
    """Show the anomalous image, and for one place of it histograms of normal images."""
    control, figure = section("calibration", _FORMULA, texts, images=len(example.images))
    grid, windows = example.grid, example.windows
    count = grid.shape[0] * grid.shape[1]
    hottest = Window.hottest(example.found).number(grid) - count
    with control:
        place = Window.of_number(slider("place_window", 0, count - 1, hottest, texts), grid)
    image = Panel(example.pair[1], 0, title, frames=[place.frame(grid)], numbers=numbers_of(grid)[0])
    drawn = panels([[image]], [Scale(0, 255, "Greys", reverse=True)], texts("compare.hover"))
    with control:
        show_as_high(drawn, "place", texts("method.calibration_alt"), "min(100cqw, 240px)", _take)
    row, column = place.place
    ranks = {}
    with figure:
        for box, letter, name in zip(st.columns(3), "dam", TERMS, strict=True):
            value = float(example.found[name][1, row, column])
            ranks[letter] = rank(windows.rank_here(name, place.place, value))
            axes = Axes(texts("compare.bar_score", score=letter.upper()), texts("evaluate.share_axis"))
            normal = {texts("method.calibration_normal"): windows.values[name][:, row, column]}
            with box:
                here = texts("method.calibration_here")
                bars = histogram(normal, value, here, axes, height_px=HISTOGRAM_PX)
                show_chart(bars, f"place_{name}", texts("method.calibration_alt"))
        st.markdown(texts("method.calibration_ranks", images=len(example.images), **ranks))


def _take(number: int) -> None:
    change(place_window=number)
