"""The page Evaluate: how well the scores tell two classes apart, on all test images."""

from __future__ import annotations

import streamlit as st

from vaead.data.datasets import Dataset, get_spec
from vaead.errors import InvalidInputError
from vaead.i18n.texts import Texts
from vaead.metrics.baselines import BASELINES
from vaead.metrics.image import METRICS, Evaluation, roc
from vaead.model.model import Model
from vaead.model.split_scores import Scores
from vaead.plots.charts import Axes, roc_curves
from vaead.recipe import Recipe
from vaead.scoring.loss_terms import SCORES
from vaead.ui.evaluate import downloads, pair_matrix, simple_methods, thresholds
from vaead.ui.evaluate.test_scores import Sides, evaluations, split_scores
from vaead.ui.shared import loading, query_params, sidebar
from vaead.ui.shared.labels import class_name, score_name
from vaead.ui.shared.plots import show_chart
from vaead.ui.shared.widgets import toggle

_CHANCE = 0.6
"""AUROC below which a score hardly tells two classes apart."""
_TO = "\u2060–\u2060"
"""A dash at which no line breaks."""


def show(texts: Texts) -> None:
    """Show the controls, the metrics of a model and the matrix of all pairs."""
    with st.sidebar:
        recipe, anomalous, slots = sidebar.choose_model(texts)
        against_all = toggle("against_all", texts)
        toggle("simple_methods", texts)
    st.title(texts("page.evaluate"), anchor=False)
    notices = st.container()
    dataset = loading.load_dataset(recipe.class_source.dataset, texts)
    recipe = recipe.with_dataset(dataset.name)
    for slot, number in zip(slots, (recipe.class_source.normal, anomalous), strict=True):
        loading.show_thumbnails(slot, dataset, number, texts)
    model = loading.load_model(recipe, texts)
    if model is not None:
        _evaluation(recipe, None if against_all else anomalous, dataset, model, texts)
    pair_matrix.show(recipe, texts)
    # Last, when controls have compared themselves with the images.
    with notices:
        query_params.show_notices(texts)


def _evaluation(recipe: Recipe, anomalous: int | None, dataset: Dataset, model: Model, texts: Texts) -> None:
    """Everything about the test images of one model."""
    scores = split_scores(recipe, model, dataset, texts)
    sides = Sides.from_labels(dataset.test.labels, recipe.class_source.normal, anomalous)
    try:
        results = evaluations(recipe, anomalous, scores.image, sides)
    except InvalidInputError as error:  # a model whose training has diverged
        st.error(str(error))
        return
    spec = get_spec(dataset.name)
    names = {
        "normal": class_name(texts, spec, recipe.class_source.normal),
        "anomalous": texts("evaluate.all_others")
        if anomalous is None
        else class_name(texts, spec, anomalous),
    }
    with st.container(key="verdict"):
        st.markdown(verdict(results, texts))
    beside: dict[str, Evaluation] = {}
    if query_params.values()["simple_methods"]:
        normal = recipe.class_source.normal
        beside = simple_methods.evaluations(dataset, normal, anomalous, sides, texts)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _metrics_table(results | beside, sides, names, texts)
        with st.container(horizontal=True):
            downloads.metrics(results | beside, recipe, anomalous, texts)
            downloads.scores(scores, dataset, recipe, texts)
    with right:
        _roc(scores.image, sides, results, texts)
    thresholds.show(thresholds.Subject(dataset, scores, sides, model.card.normal_scores, names), texts)


def verdict(results: dict[str, Evaluation], texts: Texts) -> str:
    """Say which score wins, and which of the paper's two, also where nobody wins."""
    auroc = {score: result.metrics.auroc for score, result in results.items()}
    ranked = sorted(SCORES, key=lambda score: -auroc[score])
    best = ranked[0]
    close = [score for score in ranked if auroc[score] >= results[best].intervals["auroc"].low]
    shown = {score: f"{texts(f'score.{score}')} {auroc[score]:.3f}" for score in ranked}
    if auroc[best] < _CHANCE:
        first = texts("evaluate.near_chance", scores=", ".join(shown[score] for score in ranked))
    elif len(close) > 1:
        first = texts("evaluate.tie", scores=", ".join(shown[score] for score in close))
    else:
        rest = ", ".join(shown[score] for score in ranked[1:])
        first = texts(
            "evaluate.winner", score=texts(f"score.{best}"), auroc=f"{auroc[best]:.3f}", others=rest
        )
    return f"{first} {_old_or_new(results, texts)}"


def _old_or_new(results: dict[str, Evaluation], texts: Texts) -> str:
    """Which of the paper's two scores is better, if the interval of the better one leaves the other out."""
    old, new = results["old"].metrics.auroc, results["new"].metrics.auroc
    winner = "old" if old > new else "new"
    if min(old, new) >= results[winner].intervals["auroc"].low:
        winner = "equal"
    return texts(f"evaluate.paper_{winner}")


def _metrics_table(results: dict[str, Evaluation], sides: Sides, names: dict[str, str], texts: Texts) -> None:
    rows: dict[str, list[str]] = {texts("evaluate.metric"): [texts(f"evaluate.{name}") for name in METRICS]}
    for score, result in results.items():
        rows[score_name(score, texts)] = [
            f"**{getattr(result.metrics, name):.3f}** :small[{low:.3f}{_TO}{high:.3f}]"
            for name, (low, high) in ((name, result.intervals[name]) for name in METRICS)
        ]
    with st.container(key="metrics"):
        st.table(rows, hide_index=True)
    counts = {"normal_count": f"{len(sides.normal):,}", "anomalous_count": f"{len(sides.anomalous):,}"}
    share = len(sides.anomalous) / (len(sides.normal) + len(sides.anomalous))
    st.caption(texts("evaluate.table_caption", share=f"{share:.3f}", **names, **counts))
    if any(name in results for name in BASELINES):
        st.caption(texts("baseline.caption"))


def _roc(scores: Scores, sides: Sides, results: dict[str, Evaluation], texts: Texts) -> None:
    curves = {}
    for score, values in scores.items():
        curve = roc(values[sides.normal], values[sides.anomalous])
        curves[texts(f"score.{score}")] = (curve.false_alarm_rate.tolist(), curve.recall.tolist())
    figure = roc_curves(curves, Axes(texts("evaluate.false_alarm_rate"), texts("evaluate.recall")))
    listed = ", ".join(f"{texts(f'score.{name}')} {each.metrics.auroc:.3f}" for name, each in results.items())
    show_chart(figure, "roc", texts("evaluate.roc_alt", scores=listed))
