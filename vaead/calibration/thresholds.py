"""The scores of held-out normal images, kept as quantiles: ranks and thresholds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaead.errors import InvalidInputError, UnknownNameError
from vaead.scoring.loss_terms import SCORES, TERMS
from vaead.scoring.term_maps import TermMaps

LEVELS = (*(level / 200 for level in range(200)), 0.9975, 0.999, 1.0)
"""Shares of held-out normal images, or of their windows, at which scores are kept."""

RULES = ("score", "window")
"""What decides: the score of the image, or, as in the paper, its largest window."""

_DIGITS = 6
_OF_WINDOWS = (*SCORES, *TERMS)


class Threshold(NamedTuple):
    """A threshold for a false-alarm rate, with its 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class NormalScores:
    """Quantiles at `LEVELS` of the scores of held-out normal images.

    Attributes:
        images: Number of held-out images.
        image: For each score, quantiles of the image scores.
        largest: For each score, quantiles of the largest window of each image.
        window: For each score and term, quantiles over all windows of all images.
    """

    images: int
    image: dict[str, list[float]]
    largest: dict[str, list[float]]
    window: dict[str, list[float]]

    def __post_init__(self) -> None:
        """Refuse what cannot come from `of`, since a card may come from anywhere."""
        if not isinstance(self.images, int) or self.images < 1:
            raise ValueError(f"images of calibration must be at least 1, got {self.images!r}")
        for quantiles, names in ((self.image, SCORES), (self.largest, SCORES), (self.window, _OF_WINDOWS)):
            if set(quantiles) != set(names):
                raise ValueError(f"calibration must be of {', '.join(names)}, got {', '.join(quantiles)}")
            for values in quantiles.values():
                if len(values) != len(LEVELS) or not np.isfinite(np.array(values, np.float64)).all():
                    raise ValueError(f"calibration must hold {len(LEVELS)} numbers each, got others")

    @classmethod
    def of(cls, *held_out: TermMaps) -> NormalScores:
        """Summarise the term maps of held-out normal images; several, where their sizes differ."""

        def quantiles(values: Callable[[TermMaps, str], NDArray[np.float32]], name: str) -> list[float]:
            return _quantiles(np.concatenate([values(terms, name).ravel() for terms in held_out]))

        return cls(
            images=sum(len(terms.kl) for terms in held_out),
            image={score: quantiles(TermMaps.image_scores, score) for score in SCORES},
            largest={score: quantiles(TermMaps.window_max, score) for score in SCORES},
            window={name: quantiles(TermMaps.window_scores, name) for name in _OF_WINDOWS},
        )

    def rank(self, score: str, value: float) -> float:
        """Share of held-out normal images whose image score is below a value, 0 to 1."""
        return float(np.interp(value, self.image[score], LEVELS))

    def image_quantile(self, score: str, level: float) -> float:
        """The image score that a share `level` of held-out normal images does not exceed."""
        return float(np.interp(level, LEVELS, self.image[score]))

    def window_ranks(self, name: str, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Share of held-out normal windows below each value, 0 to 1; any shape."""
        ranks: NDArray[np.float64] = np.interp(values, self.window[name], LEVELS)
        return ranks

    def window_quantile(self, name: str, level: float) -> float:
        """The window score that a share `level` of held-out normal windows does not exceed."""
        return float(np.interp(level, LEVELS, self.window[name]))

    def color_range(self, name: str) -> tuple[float, float]:
        """The values of windows between which the colours of a map run, the same for all images.

        The lightest is what 1 of 100 held-out normal windows stays below. The darkest of a score is what 1 of
        20 held-out normal images passes anywhere, so that a normal image is hardly ever as dark; of a term,
        whose largest windows are not kept, what 1 of 1,000 windows passes.
        """
        low = self.window_quantile(name, 0.01)
        high = (
            self.threshold_value(name, 0.05, "window")
            if name in self.largest
            else self.window_quantile(name, 0.999)
        )
        return low, max(high, low + 1e-9)

    def heat_range(self, score: str) -> tuple[float, float]:
        """The values of windows between which a map laid over an image goes from clear to full colour.

        It begins at what 1 of 100 held-out normal windows passes, and is full at twice the distance from
        there to their maximum; the same for all images.
        """
        low, highest = (self.window_quantile(score, level) for level in (0.99, 1.0))
        return low, low + 2 * max(highest - low, 1e-6)

    def threshold(self, score: str, false_alarm_rate: float, rule: str = "score") -> Threshold:
        """As `threshold_value`, with its confidence interval."""
        value = self.threshold_value(score, false_alarm_rate, rule)
        low, high = np.interp(self._levels_around(1 - false_alarm_rate), LEVELS, self._quantiles(score, rule))
        return Threshold(value, float(low), float(high))

    def threshold_value(self, score: str, false_alarm_rate: float, rule: str = "score") -> float:
        """The threshold that a share of held-out normal images passes.

        Args:
            score: Name of the score.
            false_alarm_rate: That share, above 0 and below 1.
            rule: One of `RULES`: an image is flagged if its score is above the threshold, or if one of its
                windows is.

        Raises:
            InvalidInputError: The rate is out of range.
            UnknownNameError: There is no such rule.
        """
        require_rate(false_alarm_rate)
        return float(np.interp(1 - false_alarm_rate, LEVELS, self._quantiles(score, rule)))

    def _quantiles(self, score: str, rule: str) -> list[float]:
        if rule not in RULES:
            raise UnknownNameError(
                f"rule must be one of {', '.join(RULES)}, got {rule!r}; choose one of these"
            )
        return (self.image if rule == "score" else self.largest)[score]

    def _levels_around(self, level: float) -> tuple[float, float]:
        """Levels of order statistics that hold the true quantile in 95 % of all draws of held-out images."""
        from scipy.stats import binom  # takes half a second to import, and most visitors set no threshold

        low, high = binom.ppf((0.025, 0.975), self.images, level) / self.images
        # Of few images the extreme one stands for all levels beyond it.
        return min(float(low), level), max(float(high), level)


def require_rate(false_alarm_rate: object) -> None:
    """Raise InvalidInputError unless a false-alarm rate is a number above 0 and below 1."""
    if not (isinstance(false_alarm_rate, int | float) and 0 < false_alarm_rate < 1):
        raise InvalidInputError(
            f"false_alarm_rate must be above 0 and below 1, got {false_alarm_rate!r}; try 0.05"
        )


def _quantiles(values: NDArray[np.floating]) -> list[float]:
    quantiles = np.quantile(values.astype(np.float64), LEVELS)
    return [float(f"{quantile:.{_DIGITS}g}") for quantile in quantiles]
