"""Have the browser ask before it leaves or reloads a page whose images and model would be lost."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import streamlit as st

KEY = "leaving"


def ask(would_lose: bool) -> None:
    """Ask from now on, or no more; it holds on the other pages too, from which a way leads back."""
    with st.container(key=KEY):
        st.html(f"<script>({_script()})({json.dumps(would_lose)})</script>", unsafe_allow_javascript=True)


@cache
def _script() -> str:
    return Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
