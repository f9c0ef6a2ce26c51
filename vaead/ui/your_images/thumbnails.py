"""Step 1 of the page "Your images": thumbnails, each of which can be removed or moved to the other role."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from vaead.i18n.texts import Texts
from vaead.ui.shared.markdown import plain
from vaead.ui.shared.pictures import data_url
from vaead.ui.your_images.own_photos import OwnPhoto
from vaead.ui.your_images.session import OwnSession

THUMBNAIL_PX = 94
_SHOWN = 8
_PAGE = 24


def show(own: OwnSession, role: str, texts: Texts) -> None:
    """Show number, sizes and colours of the images of a role, a few of them, and a box with all of them."""
    if role == "normal":
        photos, title = own.photos.normal, texts("own.normal_row", count=f"{len(own.photos.normal):,}")
    else:
        photos, title = own.photos.test, texts("own.test_row", count=f"{len(own.photos.test):,}")
    if not photos:
        st.markdown(title)
        return
    st.markdown(_summary(photos, title, texts))
    sample = st.empty()
    with st.expander(
        texts("thumbs.all"), icon=":material/grid_view:", key=f"own_look_{role}", on_change="rerun"
    ) as box:
        if box.open:
            _grid(own, role, photos, texts)
    if not box.open:
        with sample.container(horizontal=True, gap="xsmall"):
            for photo in photos[:: max(1, len(photos) // _SHOWN)][:_SHOWN]:
                st.image(data_url(photo.thumbnail), width=THUMBNAIL_PX, alt=photo.name)


def _summary(photos: Sequence[OwnPhoto], title: str, texts: Texts) -> str:
    sizes = sorted({photo.size for photo in photos})
    shown = [f"{width}x{height}" for height, width in sizes]
    size = shown[0] if len(shown) == 1 else texts("own.sizes", count=len(shown), low=shown[0], high=shown[-1])
    colors = texts("own.colors") if any(p.has_colors for p in photos) else texts("own.grey")
    parts = [f"**{title}**", f"{size} px", colors]
    masks = sum(bool(photo.masks) for photo in photos)
    if masks:
        parts.append(texts("own.masks", count=masks))
    return " · ".join(parts)


def _grid(own: OwnSession, role: str, photos: Sequence[OwnPhoto], texts: Texts) -> None:
    """One page of thumbnails with their buttons."""
    key, pages = f"own_page_{role}", -(-len(photos) // _PAGE)
    page = min(st.session_state.get(key, 0), pages - 1)  # images of the last page may have been removed
    first = page * _PAGE
    with st.container(horizontal=True, gap="small", key=f"own_thumbs_{role}"):
        for photo in photos[first : first + _PAGE]:
            _tile(own, role, photo, texts)
    if pages > 1:
        with st.container(horizontal=True, vertical_alignment="center"):
            for step, name, icon in ((-1, "previous", "chevron_left"), (1, "next", "chevron_right")):
                st.button(
                    texts(f"thumbs.{name}"),
                    key=f"own_{name}_{role}",
                    icon=f":material/{icon}:",
                    disabled=not 0 <= page + step < pages,
                    on_click=st.session_state.__setitem__,
                    args=(key, page + step),
                )
            last = min(first + _PAGE, len(photos))
            st.caption(texts("thumbs.page", first=first + 1, last=last, count=f"{len(photos):,}"))


def _tile(own: OwnSession, role: str, photo: OwnPhoto, texts: Texts) -> None:
    """A thumbnail, and its buttons; their words are for tips and screen readers, and not seen."""
    name, number, taken = plain(photo.name), photo.path.stem, own.has_taken(photo)
    move = texts("thumbs.to_test", name=name) if role == "normal" else texts("thumbs.to_normal", name=name)
    remove, taken_help = texts("thumbs.remove", name=name), texts("thumbs.taken") if taken else None
    with st.container(width=THUMBNAIL_PX, gap=None):
        st.image(data_url(photo.thumbnail), width="stretch", alt=photo.name)
        with st.container(horizontal=True, gap=None):
            st.button(
                move,
                key=f"own_move_{number}",
                icon=":material/arrow_downward:" if role == "normal" else ":material/arrow_upward:",
                help=taken_help or move,
                type="tertiary",
                disabled=taken,
                on_click=own.move,
                args=(photo,),
            )
            st.button(
                remove,
                key=f"own_remove_{number}",
                icon=":material/delete:",
                help=taken_help or remove,
                type="tertiary",
                disabled=taken,
                on_click=own.remove,
                args=(photo,),
            )
