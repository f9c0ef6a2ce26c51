"""A thin bar under a picture that says where its score stands among normal images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OUTLINE = "#e4572e"
_USUAL = "#2f78c4"
_EDGES = (-0.052, -0.028)
"""Lower and upper edge of the bar, in heights of the picture."""
_LIMIT = 0.6
"""Where the limit of normal images lies on the bar."""


@dataclass(frozen=True)
class Gauge:
    """Where a score stands among normal images.

    Attributes:
        value: The score.
        low: Score that nearly all normal images exceed.
        limit: Threshold above which an image is flagged.
        note: Written below the bar.
    """

    value: float
    low: float
    limit: float
    note: str

    @property
    def flagged(self) -> bool:
        """True if the score is above its limit."""
        return self.value > self.limit

    @property
    def position(self) -> float:
        """Place of the score on the bar, 0 to 1; far above the limit it nears 1.

        >>> [round(Gauge(value, 0, 10, "").position, 2) for value in (-5, 0, 5, 10, 20, 1e6)]
        [0.0, 0.0, 0.3, 0.6, 0.8, 1.0]
        """
        share = (self.value - self.low) / max(self.limit - self.low, 1e-9)
        if share <= 1:
            return max(0.0, _LIMIT * share)
        return _LIMIT + (1 - _LIMIT) * (1 - 1 / share)

    def shapes(self, domain: Mapping[str, str]) -> list[dict[str, Any]]:
        """The range of normal images, what lies beyond it, and a mark at the score.

        Args:
            domain: The axes of the picture, of whose sides places are shares.
        """
        color = OUTLINE if self.flagged else _USUAL
        low, high = _EDGES

        def bar(left: float, right: float, color: str, opacity: float, more: float = 0) -> dict[str, Any]:
            return {
                "type": "rect",
                **domain,
                "x0": left,
                "x1": right,
                "y0": low - more,
                "y1": high + more,
                "fillcolor": color,
                "opacity": opacity,
                "line": {"width": 0},
            }

        at = self.position
        return [
            bar(0, _LIMIT, _USUAL, 0.3),
            bar(_LIMIT, 1, OUTLINE, 0.18),
            bar(max(0, at - 0.012), min(1, at + 0.012), color, 1, more=0.014),
        ]

    def note_text(self, title: Mapping[str, Any]) -> dict[str, Any]:
        """The note below the bar, made from the title of the picture."""
        return {**title, "y": _EDGES[0] - 0.014, "yanchor": "top", "font": {"size": 11}, "opacity": 0.75}
