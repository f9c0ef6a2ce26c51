"""At the end of the page "Your images": save the session as one ZIP; `reopening` opens it again."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from functools import partial
from itertools import repeat

import streamlit as st

from vaead.i18n.texts import Texts
from vaead.scoring.loss_terms import SCORES
from vaead.session import KeptPhoto, Session, write_session
from vaead.session.record import MOST_BEFORE, Role
from vaead.ui.your_images import training_settings
from vaead.ui.your_images.own_photos import OwnPhoto
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.session import OwnSession
from vaead.ui.your_images.threshold import USUAL

_SCORE = next(reversed(SCORES))


def offer(own: OwnSession, texts: Texts) -> None:
    """Show the button that saves the session, and the choice whether photos are in it."""
    with st.popover(texts("keep.save"), icon=":material/save:", type="tertiary", key="own_save"):
        st.markdown(texts("keep.text"))
        choices = {True: texts("keep.with_photos"), False: texts("keep.without_photos")}
        with_photos = st.radio(
            texts("keep.photos"), list(choices), format_func=choices.__getitem__, key="own_save_photos"
        )
        st.caption(texts("keep.with_help") if with_photos else texts("keep.without_help"))
        # The download is made in another thread, which does not see the controls.
        score = st.session_state.get("own_score") or _SCORE
        percent = float(st.session_state.get("own_rate", USUAL))
        st.download_button(
            texts("keep.download"),
            data=partial(pack, own, bool(with_photos), score, percent / 100),
            file_name=f"session-{datetime.now(UTC):%Y-%m-%d}.zip",
            mime="application/zip",
            key="own_download_session",
            icon=":material/download:",
            on_click="ignore",
        )


def pack(own: OwnSession, with_photos: bool, score: str, rate: float) -> bytes:
    """The session as a ZIP.

    Args:
        own: Photos, model and corrections.
        with_photos: Whether photos are in it, or their digests alone.
        score: The score that decides.
        rate: Share of normal images that may be flagged.
    """
    photos, awaited = [*own.photos.normal, *own.photos.test], own.photos.awaited
    taken, missed = _corrections(own, photos)
    models = _models(own.results, len(taken))
    session = Session(
        photos=(*map(_kept, photos, repeat(frozenset(own.photos.test))), *awaited.values()),
        controls=training_settings.controls(own),
        boxes=tuple(own.boxes),
        score=score,
        false_alarm_rate=rate,
        models=len(models),
        normals=_normals(own.results),
        taken=taken,
        missed=missed,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    files = [*((photo.path, *photo.masks) for photo in photos), *(() for _ in awaited)]
    buffer = io.BytesIO()
    write_session(buffer, session, files if with_photos else None, [each.folder for each in models])
    return buffer.getvalue()


def _kept(photo: OwnPhoto, test: frozenset[OwnPhoto]) -> KeptPhoto:
    role: Role = "test" if photo in test else "validation" if photo.is_validation else "normal"
    return KeptPhoto(photo.name, photo.digest, role, photo.defect)


def _corrections(own: OwnSession, photos: list[OwnPhoto]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Places of images called normal and of misses, also of images that are awaited, which come last."""
    place_of = {photo: place for place, photo in enumerate(photos)}
    awaited = {old: len(photos) + number for number, old in enumerate(own.photos.awaited)}
    taken = [place_of.get(photo) for photo in own.results.taken] if own.results else []
    missed = [place_of.get(photo) for photo in own.missed]
    if own.reopened is not None:
        missed += [awaited.get(old) for old in own.reopened.session.missed]
        olds = own.reopened.taken_of.get(own.results.folder) if own.results else None
        if olds is not None:
            returned = {old: place_of.get(photo) for old, photo in own.photos.returned.items()}
            taken = [awaited.get(old, returned.get(old)) for old in olds]
    found = (tuple(place for place in places if place is not None) for places in (taken, missed))
    return next(found), next(found)


def _models(results: Results | None, n_taken: int) -> list[Results]:
    """The model and those before its calibrations, the newest first; of as many as it was calibrated with."""
    found: list[Results] = []
    while results is not None and len(found) <= min(n_taken, MOST_BEFORE):
        found.append(results)
        results = results.before
    return found


def _normals(results: Results | None) -> tuple[str, ...] | None:
    if results is None or results.normals is None:
        return None
    return tuple(sorted(results.normals))
