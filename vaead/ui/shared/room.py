"""Boxes whose room is there before a browser has loaded what they show, so that nothing below them jumps."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from vaead.ui.shared.phone import is_phone

_HEIGHTS_PX = {
    "pages": (46, 46),
    "in_words": (40, 40),
    "pair_controls": (68, 228),
    "metrics": (184, 247),
    "invitation": (481, 431),
}
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
        narrower = rule(name, f"height: auto; min-height: {narrow}px")
        written += [
            rule(name, f"height: auto; min-height: {wide}px"),
            f"@media (max-width: 640px) {{ {narrower} }}",
        ]
    return " ".join(written)


def rule(name: str, height: str) -> str:
    """CSS that gives a box, whatever its first height, another one."""
    # Streamlit lets boxes in a column grow or shrink to its own taste, unless they say no, and puts the first
    # height on a box around them, too. The class stands twice to be stronger than its own rule.
    return (
        f"[data-testid=stLayoutWrapper]:has(> .st-key-{name}) {{ flex: none; height: auto; }} "
        f".st-key-{name}.st-key-{name} {{ flex: none; {height}; overflow: visible; }}"
    )
