"""Step 1 of the page "Your images": bring them, or take the demo, and see what came in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.typing import UploadedFile

from vaead.data.photos import Rejected, is_other_resolution
from vaead.data.photos.limits import megabytes
from vaead.data.photos.reasons import PhotoError, Reason
from vaead.errors import InvalidInputError, VaeadError
from vaead.i18n.texts import Texts
from vaead.ui.shared.markdown import code, plain
from vaead.ui.your_images import demo
from vaead.ui.your_images.session import OwnSession
from vaead.ui.your_images.upload_queue import Intake
from vaead.ui.your_images.uploaded_photos import LIMITS, OwnPhoto, OwnPhotos, take_in

_SHOWN = 8
_SHOWN_PX = 94
_LONG_TABLE_PX = 420
_KINDS = ("files", "directory")


def go_on(own: OwnSession, texts: Texts) -> None:
    """Take in what was uploaded. If a click breaks that off, the next run of the page goes on."""
    _queue_uploads(own)
    if not own.intakes:
        return
    place = st.empty()
    for intake in list(own.intakes):
        while intake.advance():
            shown = texts("own.reading", done=intake.done, total=intake.total)
            place.progress(intake.done / intake.total, shown)
        if own.finish(intake):
            _settle(own, intake, texts)
    place.empty()


def _queue_uploads(own: OwnSession) -> bool:
    """Queue new files, also those that came while others were taken in and no control was drawn for them."""
    before = len(own.intakes)
    for role, count in own.uploads.items():
        for key in (_uploader(role, kind, number) for kind in _KINDS for number in (count - 1, count)):
            files = [file for file in st.session_state.get(key) or () if isinstance(file, UploadedFile)]
            fresh = own.claim(file.file_id for file in files)
            named: list[tuple[str, BinaryIO]] = [(f.name, f) for f in files if f.file_id in fresh]
            if named:
                own.trouble = None
                own.intakes.append(take_in(own.photos, named, role))
                release(files)
    return len(own.intakes) > before


def _settle(own: OwnSession, intake: Intake, texts: Texts) -> None:
    """Say what went wrong, and propose settings anew if there are more normal images."""
    if isinstance(intake.problem, InvalidInputError):
        own.trouble = told(intake.problem, texts)
    elif intake.problem is not None:
        own.trouble = no_room(intake.problem, texts)
    if own.normal_count != len(own.photos.normal):
        own.normal_count, own.settings = len(own.photos.normal), {}


def show(own: OwnSession, texts: Texts) -> None:
    """Show the controls to bring images, or the images."""
    photos = own.photos
    if not (photos.normal or photos.judged):
        _show_rejected(photos, texts)
        _invitation(own, texts)
        return
    _row(photos.normal, texts("own.normal_row", count=f"{len(photos.normal):,}"), texts)
    if photos.judged:
        _row(photos.judged, texts("own.judged_row", count=f"{len(photos.judged):,}"), texts)
        _tell_other_resolution(own, texts)
    _show_rejected(photos, texts)
    with st.container(horizontal=True):
        with st.popover(texts("own.add"), icon=":material/add_photo_alternate:", key="own_add"):
            _uploaders(own, texts)
        st.button(texts("own.clear"), key="own_clear", icon=":material/delete:", on_click=own.clear)


def _invitation(own: OwnSession, texts: Texts) -> None:
    """What is shown to a visitor who has brought nothing yet."""
    left, right = st.columns([3, 2], gap="large")
    with right:
        samples = demo.samples()
        with st.container(horizontal=True, gap="xsmall"):
            for kind, image in samples.items():
                st.image(image, width=_SHOWN_PX, alt=texts(f"defect.{kind}"))
        clicked = st.button(
            texts("own.demo"),
            key="own_demo",
            type="primary",
            icon=":material/play_arrow:",
            help=texts("own.demo_help"),
        )
    with left:
        _uploaders(own, texts)
    if clicked:
        own.trouble = None
        own.intakes.append(demo.begin(own))
        st.rerun()


def _uploader(role: str, kind: str, number: int) -> str:
    """The key of a control, which has a new one after each upload and is empty then."""
    return f"own_{role}_{kind}_{number}"


def _uploaders(own: OwnSession, texts: Texts) -> None:
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
    labels = {"normal": texts("own.upload_normal"), "judged": texts("own.upload_judged")}
    for role, count in own.uploads.items():
        st.file_uploader(
            labels[role],
            accept_multiple_files="directory" if kind == "directory" else True,
            key=_uploader(role, kind, count),
            help=texts("own.upload_help"),
        )
    if _queue_uploads(own):
        st.rerun()
    st.caption(
        texts(
            "own.limits",
            images=f"{LIMITS.upload_images:,}",
            total=megabytes(LIMITS.upload_bytes),
            pixels=f"{LIMITS.image_pixels / 1e6:g}",
            file=megabytes(LIMITS.image_bytes),
        )
    )


def no_room(error: OSError, texts: Texts) -> str:
    """What is said where the server cannot keep images."""
    return texts("own.no_room", problem=error.strerror or error)


def told(error: VaeadError, texts: Texts) -> str:
    """What an error says, in the language of the page where it is about images."""
    return _reason(error.reason, texts) if isinstance(error, PhotoError) else str(error)


def _reason(why: Reason, texts: Texts) -> str:
    return texts(f"reason.{why.kind}", **why.values)


def release(files: Sequence[UploadedFile]) -> None:
    """Free the memory of files that are kept elsewhere now, as Streamlit does when a visitor removes them."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        for file in files:
            context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)


def _row(photos: Sequence[OwnPhoto], title: str, texts: Texts) -> None:
    """A few thumbnails with what is known of all."""
    if not photos:
        st.markdown(title)
        return
    sizes = sorted({photo.size for photo in photos})
    shown = [f"{width}x{height}" for height, width in sizes]
    size = shown[0] if len(shown) == 1 else texts("own.sizes", count=len(shown), low=shown[0], high=shown[-1])
    colors = texts("own.colors") if any(p.has_colors for p in photos) else texts("own.grey")
    parts = [f"**{title}**", f"{size} px", colors]
    masks = sum(photo.mask is not None for photo in photos)
    if masks:
        parts.append(texts("own.masks", count=masks))
    st.markdown(" · ".join(parts))
    step = max(1, len(photos) // _SHOWN)
    sample = photos[::step][:_SHOWN]
    with st.container(horizontal=True, gap="xsmall"):
        for photo in sample:
            st.image(photo.thumbnail, width=_SHOWN_PX, alt=photo.name)


def _tell_other_resolution(own: OwnSession, texts: Texts) -> None:
    """Warn of images in which the same thing is likely to be larger or smaller than in the normal ones."""
    usual: Sequence[float] = [max(photo.size) for photo in own.photos.normal]
    if not usual and own.results is not None:  # a model was brought, but not what it has learned from
        usual = own.results.learned_sides_px
    others = [
        photo
        for photo in own.photos.judged
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


def _show_rejected(photos: OwnPhotos, texts: Texts) -> None:
    if not photos.rejected:
        return
    title = texts("own.rejected", count=len(photos.rejected))
    with st.expander(
        title, icon=":material/block:", expanded=len(photos.rejected) <= _SHOWN, key="own_rejected"
    ):
        show_reasons(photos.rejected, texts)


def show_reasons(rejected: Sequence[Rejected], texts: Texts) -> None:
    """A table of files and why they are left out."""
    reasons = [each.reason if each.why is None else _reason(each.why, texts) for each in rejected]
    rows = {
        texts("own.file"): [plain(each.name) for each in rejected],
        texts("own.reason"): [plain(reason) for reason in reasons],
    }
    with st.container(height=_LONG_TABLE_PX if len(rejected) > _SHOWN else "content", border=False):
        st.table(rows, hide_index=True)
