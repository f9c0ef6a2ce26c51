"""Robust standardisation: the median, and a spread that a few unusual values do not move."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_QUANTILES = (0.16, 0.84)
"""Half their distance is the standard deviation of a normal distribution, and outliers do not move it."""
_LIMIT = 8.0
"""Largest deviation in spreads, so that one value cannot decide alone."""
_LEAST = 1e-2
"""Smallest spread as a share of the middle one. Where normal images hardly vary, rounding must not turn into
a deviation: A of a window that is always black changes by 5e-4 nats with the order of adding up alone."""
_LEAST_OF_LOGARITHM = 0.05
"""Where normal images are all alike, 5 % more is no anomaly."""


def median_and_spread(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Along the first axis."""
    low, high = np.quantile(values, _QUANTILES, axis=0)
    return np.median(values, axis=0), (high - low) / 2


def with_least(spread: NDArray[Any], counts: NDArray[np.bool_] | None = None) -> NDArray[Any]:
    """Spreads, none of them far below the middle one of those that count."""
    middle = np.median(spread if counts is None else spread[counts])
    return np.asarray(np.maximum(spread, _LEAST * middle + 1e-6))


def standardise(values: NDArray[Any], median: NDArray[Any], spread: NDArray[Any]) -> NDArray[Any]:
    """Deviations from the median in spreads, clipped."""
    return np.asarray(np.clip((values - median) / spread, -_LIMIT, _LIMIT))


def scale_of_logarithms(logs: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Median and spread of the logarithms of evidence (N, evidences) of normal images: (evidences,) each."""
    middle, spread = median_and_spread(logs)
    return middle.astype(np.float32), np.maximum(spread, _LEAST_OF_LOGARITHM).astype(np.float32)
