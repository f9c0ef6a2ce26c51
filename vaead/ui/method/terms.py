"""Step 3: D, A and M of a patch that one picks."""

from __future__ import annotations

import streamlit as st

from vaead.i18n.texts import Texts
from vaead.plots.panels import Panel, Scale, panels
from vaead.scoring.loss_terms import TERMS
from vaead.ui.method.example import Example
from vaead.ui.method.section import section
from vaead.ui.shared.plots import show_as_high
from vaead.ui.shared.query_params import change, fragment
from vaead.ui.shared.widgets import slider
from vaead.ui.shared.window_view import show_bars, show_pictures
from vaead.ui.shared.windows import Window, numbers_of

_FORMULA = r"""\begin{aligned}
D &= -\tfrac12 \textstyle\sum (1 + v - m^2 - e^v) \\
m &= z_\mathrm{mean}, \quad v = z_\mathrm{log\,var} \\
A &= \tfrac12 \textstyle\sum \log(2 \pi \sigma^2) \\
M &= \tfrac12 \textstyle\sum (x - \mu)^2 / \sigma^2 \\
\mathrm{old} &= D + A + M, \quad \mathrm{new} = M
\end{aligned}"""
_SHOWN = (*TERMS, "old", "new")


@fragment
def show(example: Example, titles: list[str], texts: Texts) -> None:
    """Show both images, one window of them, and its terms."""
    control, figure = section("terms", _FORMULA, texts)
    grid = example.grid
    hottest, last = Window.hottest(example.found).number(grid), 2 * grid.shape[0] * grid.shape[1] - 1
    with control:
        window = Window.of_number(slider("patch", 0, last, hottest, texts), grid)
    place = window.image, *window.place
    row = [
        Panel(image, 0, title, frames=[window.frame(grid)] if window.image == index else [], numbers=numbers)
        for index, (image, title, numbers) in enumerate(
            zip(example.pair, titles, numbers_of(grid), strict=True)
        )
    ]
    drawn = panels([row], [Scale(0, 255, "Greys", reverse=True)], texts("compare.hover"))
    with figure:
        show_as_high(drawn, "terms", texts("method.terms_alt"), "min(calc(50cqw + 28px), 300px)", _take)
        show_pictures(example.decoded_pair.window(place), "terms_window", texts)
        values = {name: float(example.found[name][place]) for name in _SHOWN}
        show_bars(values, example.windows, window.place, "terms_bars", texts, narrow=True)
        st.caption(texts("inspector.legend", images=len(example.images)))


def _take(number: int) -> None:
    change(patch=number)
