"""Outputs of a network for the windows of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaead.scoring.patches import PatchGrid

_LEAST = 1e-3
"""D and M below this, in nats, differ by rounding alone; their logarithms must not."""


@dataclass(frozen=True)
class Scan:
    """Outputs of a network for every window of N images; each (N, rows, cols), in nats where it is a term.

    Attributes:
        kl: D.
        log_variance: A.
        mahalanobis: M.
        signed_error: See `vaead.scoring.loss_terms.signed_error_term`.
        z_mean: (N, rows, cols, latent_dim).
        cells: M of each of the square cells of a window, (N, rows, cols, cells, cells); one cell, the whole
            window, for a network that does not split its windows.
        signed_cells: Signed error of each cell in each colour, (N, rows, cols, cells, cells, channels).
        light: Mean and standard deviation of the brightness of each image, (N, 2), see `measure_light`.
        grid: Positions of the windows, the same in all images.
        shares: (N, rows, cols, patch_size, patch_size), share of each pixel in M of its window, their mean
            being 1; None if not asked for, or where there are cells, which are as fine.
    """

    kl: NDArray[np.float32]
    log_variance: NDArray[np.float32]
    mahalanobis: NDArray[np.float32]
    signed_error: NDArray[np.float32]
    z_mean: NDArray[np.float32]
    cells: NDArray[np.float32]
    signed_cells: NDArray[np.float32]
    light: NDArray[np.float32]
    grid: PatchGrid
    shares: NDArray[np.float16] | None = None

    def __len__(self) -> int:
        return len(self.kl)

    def take(self, images: NDArray[np.intp]) -> Scan:
        """The outputs for some of the images."""
        arrays = {name: values for name, values in vars(self).items() if isinstance(values, np.ndarray)}
        taken: dict[str, Any] = {name: values[images] for name, values in arrays.items()}
        return Scan(**taken, grid=self.grid)

    def of_kept(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of values (N, rows, cols, ...) those of windows that are not left out: (N, windows, ...)."""
        windows = values.reshape(len(values), -1, *values.shape[3:])
        kept = self.grid.kept.ravel()
        return windows if kept.all() else windows[:, kept]

    @property
    def shifts(self) -> NDArray[np.float32]:
        """Signed errors of cells, less the shift of colour, not of brightness, that all of an image share.

        Nuts and boards differ in hue; what differs from the rest of its own image is a place.
        """
        if self.signed_cells.shape[-1] == 1:
            return self.signed_cells
        of_windows = self.of_kept(self.signed_cells).mean(axis=(2, 3))
        own = np.median(of_windows - of_windows.mean(axis=-1, keepdims=True), axis=1)
        return np.asarray(self.signed_cells - own[:, None, None, None, None], np.float32)

    @property
    def content(self) -> NDArray[np.float32]:
        """What each image shows as a whole: mean z of its windows, (N, latent_dim)."""
        return np.asarray(self.of_kept(self.z_mean).mean(axis=1), np.float32)

    @property
    def features(self) -> NDArray[np.float32]:
        """Features that the calibrated score compares: (N, windows, 4 + latent_dim).

        A, signed error and z as they are; M and D, which are sums of squares, as logarithms.
        """
        logs = [logarithm(term) for term in (self.mahalanobis, self.kl)]
        columns = np.stack([*logs, self.log_variance, self.signed_error], axis=-1)
        features = np.concatenate([columns, self.z_mean], axis=-1)
        return features.reshape(len(features), -1, features.shape[-1])


def logarithm(term: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logarithm of D or M; values near 0 count as a thousandth of a nat."""
    return np.log(np.maximum(term, _LEAST))
