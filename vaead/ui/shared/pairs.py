"""Which test images make a pair, and images that stand in for the anomalous one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def draw_pair(seed: int, counts: dict[str, int]) -> dict[str, int]:
    """The images of a pair: for each role a number below its count."""
    random = np.random.default_rng(seed)
    return {role: int(random.integers(count)) for role, count in counts.items()}


def make_image(kind: str, normal: NDArray[np.uint8], seed: int) -> NDArray[np.uint8] | None:
    """An image that stands in for the anomalous one, see `INSTEAD`; None for a test image."""
    if kind == "blank":
        return np.zeros_like(normal)
    if kind == "noise":
        return np.random.default_rng(seed).integers(0, 256, normal.shape, np.uint8)
    return np.ascontiguousarray(normal[::-1]) if kind == "upside down" else None
