"""What the page Compare draws: the pair with its maps, and the sentence that says what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from vaead.calibration.thresholds import NormalScores
from vaead.i18n.format import listed, percent
from vaead.i18n.texts import Texts
from vaead.plots.panels import Panel, Scale, article_scale, panels
from vaead.scoring.loss_terms import SCORES
from vaead.scoring.term_maps import TermMaps
from vaead.ui.shared.plots import mean_scale
from vaead.ui.shared.sidebar import Choice

_IMAGE_SCALE = Scale(0, 255, "Greys", reverse=True)


def verdict(terms: TermMaps, texts: Texts) -> str:
    """Say which scores rank the anomalous image, the second, above the normal one."""
    right = []
    for score in SCORES:
        normal, anomalous = terms.image_scores(score)
        if anomalous > normal:
            right.append(score)
    if not right or len(right) == len(SCORES):
        return texts(f"verdict.{'all' if right else 'none'}")
    wrong = [score for score in SCORES if score not in right]
    return texts("verdict.some", right=_names(right, texts), wrong=_names(wrong, texts))


def _names(scores: Sequence[str], texts: Texts) -> str:
    return listed([texts(f"score.{score}") for score in scores], texts)


def rank(terms: TermMaps, calibration: NormalScores, texts: Texts) -> str:
    """Say how rare the scores of the anomalous image are among held-out normal images."""
    scores = {score: float(terms.image_scores(score)[1]) for score in SCORES}
    ranks = {score: percent(calibration.rank(score, value)) for score, value in scores.items()}
    return texts("verdict.rank", images=calibration.n_images, **ranks)


def decision(terms: TermMaps, calibration: NormalScores, choice: Choice, texts: Texts) -> str:
    """Say which images the scores flag at the chosen false-alarm rate."""
    flagged = {}
    for score in SCORES:
        scores = terms.image_scores(score) if choice.rule == "score" else terms.window_max(score)
        above = scores > calibration.threshold_value(score, choice.false_alarm_rate, choice.rule)
        names = {(False, False): "neither", (True, False): "normal", (False, True): "anomalous"}
        flagged[score] = texts(f"decision.{names.get((bool(above[0]), bool(above[1])), 'both')}")
    return texts("decision.sentence", rate=percent(choice.false_alarm_rate), **flagged)


@dataclass(frozen=True)
class _View:
    """The maps of all scores (2, H, W), their colour scales, and the unit of their values."""

    maps: dict[str, NDArray[np.floating]]
    scales: list[Scale]
    scale_of: dict[str, int]
    unit: dict[str, str]


def _view(terms: TermMaps, calibration: NormalScores, choice: Choice, texts: Texts) -> _View:
    if choice.view == "mean":
        scales = []
        for column, score in enumerate(SCORES, start=1):
            name = texts(f"score.{score}")
            title = texts("compare.bar_score", score=name) if _unit(score, texts) else name
            scales.append(mean_scale(calibration, score, choice.palette, title, column))
        return _View(
            {score: terms.anomaly_maps(score) for score in SCORES},
            scales,
            {score: index for index, score in enumerate(SCORES, start=1)},
            {score: _unit(score, texts) for score in SCORES},
        )
    columns = (1, len(SCORES))
    if choice.view == "rank":
        maps: dict[str, NDArray[np.floating]] = {
            score: 100 * calibration.window_ranks(score, terms.anomaly_maps(score)) for score in SCORES
        }
        scale, unit = Scale(50, 100, choice.palette, texts("compare.bar_rank"), columns=columns), "%"
    else:
        maps = {score: article_scale(terms.sum_maps(score)) for score in SCORES}
        scale = Scale(1, 10, choice.palette, texts("compare.bar_article"), log=True, columns=columns)
        unit = texts("compare.of_10")
    return _View(maps, [scale], dict.fromkeys(SCORES, 1), dict.fromkeys(SCORES, unit))


def _unit(score: str, texts: Texts) -> str:
    return "" if score == "calibrated" else texts("compare.nats")


def comparison(
    pair: NDArray[np.uint8],
    terms: TermMaps,
    names: dict[str, str],
    calibration: NormalScores,
    choice: Choice,
    texts: Texts,
) -> go.Figure:
    """Draw the image and the map of each score, of both images.

    Args:
        pair: (2, H, W), the normal image first.
        terms: Of the pair.
        names: Class names by role, "normal" first.
    """
    view = _view(terms, calibration, choice, texts)
    flagged = {
        score: terms.mask_above(score, calibration.threshold_value(score, choice.false_alarm_rate, "window"))
        for score in SCORES
    }
    rows = []
    for index, (role, name) in enumerate(names.items()):
        title = texts("compare.image_title", role=texts(f"compare.{role}"), name=name)
        row = [Panel(pair[index], 0, title, texts("compare.of_255"))]
        for score in SCORES:
            value = float(terms.image_scores(score)[index])
            title = texts("compare.score_title", score=texts(f"score.{score}"), value=f"{value:.3g}")
            row.append(
                Panel(
                    view.maps[score][index],
                    view.scale_of[score],
                    title,
                    view.unit[score],
                    flagged[score][index],
                )
            )
        rows.append(row)
    return panels(rows, [_IMAGE_SCALE, *view.scales], texts("compare.hover"))
