"""Whether a visitor has a phone, where figures have fewer columns."""

from __future__ import annotations

import streamlit as st


def is_phone() -> bool:
    """True if the browser says that it runs on a phone."""
    return "Mobi" in st.context.headers.get("User-Agent", "")
