"""Step 2 of the page "Your images": boxes on a normal image, which are left out of everything."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from vaead.i18n.texts import Texts
from vaead.ignored import IgnoredRegion
from vaead.ui.shared.pictures import data_url
from vaead.ui.your_images.own_photos import OwnPhoto
from vaead.ui.your_images.session import OwnSession

KEY = "own_boxes"
TOOLS = ("board", "add", "remove", "clear")
"""Words of the tools, from the catalogue of texts."""
_MOST = 20

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, as shares of the width and the height of an image."""


def show(own: OwnSession, photo: OwnPhoto, aligned: bool, texts: Texts) -> None:
    """Show a normal image to draw on; what is drawn is kept for the visitor."""

    def take() -> None:
        own.boxes = read_boxes(st.session_state[KEY].get("boxes"))

    with st.expander(texts("boxes.title")):
        st.markdown(texts("boxes.aligned") if aligned else texts("boxes.free"))
        words = {name: texts(f"boxes.{name}") for name in TOOLS}
        data = {
            "picture": data_url(photo.thumbnail),
            "base": photo.digest,
            "boxes": own.boxes,
            "words": words,
        }
        _component()(key=KEY, data=data, on_boxes_change=take)


def read_boxes(found: Any) -> list[Box]:
    """Boxes from the browser, which may send anything; what is no box is left out."""
    boxes = []
    for each in found[:_MOST] if isinstance(found, list) else []:
        numbers = isinstance(each, list | tuple) and len(each) == 4
        if numbers and all(isinstance(at, int | float) and math.isfinite(at) for at in each):
            left, top, right, bottom = (min(max(float(at), 0.0), 1.0) for at in each)
            if left < right and top < bottom:
                boxes.append((left, top, right, bottom))
    return boxes


def region(boxes: Sequence[Box], size: tuple[int, int]) -> IgnoredRegion | None:
    """The region of boxes; None if they cover nothing.

    Args:
        boxes: The boxes.
        size: Height and width of an image.

    Raises:
        InvalidInputError: They cover everything.
    """
    mask = np.zeros(size, np.bool_)
    for left, top, right, bottom in boxes:
        rows = slice(round(top * size[0]), round(bottom * size[0]))
        mask[rows, round(left * size[1]) : round(right * size[1])] = True
    return IgnoredRegion.from_mask(mask) if mask.any() else None


@cache
def _component() -> Any:
    """The component, which Streamlit wants to be told of once."""
    html, css, js = (
        Path(__file__).with_name(f"boxes.{kind}").read_text("utf-8") for kind in ("html", "css", "js")
    )
    return st.components.v2.component("vaead_boxes", html=html, css=css, js=js)
