"""A tap on a figure selects what is there, as a click does."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st


def show() -> None:
    """Say so to the browser, also for figures that are drawn later."""
    st.html(f"<script>({_script()})()</script>", unsafe_allow_javascript=True)


@cache
def _script() -> str:
    return Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
