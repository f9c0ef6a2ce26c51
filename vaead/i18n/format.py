"""Numbers, percentages and lists as the interface and the reports write them."""

from __future__ import annotations

from collections.abc import Sequence

from vaead.i18n.texts import Texts


def number(value: float) -> str:
    """Three digits, but no power of ten where a reader would rather have the number.

    >>> number(1043.2), number(0.12345), number(2.2), number(300)
    ('1,043', '0.123', '2.20', '300')
    """
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else f"{value:#.3g}".rstrip(".")


def percent(fraction: float, digits: int = 3) -> str:
    r"""A fraction in percent, with a space at which no line breaks.

    >>> percent(0.05), percent(1 / 3, digits=2)
    ('5\xa0%', '33\xa0%')
    """
    return f"{100 * fraction:.{digits}g}\u00a0%"


def listed(parts: Sequence[str], texts: Texts) -> str:
    """Parts as a list in running text.

    >>> listed(["old", "new"], Texts("en")), listed(["old", "new", "calibrated"], Texts("en"))
    ('old and new', 'old and new and calibrated')
    """
    *others, last = parts
    return texts("verdict.two", first=listed(others, texts), second=last) if others else last
