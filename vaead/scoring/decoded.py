"""What the decoder of a network makes of the windows of images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaead.scoring.loss_terms import errors_in_sd
from vaead.scoring.patches import PatchGrid, average_windows


@dataclass(frozen=True)
class Reconstruction:
    """Outputs of the decoder, averaged where windows overlap; each (N, H, W).

    Attributes:
        mu: Predicted mean, in [0, 1].
        sigma2: Predicted variance.
    """

    mu: NDArray[np.float32]
    sigma2: NDArray[np.float32]


@dataclass(frozen=True)
class DecodedWindow:
    """A window and the outputs of the decoder for it; all `patch_shape`.

    Attributes:
        patch: The window itself, in [0, 1].
        mu: Predicted mean.
        sigma2: Predicted variance.
    """

    patch: NDArray[np.float32]
    mu: NDArray[np.float32]
    sigma2: NDArray[np.float32]

    @property
    def errors(self) -> NDArray[np.float32]:
        """Errors in standard deviations, (patch_size, patch_size): in colours that of the worst channel."""
        errors = np.asarray(errors_in_sd(self.patch, self.mu, self.sigma2), np.float32)
        if errors.ndim == 2:
            return errors
        worst = np.abs(errors).argmax(axis=2)
        return np.asarray(np.take_along_axis(errors, worst[..., None], axis=2)[..., 0])

    @property
    def variance(self) -> NDArray[np.float32]:
        """Variance, (patch_size, patch_size): in colours the mean of the channels."""
        return self.sigma2 if self.sigma2.ndim == 2 else self.sigma2.mean(axis=2, dtype=np.float32)


@dataclass(frozen=True)
class ScannedWindow:
    """All that a network says of one window.

    Attributes:
        decoded: The window and the outputs of the decoder.
        z_mean: (latent_dim,).
        kl: D, in nats.
        log_variance: A, in nats.
        mahalanobis: M, in nats.
    """

    decoded: DecodedWindow
    z_mean: NDArray[np.float32]
    kl: float
    log_variance: float
    mahalanobis: float


@dataclass(frozen=True)
class Decoded:
    """Windows and outputs of the decoder for each; all (N, rows, cols, *patch_shape).

    Attributes:
        patches: The windows themselves, in [0, 1].
        mu: Predicted mean.
        sigma2: Predicted variance.
        grid: Positions of the windows.
    """

    patches: NDArray[np.float32]
    mu: NDArray[np.float32]
    sigma2: NDArray[np.float32]
    grid: PatchGrid

    def window(self, index: tuple[int, int, int]) -> DecodedWindow:
        """One of the windows, by image, row and column."""
        return DecodedWindow(self.patches[index], self.mu[index], self.sigma2[index])

    def reconstruct(self) -> Reconstruction:
        """Put the windows together."""
        return Reconstruction(average_windows(self.mu, self.grid), average_windows(self.sigma2, self.grid))
