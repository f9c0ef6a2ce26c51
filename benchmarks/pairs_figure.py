"""Draw docs/pairs.png: old, new and calibrated over all pairs of classes of MNIST and Fashion-MNIST.

Reads what `python -m vaead pretrain` has measured; needs a Chromium. Run: python -m benchmarks.pairs_figure
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from playwright.sync_api import ViewportSize, sync_playwright
from plotly.subplots import make_subplots

from benchmarks.browser import launch
from vaead.metrics.class_pairs import Pairs, pairs_file
from vaead.model.store import ModelStore
from vaead.presets import SHIPPED_PRESETS

DATASETS = {"mnist": ("MNIST", "#2f78c4"), "fashion_mnist": ("Fashion-MNIST", "#d9730d")}
STEPS = (("old", "new"), ("new", "calibrated"))
IMAGE = Path(__file__).parent.parent / "docs" / "pairs.png"
SIZE: ViewportSize = {"width": 1000, "height": 980}


def _pairs(dataset: str, preset: str) -> Pairs:
    pairs = Pairs.read(ModelStore().find(pairs_file(dataset, preset)))
    if pairs is None:
        raise SystemExit(f"{dataset}, {preset} must be measured first; run `python -m vaead pretrain`")
    return pairs


def figure() -> go.Figure:
    """One panel a preset and step; above the diagonal the later score wins."""
    tables = {
        (preset, dataset): _pairs(dataset, preset) for preset in SHIPPED_PRESETS for dataset in DATASETS
    }
    titles = []
    for preset in SHIPPED_PRESETS:
        for before, after in STEPS:
            steps = [tables[preset, dataset].difference(after, before) for dataset in DATASETS]
            wins, pairs = sum(step.wins for step in steps), sum(step.pairs for step in steps)
            titles.append(f"{preset}: {after} beats {before} on {wins} of {pairs} pairs")
    panels = make_subplots(
        len(SHIPPED_PRESETS), len(STEPS), subplot_titles=titles, horizontal_spacing=0.1, vertical_spacing=0.12
    )
    for row, preset in enumerate(SHIPPED_PRESETS, start=1):
        for column, (before, after) in enumerate(STEPS, start=1):
            panels.add_shape(type="line", x0=0, y0=0, x1=1, y1=1, line_color="#999", row=row, col=column)
            for dataset, (title, color) in DATASETS.items():
                known = [tables[preset, dataset].mean(score) for score in (before, after)]
                x, y = (values[np.isfinite(values)] for values in known)
                marker = {"color": color, "size": 7, "opacity": 0.65}
                dots = go.Scatter(x=x, y=y, mode="markers", marker=marker, name=title)
                panels.add_trace(dots.update(showlegend=row == column == 1), row=row, col=column)
            panels.update_xaxes(title_text=f"AUROC of {before}", row=row, col=column)
            panels.update_yaxes(title_text=f"AUROC of {after}", row=row, col=column)
    side = {"range": (-0.02, 1.02), "dtick": 0.25}
    return (
        panels.update_xaxes(side)
        .update_yaxes(side)
        .update_layout(
            **SIZE,
            template="plotly_white",
            margin={"t": 60, "b": 60, "l": 60, "r": 20},
            legend={"y": -0.07, "orientation": "h"},
        )
    )


def main() -> None:
    """Draw it in a browser."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport=SIZE)
        page.set_content(figure().to_html(include_plotlyjs=True, config={"staticPlot": True}))
        page.wait_for_selector(".scatterlayer path.point")
        page.locator(".js-plotly-plot").screenshot(path=IMAGE)
        browser.close()


if __name__ == "__main__":
    main()
