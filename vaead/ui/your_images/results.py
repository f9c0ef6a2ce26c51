"""Step 3 of the page "Your images": the images sorted by score, and one of them in full."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from vaead.i18n.texts import Texts
from vaead.i18n.training_warnings import training_warnings
from vaead.scoring.loss_terms import SCORES
from vaead.ui.shared.markdown import code, plain
from vaead.ui.your_images import detail, figure, metrics, upload
from vaead.ui.your_images.predictions import Results, Scored
from vaead.ui.your_images.session import OwnSession

_PAGE = 24
_TILE_PX = 92
_HEIGHT_PX = 640


def score_all(own: OwnSession, results: Results, texts: Texts) -> None:
    """Score what has not been scored yet, with a progress bar."""
    if results.missing(own.photos.judged):
        place = st.empty()

        def report(done: int, total: int) -> None:
            place.progress(done / total, texts("own.scoring", done=done, total=total))

        results.score(own.photos.judged, report)
        place.empty()


def tell_model(own: OwnSession, results: Results, texts: Texts) -> None:
    """Say where the model comes from, unless it is the visitor's last training, and what it has not seen."""
    card = results.model.card
    recipe = card.recipe
    for fault in training_warnings(card.diagnostics, texts):
        st.warning(fault)
    if results.origin == "shipped":
        st.caption(texts("own.shipped"))
    elif results.origin == "brought" and recipe.for_photos:
        st.caption(
            texts(
                "own.brought",
                preset=code(recipe.preset),
                patch=recipe.networks[0].patch_size,
                scale=f"{recipe.source.scale:g}",
                date=plain(card.created[:10]),
            )
        )
    count = results.new_normals(own.photos.normal)
    if count:
        st.caption(texts("own.outdated", count=f"{count:,}"))


@st.fragment
def show(results: Results, score: str, rate: float, texts: Texts) -> None:
    """Show gallery, image and metrics. A fragment: a click redraws nothing else.

    Args:
        results: What to show.
        score: The score that sorts and decides.
        rate: Share of normal images that may be flagged.
    """
    ranked = sorted(results.scored, key=lambda each: -each.scores.get(score, float("-inf")))
    if not ranked:
        st.info(texts("own.no_judged"), icon=":material/info:")
    else:
        left, right = st.columns([1, 2], gap="medium")
        with left:
            _gallery(results, ranked, score, rate, texts)
        with right:
            detail.show(results, _picked(ranked), score, rate, texts)
        metrics.show(results.metrics(), score, texts)
    _rejected(results, texts)


def controls(texts: Texts) -> tuple[str, float]:
    """Show the controls of step 3; returns the score and the share of normal images that may be flagged."""
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
    percent = st.slider(
        texts("evaluate.rate"),
        1,
        50,
        value=5,
        format="%d %%",
        key="own_rate",
        help=texts("sidebar.false_alarms_help"),
    )
    return score or "calibrated", percent / 100


def _gallery(results: Results, ranked: Sequence[Scored], score: str, rate: float, texts: Texts) -> None:
    limit = results.thresholds(rate)[score]
    flagged = sum(each.scores.get(score, limit) > limit for each in ranked)
    st.markdown(texts("own.gallery", flagged=flagged, count=len(ranked)))
    shown = st.session_state.get("own_shown", _PAGE)
    chosen = _picked(ranked)
    with st.container(height=_HEIGHT_PX, border=False, key="own_gallery"):
        with st.container(horizontal=True, gap="xsmall"):
            for number, scored in enumerate(ranked[:shown]):
                _tile(number, scored, score, limit, scored is chosen, texts)
        if len(ranked) > shown:
            st.button(
                texts("own.more", count=len(ranked) - shown),
                key="own_more",
                type="tertiary",
                on_click=_show_more,
            )


def _tile(number: int, scored: Scored, score: str, limit: float, chosen: bool, texts: Texts) -> None:
    """A thumbnail and a button with its score; a flag marks flagged ones."""
    value = scored.scores.get(score)
    label = detail.label_name(scored.photo, texts)
    with st.container(width=_TILE_PX, gap=None):
        st.image(scored.photo.thumbnail, width="stretch", alt=scored.photo.name)
        st.button(
            "–" if value is None else figure.number(value),
            key=f"own_tile_{number}",
            icon=":material/flag:" if value is not None and value > limit else None,
            help=" · ".join(part for part in (scored.photo.name, label) if part).replace("`", "'"),
            type="primary" if chosen else "secondary",
            width="stretch",
            on_click=_pick,
            args=(str(scored.photo.path),),
        )


def _show_more() -> None:
    st.session_state["own_shown"] = st.session_state.get("own_shown", _PAGE) + 2 * _PAGE


def _pick(path: str) -> None:
    st.session_state["own_picked"] = path


def _picked(ranked: Sequence[Scored]) -> Scored:
    """The image clicked last, or the one with the highest score."""
    path = st.session_state.get("own_picked")
    return next((each for each in ranked if str(each.photo.path) == path), ranked[0])


def _rejected(results: Results, texts: Texts) -> None:
    if results.rejected:
        st.warning(texts("own.not_scored", count=len(results.rejected)))
        upload.show_reasons(results.rejected, texts)
