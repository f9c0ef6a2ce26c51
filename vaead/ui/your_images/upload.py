"""Step 1 of the page "Your images": upload images or start the demo, and look at them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import product

import streamlit as st
from streamlit.typing import UploadedFile

from vaead.data.photos import is_other_resolution
from vaead.data.photos.examine import find_bits
from vaead.data.photos.limits import VISITOR_LIMITS, megabytes
from vaead.i18n.texts import Texts
from vaead.session import is_session
from vaead.ui.shared.markdown import code, plain
from vaead.ui.shared.pictures import data_url
from vaead.ui.your_images import demo, reopening, thumbnails
from vaead.ui.your_images.messages import LONG_TABLE, sentence, show_rejected, told
from vaead.ui.your_images.own_photos import OwnPhotos
from vaead.ui.your_images.session import OwnSession
from vaead.ui.your_images.upload_queue import ROLES, Upload
from vaead.ui.your_images.upload_reading import read_uploads

_COLUMNS = (2, 3)
"""Widths of the drop zones, and of what is beside them; they stay where they are when images have come."""
_MOST_FILE_MB = 200
_KINDS = ("files", "directory")


def read_queue(own: OwnSession, texts: Texts) -> None:
    """Read all uploads that wait. If a click breaks that off, the next run of the page goes on."""
    _poll(own)
    slot = st.empty()
    while (state := own.uploads.state()) is not None:
        if state.done < state.total:
            shown = texts("own.reading", done=state.done + 1, total=state.total)
            slot.progress(state.done / state.total, shown)
        step = own.uploads.advance()
        if step is None or not step.ended:
            continue
        if step.problem is not None:
            own.trouble = told(step.problem, texts)
        own.propose_settings_anew()
        reopening.restore(own)
    slot.empty()


def _poll(own: OwnSession) -> bool:
    """Queue new files, also those that came while others were read and no control was drawn for them."""
    found = False
    for role, kind in product(ROLES, _KINDS):
        for key in own.uploads.keys(role, kind):
            files = [file for file in st.session_state.get(key) or () if isinstance(file, UploadedFile)]
            found |= own.uploads.poll(files, partial(_begin, own, role))
    return found


def _begin(own: OwnSession, role: str, files: Sequence[UploadedFile]) -> Upload:
    first = files[0]
    if own.is_empty and len(files) == 1 and is_session(first, first.name):
        return reopening.begin(own, first, first.name, role)
    own.trouble = None
    return read_uploads(own.photos, [(file.name, file) for file in files], role)


def show(own: OwnSession, texts: Texts) -> None:
    """Show the controls for uploads, or the images."""
    photos = own.photos
    if not (photos.normal or photos.test):
        _rejected(photos, texts)
        _invitation(own, texts)
        return
    kind = _choose_kind(texts)
    for role in ROLES:
        zone, images = st.columns(_COLUMNS, gap="medium")
        with zone:
            _drop_zone(own, role, kind, texts)
        with images:
            thumbnails.show(own, role, texts)
    _finish_zones(own, texts)
    if photos.test:
        _warn_of_resolution(own, texts)
    _notes(photos, texts)
    _rejected(photos, texts)
    st.button(texts("own.clear"), key="own_clear", icon=":material/delete:", on_click=own.clear)


def _invitation(own: OwnSession, texts: Texts) -> None:
    """Show the controls and the demo to a visitor without images."""
    left, right = st.columns(_COLUMNS, gap="medium")
    with left, st.container(key="invitation"):  # first, as on a phone it lies above the other
        kind = _choose_kind(texts)
        for role in ROLES:
            _drop_zone(own, role, kind, texts)
        _finish_zones(own, texts)
        reopening.offer(own, texts)
    with right:
        samples = demo.samples()
        with st.container(horizontal=True, gap="xsmall"):
            for kind, image in samples.items():
                st.image(data_url(image), width=thumbnails.THUMBNAIL_PX, alt=texts(f"defect.{kind}"))
        clicked = st.button(
            texts("own.demo"),
            key="own_demo",
            type="primary",
            icon=":material/play_arrow:",
            help=texts("own.demo_help"),
        )
    if clicked:
        own.trouble = None
        own.uploads.put(demo.begin(own))
        st.rerun()


def _choose_kind(texts: Texts) -> str:
    """Show the choice of what browsers are to ask for."""
    kinds = dict(zip(_KINDS, (texts("own.files"), texts("own.directory")), strict=True))
    kind = st.segmented_control(
        texts("own.kind"),
        list(kinds),
        format_func=kinds.__getitem__,
        default="files",
        required=True,
        key="own_kind",
        label_visibility="collapsed",
    )
    return kind or "files"


def _drop_zone(own: OwnSession, role: str, kind: str, texts: Texts) -> None:
    labels = {"normal": texts("own.upload_normal"), "test": texts("own.upload_test")}
    st.file_uploader(
        labels[role],
        accept_multiple_files="directory" if kind == "directory" else True,
        max_upload_size=_MOST_FILE_MB,
        key=own.uploads.keys(role, kind)[-1],
        help=texts("own.upload_help"),
    )


def _finish_zones(own: OwnSession, texts: Texts) -> None:
    """Take what has come to the drop zones, and say what fits into them."""
    if _poll(own):
        st.rerun()
    st.caption(
        texts(
            "own.limits",
            images=f"{VISITOR_LIMITS.upload_images:,}",
            total=megabytes(VISITOR_LIMITS.upload_bytes),
            pixels=f"{VISITOR_LIMITS.image_pixels / 1e6:g}",
            file=megabytes(VISITOR_LIMITS.image_bytes),
        )
    )


def _warn_of_resolution(own: OwnSession, texts: Texts) -> None:
    """Warn of images in which the same thing is likely to be larger or smaller than in the normal ones."""
    usual: Sequence[float] = [max(photo.size) for photo in own.photos.normal]
    if not usual and own.results is not None:  # a model was uploaded without its training images
        usual = own.results.learned_sides_px
    others = [
        photo
        for photo in own.photos.test
        if usual and is_other_resolution(max(photo.size), (min(usual), max(usual)))
    ]
    if others:
        height, width = others[0].size
        st.warning(
            texts(
                "own.other_resolution",
                count=f"{len(others):,}",
                name=code(others[0].name),
                size=f"{width}x{height}",
            )
        )


def _notes(photos: OwnPhotos, texts: Texts) -> None:
    """Say what was made of depth, validation photos, copies and masks, where it is not a matter of course."""
    lines = []
    bits = find_bits(photo.peak for photo in photos.normal)
    if bits is not None:
        lines.append(texts("own.bits", bits=bits))
    validation = sum(photo.is_validation for photo in photos.normal)
    if validation:
        lines.append(texts("own.validation", count=validation))
    copies = photos.copies
    lines += [texts("own.copies_normal", count=copies.normal)] if copies.normal else []
    lines += [texts("own.copies_test", count=copies.test)] if copies.test else []
    lines += [texts("own.copies_near", count=copies.near)] if copies.near else []
    shown = [plain(sentence(note, texts)) for note in photos.notes[:LONG_TABLE]]
    if len(photos.notes) > len(shown):
        shown.append(texts("own.more_notes", count=len(photos.notes) - len(shown)))
    if lines or shown:
        st.info("  \n".join([*lines, *shown]), icon=":material/info:")


def _rejected(photos: OwnPhotos, texts: Texts) -> None:
    count = len(photos.rejected)
    if count:
        title = texts("own.rejected", count=count)
        with st.expander(title, icon=":material/block:", expanded=count <= LONG_TABLE, key="own_rejected"):
            show_rejected(photos.rejected, texts)
