"""What a screen reader needs and Streamlit does not say: the language, its words in it, and what changes."""

from __future__ import annotations

from vaead.i18n.texts import LANGUAGES, Texts
from vaead.ui.shared import script

_WORDS = (
    *("help_of", "help", "fullscreen", "columns", "download", "search", "more", "less", "clear", "remove"),
    *("sidebar", "collapse", "expand", "pages", "menu", "skip", "choose", "open", "close", "dismiss"),
    *("options", "option", "no_options", "upload", "limit", "browse"),
)
"""Streamlit's own words, which are English: `streamlit.{word}` in the catalogue, * for what varies."""

LIVE = ("verdict", "progress")
"""Keys of boxes whose new content is read out."""


def show(texts: Texts) -> None:
    """Say all this to the browser, also of what is drawn later."""
    words = [[Texts(language)(f"streamlit.{word}") for language in LANGUAGES] for word in _WORDS]
    place = list(LANGUAGES).index(texts.language)
    script.run(__file__, texts.language, words, place, LIVE)
