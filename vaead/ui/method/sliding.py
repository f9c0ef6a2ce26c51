"""Step 5: a window slides over the image, and the map grows."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from vaead.i18n.format import number
from vaead.i18n.texts import Texts
from vaead.plots.panels import Panel, Scale, panels
from vaead.scoring.patches import PatchGrid, fold_scores
from vaead.ui.method.example import Example
from vaead.ui.method.section import section
from vaead.ui.shared.phone import is_phone
from vaead.ui.shared.plots import mean_scale, show_as_high
from vaead.ui.shared.query_params import fragment
from vaead.ui.shared.widgets import slider
from vaead.ui.shared.windows import Window

_FORMULA = (
    r"\begin{aligned}\mathrm{map}(p) &= \mathrm{mean}_{w \ni p}\ \mathrm{score}(w) \\"
    r"\mathrm{image} &= \max_w\ \mathrm{score}(w)\end{aligned}"
)
_SCORES = ("old", "new")


@fragment
def show(example: Example, title: str, texts: Texts) -> None:
    """Show the anomalous image with the window, and the maps of all windows so far."""
    grid = example.grid
    count = grid.shape[0] * grid.shape[1]
    stride = example.model.card.recipe.networks[0].stride
    control, figure = section("map", _FORMULA, texts, stride=stride, windows=count)
    with control:
        done = slider("map_windows", 1, count, count // 2, texts)
    window = Window.of_number(count + done - 1, grid)
    normal = example.model.card.normal_scores
    row = [Panel(example.pair[1], 0, title, texts("compare.of_255"), frames=[window.frame(grid)])]
    scales = [Scale(0, 255, "Greys", reverse=True)]
    sentences = []
    for column, score in enumerate(_SCORES, start=1):
        windows, name = example.found[score][1], texts(f"score.{score}")
        bar = "" if is_phone() else texts("compare.bar_score", score=name)
        scales.append(mean_scale(normal, score, "Blues", bar, column))
        frames = [window.frame(grid)]
        row.append(
            Panel(growing_map(windows, done, grid), column, name, texts("compare.nats"), frames=frames)
        )
        values = {"here": number(windows[window.place]), "highest": number(windows.ravel()[:done].max())}
        sentences.append(texts("method.map_so_far", score=name, **values))
    drawn = panels([row], scales, texts("compare.hover"))
    drawn.layout.dragmode = False
    with figure:
        show_as_high(drawn, "map", texts("method.map_alt"), f"calc(33cqw + {28 if is_phone() else 84}px)")
        st.markdown("  \n".join(sentences))


def growing_map(windows: NDArray[np.float32], done: int, grid: PatchGrid) -> NDArray[np.float32]:
    """For each pixel the mean of the first so many windows over it, NaN where there is none; (H, W)."""
    seen = (np.arange(windows.size) < done).reshape(1, *windows.shape).astype(np.float32)
    total, covered = fold_scores(windows * seen, grid)[0], fold_scores(seen, grid)[0]
    return np.where(covered > 0, total / np.maximum(covered, 1), np.nan).astype(np.float32)
