"""Reasons to refuse a file or an upload.

Their sentences lie beside this module in all languages: errors need a text without the catalogue of the
interface, which is built on this package.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vaead.errors import InvalidInputError

FORMATS_TEXT = "PNG, JPEG, BMP, TIFF or WebP"

_FILE = Path(__file__).with_suffix(".toml")


@cache
def sentences(language: str = "en") -> Mapping[str, str]:
    """Sentences of a language by kind, with {fields} for values."""
    kinds = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {kind: languages[language] for kind, languages in kinds.items()}


@dataclass(frozen=True)
class Reason:
    """One reason, in no language yet.

    Attributes:
        kind: Key of its sentence in `reasons.toml`.
        values: Fill the fields of the sentence.
    """

    kind: str
    values: Mapping[str, object]

    def __str__(self) -> str:
        return sentences()[self.kind].format(**self.values)


def note(kind: str, **values: object) -> Reason:
    """A remark that is no reason to refuse anything, of the same catalogue."""
    return Reason(kind, values)


class PhotoError(InvalidInputError):
    """A file or an upload that is refused, with the reason; its text is the English sentence."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def refusal(kind: str, **values: object) -> PhotoError:
    """The error for a kind of reason.

    >>> str(refusal("empty", name="a.png"))
    "image 'a.png' must hold data, got 0 bytes; copy or export it again"
    """
    return PhotoError(Reason(kind, values))
