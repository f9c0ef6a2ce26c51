"""Windows of normal images, to tell how usual one window is: at its place, and anywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.class_images import ClassReference
from vaead.model.model import Model
from vaead.scoring.loss_terms import TERMS
from vaead.scoring.scan import Scan

QUANTITIES = (*TERMS, "old", "new", "calibrated")
"""What is told of a window: the terms, and the scores."""

Quantities = dict[str, NDArray[np.float32]]
"""`QUANTITIES` of all windows of images by name, each (N, rows, cols)."""


@dataclass(frozen=True)
class NormalWindows:
    """Quantities of all windows of some normal images.

    Attributes:
        values: By name of the quantity (N, rows, cols), in nats; calibrated is the part of each window in the
            distance of its image.
        z: (N, rows, cols, latent_dim).
        patches: The windows of the first few of these images, (n, rows, cols, patch_size, patch_size).
        mu: What the decoder makes of them.
    """

    values: Quantities
    z: NDArray[np.float32]
    patches: NDArray[np.float32]
    mu: NDArray[np.float32]

    @classmethod
    def of(cls, model: Model, images: NDArray[np.generic], shown: int) -> NormalWindows:
        """Scan normal images with the first network of a model of a class, and keep the windows of some."""
        scorer = model.networks[0].scorer
        scan, decoded = scorer.scan(images), scorer.decode(images[:shown])
        return cls(quantities(model, scan), scan.z_mean, decoded.patches, decoded.mu)

    def rank_here(self, name: str, place: tuple[int, int], value: float) -> float:
        """Share of normal windows at this place that are below a value, 0 to 1."""
        return float((self.values[name][:, place[0], place[1]] < value).mean())

    def rank_anywhere(self, name: str, value: float) -> float:
        """Share of all normal windows that are below a value, 0 to 1."""
        return float((self.values[name] < value).mean())

    def range_here(self, name: str, place: tuple[int, int], share: float) -> tuple[float, float]:
        """Range around the median that holds this share of the normal windows at a place."""
        return _middle(self.values[name][:, place[0], place[1]], share)

    def range_anywhere(self, name: str, share: float) -> tuple[float, float]:
        """Range around the median that holds this share of all normal windows."""
        return _middle(self.values[name], share)


def quantities(model: Model, scan: Scan) -> Quantities:
    """`QUANTITIES` of images that the first network of a model of a class has scanned."""
    reference = model.networks[0].reference
    assert isinstance(reference, ClassReference), "only places of aligned images can be compared"
    terms = {name: getattr(scan, name) for name in TERMS}
    return terms | {
        "old": np.sum(list(terms.values()), axis=0),
        "new": scan.mahalanobis,
        "calibrated": reference.place.window_scores(scan),
    }


def _middle(values: NDArray[np.float32], share: float) -> tuple[float, float]:
    low, high = np.quantile(values, ((1 - share) / 2, (1 + share) / 2))
    return float(low), float(high)
