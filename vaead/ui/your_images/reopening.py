"""Open a session that was saved before, on the page "Your images"; `keeping` saves it.

Nothing of what is on the page changes until the whole session was found to be sound.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import BinaryIO

import streamlit as st

from vaead.data.photos.limits import megabytes
from vaead.errors import InvalidInputError
from vaead.i18n.texts import Texts
from vaead.session import OpenSession, read_session
from vaead.ui.shared.markdown import code
from vaead.ui.your_images import boxes, threshold, training_settings
from vaead.ui.your_images.model_upload import try_model
from vaead.ui.your_images.own_photos import OwnPhotos
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.session import OwnSession, Reopened
from vaead.ui.your_images.upload_queue import Upload
from vaead.ui.your_images.upload_reading import read_kept

_MOST_NAMED = 5
_MOST_UPLOAD_MB = 640
"""Of the photos and the model together; what is in the ZIP has limits of its own."""


def offer(own: OwnSession, texts: Texts) -> None:
    """Show the control for a session."""
    number = own.session_upload_count
    with st.popover(
        texts("keep.open"), icon=":material/folder_open:", type="tertiary", key=f"own_open_{number}"
    ):
        if not own.is_empty:
            st.markdown(texts("keep.replaces"))
        file = st.file_uploader(
            texts("keep.upload"),
            type="zip",
            max_upload_size=_MOST_UPLOAD_MB,
            key=f"own_session_{number}",
            help=texts("keep.upload_help"),
        )
        st.caption(texts("keep.limit", most=megabytes(1_000_000 * _MOST_UPLOAD_MB)))
    if file is not None:
        own.uploads.poll([file], lambda _: begin(own, file, file.name))
        st.rerun()


def begin(own: OwnSession, file: BinaryIO, name: str, role: str = "") -> Upload:
    """Begin to open a session.

    Args:
        own: Whose page it is to be shown on.
        file: The ZIP; it must stay open until all is read.
        name: Its name.
        role: That of the control it was brought to, empty for its own one.
    """
    own.session_upload_count += 1
    own.trouble = None
    try:
        kept = read_session(file, name)
    except InvalidInputError as error:
        return Upload(_refused(error), 1, role)
    session = kept.session
    return Upload(_steps(own, kept), session.models + len(session.photos) - session.missing, role)


def _refused(error: InvalidInputError) -> Generator[None]:
    raise error
    yield


def _steps(own: OwnSession, kept: OpenSession) -> Generator[None]:
    with kept:
        photos = OwnPhotos(own.new_run())
        models: list[Results] = []
        for step in range(kept.session.models):
            models.append(_read_model(own, kept, step))
            yield
        yield from read_kept(photos, kept)
        _take(own, kept, photos, models)


def _read_model(own: OwnSession, kept: OpenSession, step: int) -> Results:
    normals = kept.session.normals
    folder = own.new_run() / "model"
    card = try_model(kept.read_model(step), kept.name, folder)
    return Results(card, folder, "kept", None if normals is None else frozenset(normals))


def _take(own: OwnSession, kept: OpenSession, photos: OwnPhotos, models: list[Results]) -> None:
    """Put what was read in the place of what is on the page."""
    session = kept.session
    taken_of = {}
    for step, each in enumerate(models):
        each.before = models[step + 1] if step + 1 < len(models) else None
        taken_of[each.folder] = session.taken[: len(session.taken) - step]
    own.replace(photos, models[0] if models else None, Reopened(session, taken_of))
    own.boxes = boxes.read_boxes(list(session.boxes))
    percent = 100 * session.false_alarm_rate
    st.session_state["own_rate"] = min(threshold.PERCENTS, key=lambda each: abs(each - percent))
    st.session_state["own_score"] = session.score


def restore(own: OwnSession) -> None:
    """Restore the corrections of images of a session that are here, and settings once all normal ones are."""
    if own.reopened is None:
        return
    photos, session = own.photos, own.reopened.session
    results = own.results
    while results is not None:
        places = own.reopened.taken_of.get(results.folder)
        if places is not None:
            results.taken = tuple(photos.returned[place] for place in places if place in photos.returned)
        results = results.before
    for place in sorted(own.reopened.new_places(photos.returned)):
        if place in session.missed:
            own.missed.append(photos.returned[place])
    if not own.reopened.has_settings and all(each.role == "test" for each in photos.awaited.values()):
        own.reopened.has_settings = True
        training_settings.restore(own, session.controls)


def tell_missing(own: OwnSession, texts: Texts) -> None:
    """Say which images of the session are not here, and how they come back."""
    missing = own.photos.awaited
    if own.reopened is None or not missing:
        return
    names = [each.name for each in missing.values()]
    shown = ", ".join(code(name) for name in names[:_MOST_NAMED])
    with st.container(border=True, key="own_missing"):
        st.warning(
            texts(
                "keep.missing",
                count=f"{len(missing):,}",
                total=f"{len(own.reopened.session.photos):,}",
                names=f"{shown}, …" if len(names) > _MOST_NAMED else shown,
            )
        )
        st.button(texts("keep.without"), key="own_without", on_click=missing.clear)
