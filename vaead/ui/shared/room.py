"""Boxes whose room is there before a browser has loaded what they show, so that nothing below them jumps."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from vaead.ui.shared.phone import is_phone

_HEIGHTS_PX = {"pair_controls": (68, 228), "metrics": (184, 247), "invitation": (481, 431)}
"""Usual height of each box, on a wide screen and on a phone."""


def box(name: str, **layout: Any) -> DeltaGenerator:
    """A box that has its usual height from the start, and then that of what is in it.

    Args:
        name: Key of the box.
        layout: Arguments of `st.container`.
    """
    return st.container(key=name, height=_HEIGHTS_PX[name][is_phone()], border=False, **layout)


def rules() -> str:
    """CSS that lets the boxes grow."""
    written = []
    for name, (wide, narrow) in _HEIGHTS_PX.items():
        box = f".st-key-{name}.st-key-{name}"  # twice, to be stronger than Streamlit's own rule
        written += [
            f"{box} {{ height: auto; flex: none; overflow: visible; min-height: {wide}px; }}",
            f"@media (max-width: 640px) {{ {box} {{ min-height: {narrow}px; }} }}",
        ]
    return " ".join(written)
