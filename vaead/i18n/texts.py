"""The text catalogue: every string of the interface, by meaning and language.

A language is one file `strings/<code>.toml` and one page of Markdown, `docs/method.<code>.md`. Reasons to
refuse photos lie in `data/photos/reasons.toml`, as errors of the engine need them too.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

from vaead import shipped
from vaead.data.photos.reasons import sentences

FOLDER = Path(__file__).parent / "strings"
LANGUAGES = {"en": "English", "ja": "日本語"}
"""Language codes and how each language calls itself; the first is the fallback."""
_METHOD = {"en": "method.md", "ja": "method.ja.md"}


class Texts:
    """The strings of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._strings = _load(language)

    def __call__(self, key: str, **values: object) -> str:
        """The string of a key, with its {fields} filled in.

        >>> Texts("en")("page.compare")
        'Compare'
        """
        text = self._strings[key]
        return text.format(**values) if values else text

    def get(self, key: str, default: str) -> str:
        """The string of a key, or a default where the catalogue has none."""
        return self._strings.get(key, default)

    @property
    def method(self) -> str:
        """The reference of the method, in Markdown."""
        page = (shipped.DOCS / _METHOD[self.language]).read_text(encoding="utf-8")
        # A browser shows the end of a line as a space, which Japanese does not have between words.
        return re.sub(r"(?<=[^\x00-\x7f])\n *(?=[^\x00-\x7f])", "", page)


def language_of(locale: str | None) -> str:
    """The language for a browser's locale.

    >>> language_of("ja-JP"), language_of("de"), language_of(None)
    ('ja', 'en', 'en')
    """
    code = (locale or "").split("-")[0].lower()
    return code if code in LANGUAGES else next(iter(LANGUAGES))


@cache
def _load(language: str) -> dict[str, str]:
    tree = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return dict(_flatten("", tree | {"reason": dict(sentences(language))}))


def _flatten(prefix: str, tree: dict[str, object]) -> list[tuple[str, str]]:
    leaves = []
    for name, value in tree.items():
        if isinstance(value, dict):
            leaves += _flatten(f"{prefix}{name}.", value)
        else:
            leaves.append((f"{prefix}{name}", str(value)))
    return leaves
