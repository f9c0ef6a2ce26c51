"""Quantiles of the scores of held-out normal images: ranks, thresholds and colour ranges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaead.config import Record, require_range
from vaead.errors import InvalidInputError, UnknownNameError
from vaead.scoring.loss_terms import SCORES, TERMS
from vaead.scoring.term_maps import TermMaps

LEVELS = (*(level / 200 for level in range(200)), 0.9975, 0.999, 1.0)
"""Levels of the quantiles that are kept."""

RULES = ("score", "window")
"""Rules that flag an image: its score, or, as in the paper, its largest window, is above the threshold."""

_DIGITS = 6
_MOST_TYPICAL = 500
_MOST_IMAGES = 10**9
_OF_WINDOWS = (*SCORES, *TERMS)


class Threshold(NamedTuple):
    """A threshold for a false-alarm rate, with its 95 % confidence interval."""

    value: float
    low: float
    high: float


class NormalScores(Record, frozen=True):
    """Quantiles at `LEVELS` of the scores of held-out normal images.

    Attributes:
        n_images: Number of held-out images.
        image: Quantiles of the image scores, by score.
        window_max: Quantiles of the largest window of each image, by score.
        window: Quantiles over all windows of all images, by score and term.
    """

    n_images: int
    image: dict[str, tuple[float, ...]]
    window_max: dict[str, tuple[float, ...]]
    window: dict[str, tuple[float, ...]]

    def __post_init__(self) -> None:
        # A card may come from anywhere.
        require_range("n_images", self.n_images, 1, _MOST_IMAGES)
        for quantiles, names in ((self.image, SCORES), (self.window_max, SCORES), (self.window, _OF_WINDOWS)):
            if set(quantiles) != set(names):
                raise ValueError(f"normal scores must be of {', '.join(names)}, got {', '.join(quantiles)}")
            for values in quantiles.values():
                if len(values) != len(LEVELS) or not np.isfinite(values).all() or (np.diff(values) < 0).any():
                    raise ValueError(f"normal scores must hold {len(LEVELS)} ascending numbers, got others")

    @classmethod
    def fit(cls, held_out: Sequence[TermMaps]) -> NormalScores:
        """Collect the scores of held-out normal images, one or more an entry."""

        def quantiles(values: Callable[[TermMaps, str], NDArray[np.float32]], name: str) -> tuple[float, ...]:
            return _quantiles(np.concatenate([values(terms, name).ravel() for terms in held_out]))

        return cls(
            n_images=sum(len(terms.kl) for terms in held_out),
            image={score: quantiles(TermMaps.image_scores, score) for score in SCORES},
            window_max={score: quantiles(TermMaps.window_max, score) for score in SCORES},
            window={name: quantiles(TermMaps.window_scores, name) for name in _OF_WINDOWS},
        )

    def rank(self, score: str, value: float) -> float:
        """Fraction of held-out normal images whose image score is below a value, 0 to 1."""
        return float(np.interp(value, self.image[score], LEVELS))

    def image_quantile(self, score: str, level: float) -> float:
        """Quantile of the image scores of held-out normal images."""
        return float(np.interp(level, LEVELS, self.image[score]))

    def window_ranks(self, name: str, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Fraction of held-out normal windows below each value, 0 to 1; any shape."""
        ranks: NDArray[np.float64] = np.interp(values, self.window[name], LEVELS)
        return ranks

    def window_quantile(self, name: str, level: float) -> float:
        """Quantile of the window scores of held-out normal images."""
        return float(np.interp(level, LEVELS, self.window[name]))

    def color_range(self, name: str) -> tuple[float, float]:
        """Window scores at both ends of the colours of a map, the same for all images.

        Lower end: the 1 % quantile of normal windows. Upper end: for a score, the 95 % quantile of the
        largest window of normal images, so that a normal image is hardly ever as dark; for a term, whose
        largest windows are not kept, the 99.9 % quantile of windows.
        """
        low = self.window_quantile(name, 0.01)
        high = (
            self.threshold_value(name, 0.05, "window")
            if name in self.window_max
            else self.window_quantile(name, 0.999)
        )
        return low, max(high, low + 1e-9 * max(1.0, abs(low)))

    def heat_range(self, score: str) -> tuple[float, float]:
        """Window scores at which a map laid over any image is clear and in full colour.

        Clear: the 99 % quantile of normal windows. Full: twice as far from there as their maximum.
        """
        low, highest = (self.window_quantile(score, level) for level in (0.99, 1.0))
        return low, low + 2 * max(highest - low, 1e-6)

    def threshold(self, score: str, false_alarm_rate: float, rule: str = "score") -> Threshold:
        """As `threshold_value`, with its confidence interval."""
        value = self.threshold_value(score, false_alarm_rate, rule)
        low, high = np.interp(self._levels_around(1 - false_alarm_rate), LEVELS, self._quantiles(score, rule))
        return Threshold(value, float(low), float(high))

    def threshold_value(self, score: str, false_alarm_rate: float, rule: str = "score") -> float:
        """The threshold that a fraction of held-out normal images exceeds.

        Args:
            score: Name of the score.
            false_alarm_rate: That fraction, above 0 and below 1.
            rule: One of `RULES`.

        Raises:
            InvalidInputError: The rate is out of range.
            UnknownNameError: There is no such rule.
        """
        require_rate(false_alarm_rate)
        return float(np.interp(1 - false_alarm_rate, LEVELS, self._quantiles(score, rule)))

    def false_alarm_interval(self, false_alarm_rate: float) -> tuple[float, float]:
        """95 % confidence interval of the share of normal images above the threshold for a rate.

        Source: C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the
        case of the binomial", 1934.
        """
        from scipy.stats import beta

        require_rate(false_alarm_rate)
        above = false_alarm_rate * self.n_images
        low = beta.ppf(0.025, above, self.n_images - above + 1)
        high = beta.ppf(0.975, above + 1, self.n_images - above)
        return float(low), float(high)

    def typical_scores(self, score: str) -> NDArray[np.float64]:
        """As many image scores as there are held-out images, or a few hundred, that have their quantiles."""
        count = min(self.n_images, _MOST_TYPICAL)
        return np.interp((np.arange(count) + 0.5) / count, LEVELS, self.image[score])

    def _quantiles(self, score: str, rule: str) -> tuple[float, ...]:
        if rule not in RULES:
            raise UnknownNameError(
                f"rule must be one of {', '.join(RULES)}, got {rule!r}; choose one of these"
            )
        return (self.image if rule == "score" else self.window_max)[score]

    def _levels_around(self, level: float) -> tuple[float, float]:
        """Levels of order statistics that hold the true quantile in 95 % of all draws of held-out images."""
        from scipy.stats import binom  # takes half a second to import, and most visitors set no threshold

        low, high = binom.ppf((0.025, 0.975), self.n_images, level) / self.n_images
        # Of few images the extreme one stands for all levels beyond it.
        return min(float(low), level), max(float(high), level)


def require_rate(false_alarm_rate: object) -> None:
    """Raise InvalidInputError unless a false-alarm rate is a number above 0 and below 1."""
    if not (isinstance(false_alarm_rate, int | float) and 0 < false_alarm_rate < 1):
        raise InvalidInputError(
            f"false_alarm_rate must be above 0 and below 1, got {false_alarm_rate!r}; try 0.05"
        )


def _quantiles(values: NDArray[np.floating]) -> tuple[float, ...]:
    known = values[np.isfinite(values)].astype(np.float64)  # the others are left out
    quantiles = np.quantile(known, LEVELS)
    return tuple(float(f"{quantile:.{_DIGITS}g}") for quantile in quantiles)
