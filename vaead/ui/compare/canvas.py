"""The canvas of the page Compare: the second image, to paint on."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from vaead.i18n.texts import Texts
from vaead.ui.compare.drawing import pack, unpack
from vaead.ui.shared.query_params import change, replace, values

_KEY = "canvas"
TOOLS = ("brush", "eraser", "undo", "size", "left", "up", "down", "right", "turn", "blank", "noise", "reset")
"""Names of the tools, from the catalogue of texts."""


def show(start: NDArray[np.uint8], base: str, texts: Texts) -> NDArray[np.uint8]:
    """Show the canvas, and return what is drawn on it, which the address holds, so that a link shows it.

    Args:
        start: What is there before the first stroke, (H, W).
        base: Name of `start`; what was painted on another one is forgotten.
        texts: The language.
    """

    def take() -> None:
        painted = _decoded(st.session_state[_KEY].get("pixels"), start.shape)
        if painted is not None:
            change(drawing=pack(painted))

    packed = values()["drawing"]
    drawn = None if packed is None else unpack(packed, start.shape)
    if packed is not None and drawn is None:
        replace("drawing", None)
    image = start if drawn is None else drawn
    words = {name: texts(f"canvas.{name}") for name in (*TOOLS, "canvas")}
    height, width = image.shape
    data = {"width": width, "height": height, "base": base, "words": words}
    data |= {"pixels": _encoded(image), "start": _encoded(start)}
    _component()(key=_KEY, data=data, on_pixels_change=take)
    return image


@cache
def _component() -> Any:
    """The component, which Streamlit wants to be told of once."""
    html, css, js = (
        Path(__file__).with_name(f"canvas.{kind}").read_text("utf-8") for kind in ("html", "css", "js")
    )
    return st.components.v2.component("vaead_canvas", html=html, css=css, js=js)


def _encoded(image: NDArray[np.uint8]) -> str:
    return base64.b64encode(image.tobytes()).decode()


def _decoded(text: Any, shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
    """An image from the browser, which may send anything; None if it is none."""
    try:
        content = base64.b64decode(text, validate=True)
        return np.frombuffer(content, np.uint8).reshape(shape)
    except (TypeError, ValueError):
        return None
