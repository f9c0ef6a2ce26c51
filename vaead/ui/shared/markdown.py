"""Text from outside as Markdown that shows it and nothing else."""

from __future__ import annotations

import re


def plain(text: str) -> str:
    r"""Escape the punctuation of a text, so that no file name puts pictures or links on the page.

    >>> print(plain("![a](b).png"))
    \!\[a\]\(b\)\.png
    """
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def code(name: str) -> str:
    """A name as code, in which no picture or link works either."""
    return f"`{name.replace('`', chr(39))}`"
