"""Errors and rejected files in the language of the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from vaead.data.photos import Rejected
from vaead.data.photos.reasons import PhotoError, Reason
from vaead.errors import InvalidInputError, VaeadError
from vaead.i18n.texts import Texts
from vaead.ui.shared.markdown import code, plain

LONG_TABLE = 8
"""A table of more rows scrolls."""
_LONG_TABLE_PX = 420


class UnusableModelError(InvalidInputError):
    """A ZIP without a model that can score photos.

    Attributes:
        kind: Key of the sentence `own.model_<kind>`.
        name: Name of the ZIP.
        values: Fill the other fields of the sentence.
    """

    def __init__(
        self, kind: Literal["none", "broken", "damaged", "classes"], name: str, **values: str
    ) -> None:
        super().__init__(" ".join((kind, *values.values())))
        self.kind = kind
        self.name = name
        self.values = values


def error_message(error: VaeadError | OSError, texts: Texts) -> str:
    """The text of an error; English where it is about neither images nor the disk of the server."""
    if isinstance(error, OSError):
        return texts("own.no_room", problem=error.strerror or error)
    if isinstance(error, UnusableModelError):
        values = {key: plain(value) for key, value in error.values.items()}
        return texts(f"own.model_{error.kind}", name=code(error.name), **values)
    return sentence(error.reason, texts) if isinstance(error, PhotoError) else str(error)


def told(error: VaeadError | OSError, texts: Texts) -> str:
    """As `error_message`, in Markdown in which no name of a file does anything."""
    message = error_message(error, texts)
    return plain(message) if isinstance(error, PhotoError) else message


def show_rejected(rejected: Sequence[Rejected], texts: Texts) -> None:
    """Show a table of rejected files and the reasons."""
    reasons = [each.reason if each.why is None else sentence(each.why, texts) for each in rejected]
    rows = {
        texts("own.file"): [plain(each.name) for each in rejected],
        texts("own.reason"): [plain(reason) for reason in reasons],
    }
    with st.container(height=_LONG_TABLE_PX if len(rejected) > LONG_TABLE else "content", border=False):
        st.table(rows, hide_index=True)


def sentence(reason: Reason, texts: Texts) -> str:
    """The sentence of a reason in the language of the page."""
    return texts(f"reason.{reason.kind}", **reason.values)
