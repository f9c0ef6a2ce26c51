"""Step 3 of the page "Your images": the images sorted by score, and one of them in full."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from vaead.i18n.agreement import shift_warnings, unlike_warning
from vaead.i18n.defect_trials import defect_trials
from vaead.i18n.format import number
from vaead.i18n.photo_kinds import photo_kinds
from vaead.i18n.texts import Texts
from vaead.i18n.training_warnings import training_warnings
from vaead.inference.prediction import Prediction
from vaead.model.card import ModelCard
from vaead.scoring.loss_terms import SCORES
from vaead.ui.shared.markdown import code, plain
from vaead.ui.shared.pictures import data_url
from vaead.ui.your_images import detail, messages, metrics, mistakes
from vaead.ui.your_images.own_photos import OwnPhoto
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.session import OwnSession

_PAGE = 24
_TILE_PX = 92
_HEIGHT_PX = 640
_MOST_NAMED = 5

Ranked = Sequence[tuple[OwnPhoto, Prediction]]
"""Images and their predictions, the highest score first."""


def score_all(own: OwnSession, results: Results, texts: Texts) -> None:
    """Score what has not been scored yet, with a progress bar."""
    models = [results]
    if own.reopened is not None and results.folder in own.reopened.taken_of and results.before is not None:
        models.append(results.before)  # which has seen the images, too, when the session was saved
    for model in models:
        if model.missing(own.photos.test):
            slot = st.empty()

            def report(done: int, total: int, slot: DeltaGenerator = slot) -> None:
                slot.progress(done / total, texts("own.scoring", done=done, total=total))

            model.score(own.photos.test, report)
            slot.empty()


def tell_model(own: OwnSession, results: Results, texts: Texts) -> None:
    """Say where the model comes from, unless it is the visitor's last training, and what it has not seen."""
    card = results.card
    recipe = card.recipe
    if not card.is_dead:
        for fault in training_warnings(card.diagnostics, texts):
            st.warning(fault)
    train, task = card.recipe.train, own.task
    if task is not None and task.out == results.first_folder and task.recipe.train != train:
        st.caption(texts("own.trained_again", seed=train.seed, weight=f"{train.kl_weight:g}"))
    if results.origin == "shipped":
        st.caption(texts("own.shipped"))
    elif results.origin in ("brought", "kept"):
        made = {
            "preset": code(recipe.preset),
            "patch": recipe.networks[0].patch_size,
            "scale": f"{recipe.source.scale:g}",
            "date": plain(card.created[:10]),
        }
        brought = results.origin == "brought"
        st.caption(texts("own.brought", **made) if brought else texts("keep.opened", **made))
    known = results.known_among(own.photos.test)
    if known:
        names = ", ".join(code(photo.name) for photo in known[:_MOST_NAMED])
        names += ", …" if len(known) > _MOST_NAMED else ""
        st.warning(texts("thumbs.known", count=f"{len(known):,}", names=names))
    count = results.new_normals(own.photos.normal)
    if count:
        st.caption(texts("own.outdated", count=f"{count:,}"))
    if not card.is_dead:
        for line in photo_kinds(card, texts):
            st.caption(line)
        _tell_trials(card, texts)


def _tell_trials(card: ModelCard, texts: Texts) -> None:
    """What the model would find, of defects that nobody had to bring."""
    if lines := defect_trials(card, texts):
        intro, *kinds = lines
        with st.expander(texts("own.would_find"), icon=":material/search:"):
            st.markdown("\n".join([intro, "", *(f"- {line}" for line in kinds)]))


@st.fragment
def show(own: OwnSession, results: Results, score: str, rate: float, texts: Texts) -> None:
    """Show gallery, image and metrics. A fragment: a click redraws nothing else.

    Args:
        own: Where the visitor's verdicts go.
        results: What to show.
        score: The score that sorts and decides.
        rate: Share of normal images that may be flagged.
    """
    if own.stale:
        own.stale = False
        st.rerun()
    predictions = results.predictions(rate).items()
    ranked = sorted(predictions, key=lambda each: -each[1].scores.get(score, float("-inf")))
    if not ranked:
        st.info(texts("own.no_test"), icon=":material/info:")
    else:
        mistakes.tell(own, results, score, rate, texts)
        left, right = st.columns([1, 2], gap="medium")
        with left:
            _gallery(ranked, score, texts)
        with right:
            detail.show(own, results, _picked(ranked), score, rate, texts)
        metrics.show(own, results, score, texts)
        _tell_unlike(results, [prediction for _, prediction in ranked], texts)
    _rejected(results, texts)


def choose_score(texts: Texts) -> str:
    """Show the choice of the score that sorts and decides."""
    names = {name: texts(f"score.{name}") for name in reversed(SCORES)}
    score = st.segmented_control(
        texts("own.score"),
        list(names),
        format_func=names.__getitem__,
        default="calibrated",
        required=True,
        key="own_score",
        help=texts("own.score_help"),
    )
    return score or "calibrated"


def _gallery(ranked: Ranked, score: str, texts: Texts) -> None:
    flagged = sum(prediction.flagged.get(score, False) for _, prediction in ranked)
    st.markdown(texts("own.gallery", flagged=flagged, count=len(ranked)))
    shown = st.session_state.get("own_shown", _PAGE)
    chosen = _picked(ranked)
    with st.container(height=_HEIGHT_PX, border=False, key="own_gallery"):
        with st.container(horizontal=True, gap="xsmall"):
            for rank, (photo, prediction) in enumerate(ranked[:shown]):
                _tile(rank, photo, prediction, score, photo is chosen, texts)
        if len(ranked) > shown:
            st.button(
                texts("own.more", count=len(ranked) - shown),
                key="own_more",
                type="tertiary",
                on_click=_show_more,
            )


def _tile(rank: int, photo: OwnPhoto, prediction: Prediction, score: str, chosen: bool, texts: Texts) -> None:
    """A thumbnail and a button with its score; a flag marks flagged ones."""
    value = prediction.scores.get(score)
    label = detail.label_name(photo, texts)
    with st.container(width=_TILE_PX, gap=None):
        st.image(data_url(photo.thumbnail), width="stretch", alt=photo.name)
        st.button(
            "–" if value is None else number(value),
            key=f"own_tile_{rank}",
            icon=":material/flag:" if prediction.flagged.get(score) else None,
            help=" · ".join(part for part in (photo.name, label) if part).replace("`", "'"),
            type="primary" if chosen else "secondary",
            width="stretch",
            on_click=_pick,
            args=(str(photo.path),),
        )


def _show_more() -> None:
    st.session_state["own_shown"] = st.session_state.get("own_shown", _PAGE) + 2 * _PAGE


def _pick(path: str) -> None:
    st.session_state["own_picked"] = path


def _picked(ranked: Ranked) -> OwnPhoto:
    """The image clicked last, or the one with the highest score."""
    path = st.session_state.get("own_picked")
    return next((photo for photo, _ in ranked if str(photo.path) == path), ranked[0][0])


def _tell_unlike(results: Results, predictions: Sequence[Prediction], texts: Texts) -> None:
    """Warn where images are unlike those that the model was calibrated with."""
    flagged = sum(each.flagged.get("calibrated", False) for each in predictions)
    unlike = unlike_warning(flagged, len(predictions), texts)
    shifts = shift_warnings(results.calibration, results.normal_scores_of, texts)
    for warning in (*shifts, *([unlike] if unlike else [])):
        st.warning(warning)


def _rejected(results: Results, texts: Texts) -> None:
    if results.rejected:
        st.warning(texts("own.not_scored", count=len(results.rejected)))
        messages.show_rejected(results.rejected, texts)
