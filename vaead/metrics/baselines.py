"""What much simpler methods make of the same images, so that anyone sees what a network adds.

Each is fitted to the normal images that a model has learned from, and looks at small grey copies of images:

- brightness: deviation of the mean brightness from that of normal images. It has found no defect.
- nearest_patch: the patches that are farthest from the nearest patch of normal images.
- per_place: the places whose filter responses are farthest from those of normal images at the same place, as
  a Mahalanobis distance.

Source: the last two in the manner of D. Cohen and Y. Hoshen, "Sub-image anomaly detection with deep pyramid
correspondences", 2020, and T. Defard et al., "PaDiM", 2020, with plain pixels and filters in place of a
network that has seen millions of photos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaead.scoring.patches import every_crop, unit
from vaead.scoring.term_maps import mean_of_largest

BASELINES = ("brightness", "nearest_patch", "per_place")
"""Names of the baselines."""

Images = Sequence[NDArray[np.generic]] | NDArray[np.generic]
"""Images (H, W) or (H, W, 3), uint8 or 0 to 1."""

_LONGEST_PX = 128
_PATCH, _STRIDE = 8, 4
_BANK = 2_000
"""Patches of normal images that are kept."""
_PLACE_PX = 4
_TOP = 0.01
"""Share of patches or places whose mean counts."""
FEWEST = 2
"""Normal images that are needed."""
MOST = 200
"""Normal images that are enough: more hardly change the scores."""


@dataclass(frozen=True, eq=False)
class Baselines:
    """Fitted baselines.

    Attributes:
        size: (H, W) of the grey copies.
        brightness: Median brightness of normal images.
        bank: Patches of normal images, (n, values).
        mean: Mean responses at each place, (places, filters).
        precision: Inverse of their covariance, (places, filters, filters).
    """

    size: tuple[int, int]
    brightness: float
    bank: NDArray[np.float32]
    mean: NDArray[np.float32]
    precision: NDArray[np.float32]

    @classmethod
    def fit(cls, images: Images, seed: int = 0) -> Baselines:
        """Fit to normal images.

        Args:
            images: At least two; sizes may differ.
            seed: Seed of the choice of patches.
        """
        assert len(images) >= FEWEST, "too few images"
        height, width = (int(np.median([image.shape[axis] for image in images])) for axis in (0, 1))
        shrink = min(1.0, _LONGEST_PX / max(height, width))
        size = max(_PATCH, round(height * shrink)), max(_PATCH, round(width * shrink))
        small = np.stack([_small(image, size) for image in images])
        patches = _patches(small).reshape(-1, _PATCH**2)
        chosen = np.random.default_rng(seed).permutation(len(patches))[:_BANK]
        mean, precision = _fit_places(_responses(small))
        brightness = float(np.median([unit(image).mean() for image in images]))
        return cls(size, brightness, patches[chosen], mean, precision)

    def scores(self, images: Images) -> dict[str, NDArray[np.float32]]:
        """Scores of images (N,) by name of the baseline; higher is more anomalous."""
        from sklearn.metrics import pairwise_distances_argmin_min

        small = np.stack([_small(image, self.size) for image in images])
        patches = _patches(small)
        _, nearest = pairwise_distances_argmin_min(patches.reshape(-1, _PATCH**2), self.bank)
        deviation = _responses(small) - self.mean
        distance = np.einsum("npi,pij,npj->np", deviation, self.precision, deviation, optimize=True)
        brightness = np.array([unit(image).mean() for image in images])
        return {
            "brightness": np.abs(brightness - self.brightness).astype(np.float32),
            "nearest_patch": mean_of_largest(nearest.reshape(patches.shape[:2]), _TOP),
            "per_place": mean_of_largest(distance, _TOP),
        }


def _small(image: NDArray[np.generic], size: tuple[int, int]) -> NDArray[np.float32]:
    grey = unit(image) if image.ndim == 2 else unit(image).mean(axis=2)
    return np.asarray(Image.fromarray(grey).resize(size[::-1], Image.Resampling.BOX))


def _patches(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, patches, values)."""
    crops = every_crop(images, _PATCH)[:, ::_STRIDE, ::_STRIDE]
    return crops.reshape(len(images), -1, _PATCH**2)


def _responses(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Brightness, gradients and fine structure, each averaged over places: (N, places, filters)."""
    return np.stack([_filtered(image) for image in images])


def _filtered(image: NDArray[np.float32]) -> NDArray[np.float32]:
    from scipy.ndimage import gaussian_gradient_magnitude, gaussian_laplace

    gradients = [gaussian_gradient_magnitude(image, sigma) for sigma in (1, 2)]
    stack = np.stack([image, *gradients, np.abs(gaussian_laplace(image, 1))], axis=-1)
    rows, columns = (length // _PLACE_PX for length in image.shape)
    inside = stack[: rows * _PLACE_PX, : columns * _PLACE_PX]
    places = inside.reshape(rows, _PLACE_PX, columns, _PLACE_PX, -1).mean(axis=(1, 3))
    return np.asarray(places.reshape(rows * columns, -1), np.float32)


def _fit_places(responses: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and inverse covariance of each place."""
    mean = responses.mean(axis=0)
    deviation = responses - mean
    own = np.einsum("npi,npj->pij", deviation, deviation) / len(responses)
    # A place that never changes takes a little of what all places have.
    every = own.mean(axis=0)
    covariance = own + 0.1 * every + 1e-8 * np.eye(len(every))
    return mean, np.linalg.inv(covariance).astype(np.float32)
