"""What it means that a window is like normal ones or not, in words."""

from __future__ import annotations

from vaead.i18n.format import percent
from vaead.i18n.texts import Texts
from vaead.model.kept_windows import Likeness

CASES = ("unlike", "seldom", "like")
"""What can be said of a window where there are others."""
_UNLIKE, _SELDOM = 0.01, 0.1
"""Shares of kept windows that stand as far apart from others, below which it is said."""


def why(likeness: Likeness | None, score: str, rank: float, texts: Texts) -> str:
    """How much a window is like normal ones, and how high it is among them, in Markdown.

    Args:
        likeness: The former; None if the model keeps no windows.
        score: Name of the score of the latter.
        rank: Share of the windows of calibration images that have a lower one.
        texts: The language.
    """
    name = texts(f"score.{score}")
    height = texts("why.highest", score=name)
    if rank < 1:
        height = texts("why.height", score=name, rank=percent(rank, digits=4))
    if likeness is None:
        return _joined([texts("why.not_kept"), height], texts)
    case = "unlike" if likeness.share < _UNLIKE else "seldom" if likeness.share < _SELDOM else "like"
    values = {
        "count": f"{likeness.count:,}",
        "share": percent(likeness.share, digits=2),
        "rest": percent(1 - likeness.share, digits=4),
    }
    likeness_said = texts(f"why.{case}", **values)
    # A flagged window of usual content would seem to be a contradiction if the content came first.
    return _joined([height, likeness_said] if case == "like" else [likeness_said, height], texts)


def _joined(sentences: list[str], texts: Texts) -> str:
    return " ".join(sentences) if texts.language == "en" else "".join(sentences)
