"""The figure of the page Compare, and the sentences about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from vaead.calibration.thresholds import NormalScores
from vaead.i18n.format import listed, number, percent
from vaead.i18n.texts import Texts
from vaead.plots.gauge import Gauge
from vaead.plots.panels import Frame, Panel, Scale, article_scale, panels
from vaead.scoring.loss_terms import SCORES
from vaead.scoring.term_maps import TermMaps
from vaead.ui.shared.plots import mean_scale
from vaead.ui.shared.sidebar import Choice

_NEARLY_ALL = 0.99
_IMAGE_SCALE = Scale(0, 255, "Greys", reverse=True)


@dataclass(frozen=True)
class Pair:
    """A normal and an anomalous image.

    Attributes:
        images: (2, H, W), the normal one first.
        terms: Their scores and maps.
        names: Names of their classes by role, "normal" first.
    """

    images: NDArray[np.uint8]
    terms: TermMaps
    names: dict[str, str]

    def titles(self, texts: Texts) -> list[str]:
        """Role and class of both images."""
        return [
            texts("compare.image_title", role=texts(f"compare.{role}"), name=name)
            for role, name in self.names.items()
        ]


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
        above = [gauge.flagged for gauge in _gauges(terms, calibration, score, choice, texts)]
        names = {(False, False): "neither", (True, False): "normal", (False, True): "anomalous"}
        flagged[score] = texts(f"decision.{names.get((above[0], above[1]), 'both')}")
    return texts("decision.sentence", rate=percent(choice.false_alarm_rate), **flagged)


def _gauges(
    terms: TermMaps, calibration: NormalScores, score: str, choice: Choice, texts: Texts
) -> list[Gauge]:
    """Where both images stand among calibration images."""
    values = terms.image_scores(score) if choice.rule == "score" else terms.window_max(score)
    limit = calibration.threshold_value(score, choice.false_alarm_rate, choice.rule)
    low = calibration.threshold_value(score, _NEARLY_ALL, choice.rule)
    return [
        Gauge(value, low, limit, texts("compare.gauge", value=number(value), limit=number(limit)))
        for value in map(float, values)
    ]


@dataclass(frozen=True)
class _View:
    """Maps of all scores (2, H, W), their colour scales, and the unit of their values."""

    maps: Mapping[str, NDArray[np.floating]]
    scales: list[Scale]
    units: dict[str, str]

    def scale_of(self, score: str) -> int:
        """Index of the colour scale of a score in a figure whose first scale is that of the images."""
        return 1 if len(self.scales) == 1 else 1 + SCORES.index(score)


def _view(terms: TermMaps, calibration: NormalScores, choice: Choice, view: str, texts: Texts) -> _View:
    means = {score: terms.anomaly_maps(score) for score in SCORES}
    if view == "mean":
        units = dict.fromkeys(SCORES, texts("compare.nats")) | {"calibrated": ""}
        names = {score: texts(f"score.{score}") for score in SCORES}
        titles = [
            texts("compare.bar_score", score=names[score]) if units[score] else names[score]
            for score in SCORES
        ]
        scales = [
            mean_scale(calibration, score, choice.palette, title, column)
            for column, (score, title) in enumerate(zip(SCORES, titles, strict=True), start=1)
        ]
        return _View(means, scales, units)
    columns = (1, len(SCORES))
    if view == "rank":
        ranks = {score: 100 * calibration.window_ranks(score, means[score]) for score in SCORES}
        scale = Scale(50, 100, choice.palette, texts("compare.bar_rank"), columns=columns)
        return _View(ranks, [scale], dict.fromkeys(SCORES, "%"))
    maps = {score: article_scale(terms.sum_maps(score)) for score in SCORES}
    scale = Scale(1, 10, choice.palette, texts("compare.bar_article"), log=True, columns=columns)
    return _View(maps, [scale], dict.fromkeys(SCORES, texts("compare.of_10")))


def comparison(
    pair: Pair,
    calibration: NormalScores,
    choice: Choice,
    view: str,
    texts: Texts,
    numbers: Sequence[NDArray[np.integer] | None] = (None, None),
    frames: Sequence[Sequence[Frame]] = ((), ()),
    columns: int = 1 + len(SCORES),
    images: Sequence[int] = (0, 1),
) -> go.Figure:
    """Draw images of a pair with the map of each score.

    Args:
        pair: The images.
        calibration: Scores of calibration images.
        choice: Colours and thresholds.
        view: One of `vaead.ui.shared.controls.VIEWS`.
        texts: The language.
        numbers: For each image what clicks tell, see `Panel.numbers`.
        frames: For each image what is framed, see `Panel.frames`.
        columns: Pictures in a row; with fewer than all four of an image there is no room for colour bars.
        images: Which of the images are drawn.
    """
    drawn = _view(pair.terms, calibration, choice, view, texts)
    gauges = {score: _gauges(pair.terms, calibration, score, choice, texts) for score in SCORES}
    rows = []
    titles = pair.titles(texts)
    for index in images:
        touch: dict[str, Any] = {"frames": frames[index], "numbers": numbers[index]}
        row = [Panel(pair.images[index], 0, titles[index], texts("compare.of_255"), **touch)]
        for score in SCORES:
            gauge = gauges[score][index]
            word = texts("compare.flagged") if gauge.flagged else texts("compare.usual")
            title = texts("compare.score_title", score=texts(f"score.{score}"), word=word)
            threshold = calibration.threshold_value(score, choice.false_alarm_rate, "window")
            outlined = pair.terms.mask_above(score, threshold)[index]
            values, scale, unit = drawn.maps[score][index], drawn.scale_of(score), drawn.units[score]
            row.append(Panel(values, scale, title, unit, outlined, gauge, **touch))
        rows += [row[start : start + columns] for start in range(0, len(row), columns)]
    scales = [_IMAGE_SCALE, *drawn.scales]
    if columns <= len(SCORES):
        scales = [replace(scale, title="") for scale in scales]
    return panels(rows, scales, texts("compare.hover"))
