"""JavaScript beside a module, run in the browser."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import streamlit as st


def run(module: str, *arguments: object) -> None:
    """Call the function in the script that has the name of a module.

    Args:
        module: File of the module, its `__file__`.
        arguments: What JSON can hold.
    """
    call = f"({_read(Path(module).with_suffix('.js'))})({', '.join(map(json.dumps, arguments))})"
    st.html(f"<script>{call}</script>", unsafe_allow_javascript=True)


@cache
def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8")
