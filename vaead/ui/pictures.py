"""What the page Compare draws: the pair with its maps, and the sentence that says what it shows."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from vaead.calibration import Calibration
from vaead.figures import Panel, Scale, article_scale, panels
from vaead.patches import coverage, fold_scores
from vaead.scoring import TermMaps
from vaead.terms import SCORES
from vaead.ui.state import Choice
from vaead.ui.texts import Texts

_IMAGE_SCALE = Scale(0, 255, "Greys", reverse=True)
_NORMAL_RANGE = (0.01, 0.999)
"""Shares of held-out normal windows between which the colours of maps in nats run."""


def verdict(terms: TermMaps, texts: Texts) -> str:
    """Say which score ranks the anomalous image, the second, above the normal one."""
    scores = {score: terms.image_scores(score) for score in SCORES}
    right = [score for score, (normal, anomalous) in scores.items() if anomalous > normal]
    return texts(f"verdict.{'both' if right == list(SCORES) else right[0] if right else 'neither'}")


def rank(terms: TermMaps, calibration: Calibration, texts: Texts) -> str:
    """Say how rare the scores of the anomalous image are among held-out normal images."""
    shares = {score: calibration.rank(score, float(terms.image_scores(score)[1])) for score in SCORES}
    percent = {score: f"{100 * share:.3g} %" for score, share in shares.items()}
    return texts("verdict.rank", images=calibration.images, **percent)


def nats_maps(terms: TermMaps, name: str) -> NDArray[np.float32]:
    """Maps (N, H, W) of a score or term in nats: the mean of the windows over each pixel."""
    return fold_scores(terms.windows(name), terms.grid) / coverage(terms.grid)


def nats_scale(calibration: Calibration, name: str, palette: str, title: str, column: int) -> Scale:
    """The colours of maps in nats: fixed by held-out normal images, the same for every pair."""
    low, high = (calibration.window_quantile(name, level) for level in _NORMAL_RANGE)
    return Scale(low, high, palette, title, columns=(column, column))


def comparison(
    pair: NDArray[np.uint8],
    terms: TermMaps,
    names: dict[str, str],
    calibration: Calibration,
    choice: Choice,
    texts: Texts,
) -> go.Figure:
    """Draw image, old map and new map of both images.

    Args:
        pair: (2, H, W), the normal image first.
        terms: Of the pair.
        names: Class names by role, "normal" first.
    """
    if choice.article_scale:
        maps = {score: article_scale(terms.maps(score)) for score in SCORES}
        scales = [
            _IMAGE_SCALE,
            Scale(1, 10, choice.palette, texts("compare.bar_article"), log=True, columns=(1, 2)),
        ]
        scale_of, unit = dict.fromkeys(SCORES, 1), texts("compare.of_10")
    else:
        maps = {score: nats_maps(terms, score) for score in SCORES}
        scales = [_IMAGE_SCALE]
        for column, score in enumerate(SCORES, start=1):
            title = texts("compare.bar_score", score=texts(f"score.{score}"))
            scales.append(nats_scale(calibration, score, choice.palette, title, column))
        scale_of, unit = {score: index for index, score in enumerate(SCORES, start=1)}, texts("compare.nats")

    rows = []
    for index, (role, name) in enumerate(names.items()):
        title = texts("compare.image_title", role=texts(f"compare.{role}"), name=name)
        row = [Panel(pair[index], 0, title, texts("compare.of_255"))]
        for score in SCORES:
            value = float(terms.image_scores(score)[index])
            title = texts("compare.score_title", score=texts(f"score.{score}"), value=f"{value:.3g}")
            row.append(Panel(maps[score][index], scale_of[score], title, unit))
        rows.append(row)
    return panels(rows, scales, texts("compare.hover"))


def show(figure: go.Figure, key: str, alt: str, columns: int = 3) -> None:
    """Show a figure of panels as high as its width asks for, on a wide screen and on a phone."""
    st.html(f"<style>.st-key-{key} {{ height: min(calc({200 / columns:.0f}vw + 100px), 540px); }}</style>")
    with st.container(key=key):
        st.plotly_chart(
            figure,
            height="stretch",
            key=f"{key}_figure",
            alt=alt,
            config={"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]},
        )
