"""Step 3 of the page "Your images": how good the scores are, where labels or masks tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from vaead.i18n.texts import Texts
from vaead.inference.photo_service import PhotoLostError
from vaead.metrics.baselines import BASELINES, FEWEST
from vaead.metrics.groups import ALL, GroupMetrics
from vaead.ui.shared.labels import score_name
from vaead.ui.your_images import detail
from vaead.ui.your_images.messages import error_message
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.session import OwnSession

NAMES = ("auroc", "best_f1", "pixel_auroc", "aupro")
"""Measures of `GroupMetrics` in the first table."""

_OF_DEFECTS = ("auroc", "pixel_auroc", "aupro")


def show(own: OwnSession, results: Results, score: str, texts: Texts) -> None:
    """Show tables of metrics; nothing where there are none.

    Args:
        own: Holds the normal images that baselines are fitted to.
        results: Predictions.
        score: The score of the second table.
        texts: The language.
    """
    metrics = results.metrics()
    if not metrics or not any(_known(metrics[-1], name) for name in NAMES):
        return
    tables, below = st.container(), st.empty()
    with below.container():
        asked = _offer_baselines(own, results, texts)
    if asked:  # they belong into the table above
        below.empty()
    with tables:
        _tables(results.metrics(), score, texts)


def _tables(metrics: Sequence[GroupMetrics], score: str, texts: Texts) -> None:
    *defects, joint = metrics
    left, right = st.columns(2, gap="large") if len(defects) > 1 else (st.container(), None)
    with left:
        _scores(joint, texts)
    if right is not None:
        with right:
            _defects(metrics, score, texts)
    counts = {"normal": joint.n_normal, "anomalous": joint.n_anomalous}
    caption = texts("own.metrics_caption", **counts)
    st.caption(f"{caption} {texts('own.metrics_aupro')}" if _known(joint, "aupro") else caption)
    if any(name in joint.auroc for name in BASELINES):
        st.caption(texts("baseline.caption"))


def _known(metrics: GroupMetrics, name: str) -> bool:
    return any(value is not None for value in metrics.measure(name).values())


def _scores(joint: GroupMetrics, texts: Texts) -> None:
    """All scores, over all defects."""
    names = [name for name in NAMES if _known(joint, name)]
    table = {texts("evaluate.metric"): [texts(f"own.metric_{name}") for name in names]}
    for score in joint.auroc:
        table[score_name(score, texts)] = [_cell(joint.measure(name), score) for name in names]
    st.markdown(texts("own.metrics_all"))
    st.table(table, hide_index=True)


def _offer_baselines(own: OwnSession, results: Results, texts: Texts) -> bool:
    """Show a button that scores the images by simple methods, too; True if it has just done so."""
    normal = [photo for photo in own.photos.normal if not photo.is_validation]
    if len(normal) < FEWEST or not results.to_compare():
        return False
    clicked = st.button(
        texts("own.baselines"),
        key="own_baselines",
        icon=":material/balance:",
        help=texts("own.baselines_help"),
    )
    if not clicked:
        return False
    bar = st.progress(0.0, texts("evaluate.simple_running"))
    try:
        results.compare(normal, lambda share: bar.progress(share, texts("evaluate.simple_running")))
    except PhotoLostError as error:
        st.error(error_message(error, texts))
        return False
    return True


def _cell(values: Mapping[str, float | None], score: str) -> str:
    """The value of a score, in bold if no other is better."""
    best = max(value for value in values.values() if value is not None)
    return f"**{_shown(values[score])}**" if values[score] == best else _shown(values[score])


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _defects(metrics: Sequence[GroupMetrics], score: str, texts: Texts) -> None:
    """One score, defect by defect."""
    names = [name for name in _OF_DEFECTS if _known(metrics[-1], name)]
    shown = [
        texts("own.all_defects") if each.group == ALL else detail.defect_name(each.group, texts)
        for each in metrics
    ]
    table = {
        texts("own.defect"): shown,
        texts("own.n_images"): [f"{each.n_anomalous:,}" for each in metrics],
    }
    for name in names:
        table[texts(f"own.metric_{name}")] = [_shown(each.measure(name)[score]) for each in metrics]
    st.markdown(texts("own.metrics_defects", score=texts(f"score.{score}")))
    st.table(table, hide_index=True)
