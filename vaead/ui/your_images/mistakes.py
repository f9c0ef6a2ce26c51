"""Step 3 of the page "Your images": what the visitor says of wrong decisions, and what follows from it.

A false alarm joins the images that the model was calibrated with. A miss is never learned from: it is
counted, and the page offers the false-alarm rate at which it would have been found.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from vaead.calibration.thresholds import NormalScores
from vaead.data.photos import Photo
from vaead.data.photos.photo import NORMAL
from vaead.errors import VaeadError
from vaead.held_out.recalibration import unusual_above
from vaead.i18n.format import number, percent
from vaead.i18n.texts import Texts
from vaead.inference.messages import RecalibrateRequest
from vaead.inference.prediction import Prediction
from vaead.ui.shared.cache import calibration_service
from vaead.ui.shared.markdown import code
from vaead.ui.your_images.messages import error_message
from vaead.ui.your_images.own_photos import OwnPhoto
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.session import OwnSession, Wish
from vaead.ui.your_images.threshold import PERCENTS

_MOST_NAMED = 5


def calibrate(own: OwnSession, texts: Texts) -> None:
    """Calibrate with the image that the visitor has called normal, if there is one."""
    wish, results = own.wish, own.results
    if wish is None or results is None:
        return
    own.wish = None
    with st.spinner(texts("mistakes.calibrating")):
        folder = own.new_run() / "model"
        known = tuple(_source(photo) for photo in results.calibrates_with(own.photos.normal))
        asked = RecalibrateRequest(str(results.folder), known, (_source(wish.photo),), wish.even_if_unusual)
        try:
            card = calibration_service().recalibrate(asked, folder)
        except (VaeadError, OSError) as error:
            own.trouble = texts("mistakes.failed", problem=error_message(error, texts))
        else:
            own.trouble = None
            own.results = results.calibrated_again(card, folder, wish.photo)
    if own.trouble is not None:  # it stands above, where this run has been already
        st.error(own.trouble)


def _source(photo: OwnPhoto) -> Photo:
    return Photo(photo.name, str(photo.path), title=photo.name)


def tell(own: OwnSession, results: Results, score: str, rate: float, texts: Texts) -> None:
    """Show the model before the last calibration and the one after it side by side, and the way back."""
    old, new = results.before, results
    if old is None or new.scored.keys() != old.scored.keys():
        return  # images have come since, which the one before has not seen
    if len(new.taken) <= len(old.taken):
        return  # a session was opened without its image
    flagged = [
        {photo: each.flagged.get(score, False) for photo, each in model.predictions(rate).items()}
        for model in (old, new)
    ]
    changed = [photo for photo, was in flagged[0].items() if flagged[1][photo] != was]
    with st.container(border=True, key="own_calibrated"):
        st.markdown(
            texts(
                "mistakes.calibrated",
                name=code(results.taken[-1].name),
                count=f"{results.calibration.n_images:,}",
            )
        )
        rows = [_row(model, each, score, rate) for model, each in zip((old, new), flagged, strict=True)]
        names = ("threshold", "flagged", "found")
        table = {texts("mistakes.at_rate", rate=percent(rate)): [texts(f"mistakes.{name}") for name in names]}
        table |= {texts("mistakes.before"): rows[0], texts("mistakes.now"): rows[1]}
        st.table(table, hide_index=True)
        st.caption(_changes(changed, texts))
        st.button(texts("mistakes.undo"), key="own_undo", icon=":material/undo:", on_click=_undo, args=(own,))


def _row(model: Results, flagged: dict[OwnPhoto, bool], score: str, rate: float) -> list[str]:
    trials = model.card.trials
    return [
        number(model.calibration.threshold_value(score, rate)),
        f"{sum(flagged.values())} / {len(flagged)}",
        f"{sum(each.found for each in trials)} / {sum(each.tried for each in trials)}",
    ]


def _changes(changed: Sequence[OwnPhoto], texts: Texts) -> str:
    if not changed:
        return texts("mistakes.none_changed")
    names = [code(photo.name) for photo in changed[:_MOST_NAMED]]
    if len(changed) > _MOST_NAMED:
        names.append("…")
    return texts("mistakes.changed", count=len(changed), names=", ".join(names))


def _undo(own: OwnSession) -> None:
    own.undo_calibration()
    own.stale = True


def offer(
    own: OwnSession, results: Results, photo: OwnPhoto, prediction: Prediction, score: str, texts: Texts
) -> None:
    """Show the button with which the visitor contradicts the decision on an image, and what it leads to."""
    if score not in prediction.scores:
        return
    if photo in results.taken:
        st.caption(texts("mistakes.taken"))
    elif prediction.flagged[score]:
        _offer_normal(own, results, photo, prediction, texts)
    else:
        _offer_anomalous(own, results, photo, prediction, score, texts)


def _offer_normal(
    own: OwnSession, results: Results, photo: OwnPhoto, prediction: Prediction, texts: Texts
) -> None:
    label, icon = texts("mistakes.normal"), ":material/thumb_up:"
    value, limit = prediction.scores["calibrated"], unusual_above(results.card)
    unusual, labelled = value > limit, photo.defect not in (None, NORMAL)
    if not (unusual or labelled):
        _normal_button(own, Wish(photo, False), label, icon, texts)
        return
    with st.popover(label, icon=icon, key="own_normal_doubt"):
        if labelled:
            st.markdown(texts("mistakes.labelled"))
        if unusual:
            st.markdown(texts("mistakes.unusual", value=number(value), limit=number(limit)))
        _normal_button(own, Wish(photo, True), texts("mistakes.normal_anyway"), icon, texts)


def _normal_button(own: OwnSession, wish: Wish, label: str, icon: str, texts: Texts) -> None:
    hint = texts("mistakes.normal_help")
    st.button(label, key="own_normal", icon=icon, help=hint, on_click=_wish, args=(own, wish))


def _wish(own: OwnSession, wish: Wish) -> None:
    own.wish, own.stale = wish, True


def _offer_anomalous(
    own: OwnSession, results: Results, photo: OwnPhoto, prediction: Prediction, score: str, texts: Texts
) -> None:
    if photo not in own.missed:
        st.button(
            texts("mistakes.anomalous"),
            key="own_anomalous",
            icon=":material/thumb_down:",
            help=texts("mistakes.anomalous_help"),
            on_click=own.missed.append,
            args=(photo,),
        )
        return
    needed = needed_percent(results.calibration, score, prediction.scores[score])
    missed = len(own.missed)
    with st.container(border=True, key="own_missed"):
        st.markdown(texts("mistakes.missed", count=missed))
        if needed is None:
            st.markdown(texts("mistakes.no_rate", most=PERCENTS[-1]))
        else:
            st.markdown(_price(results, photo, prediction, score, needed, texts))
        with st.container(horizontal=True):
            if needed is not None:
                st.button(
                    texts("mistakes.use_rate", rate=percent(needed / 100)),
                    key="own_use_rate",
                    on_click=_use_rate,
                    args=(own, needed),
                )
            st.button(
                texts("mistakes.take_back"),
                key="own_take_back",
                type="tertiary",
                icon=":material/undo:",
                on_click=own.missed.remove,
                args=(photo,),
            )


def needed_percent(normal_scores: NormalScores, score: str, value: float) -> float | None:
    """The lowest false-alarm rate on the page at which an image is flagged, in per cent; None for none."""
    return next((rate for rate in PERCENTS if normal_scores.threshold_value(score, rate / 100) < value), None)


def _price(
    results: Results, photo: OwnPhoto, prediction: Prediction, score: str, needed: float, texts: Texts
) -> str:
    """What it takes to find a missed image, and what else is flagged then."""
    limit = results.calibration.threshold_value(score, needed / 100)
    before = prediction.thresholds.image[score]
    others = [
        other
        for other, each in results.scored.items()
        if other is not photo and limit < each.scores.get(score, limit) <= before
    ]
    normal = sum(other.defect == NORMAL for other in others)
    values = {
        "rate": percent(needed / 100),
        "limit": number(limit),
        "before": number(before),
        "others": len(others),
        "normal": normal,
    }
    known = any(other.defect is not None for other in results.scored)
    return texts("mistakes.price_labelled", **values) if known else texts("mistakes.price", **values)


def _use_rate(own: OwnSession, needed: float) -> None:
    st.session_state["own_rate"] = needed
    own.stale = True
