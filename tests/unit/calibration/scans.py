"""Scans of made-up windows."""

import numpy as np

from vaead.scoring.patches import PatchGrid
from vaead.scoring.scan import Scan


def draw_windows(count: int, seed: int = 0) -> Scan:
    """Windows of two kinds: z -10, log M 2, signed error -20, or z 10, log M 6, signed error 20, about so.

    Each next cell has one more of both.
    """
    random = np.random.default_rng(seed)
    kind = random.integers(0, 2, count)
    log_m = np.where(kind, 6 + 0.5 * random.normal(size=count), 2 + random.normal(size=count))
    cells = np.exp(log_m[:, None] + np.arange(4)).reshape(1, 1, count, 2, 2).astype(np.float32)
    z = random.normal(size=(1, 1, count, 1)) + np.where(kind, 10, -10)[:, None]
    grid = PatchGrid(8, 6 + 2 * count, patch_size=8, stride=2)
    kl, log_variance, mahalanobis, error = np.ones((4, 1, 1, count), np.float32)
    signed = (np.where(kind, 20, -20) + random.normal(size=count))[:, None] + np.arange(4)
    signed_cells = signed.reshape(1, 1, count, 2, 2, 1).astype(np.float32)
    z_mean, light = z.astype(np.float32), np.full((1, 2), 0.5, np.float32)
    return Scan(kl, log_variance, mahalanobis, error, z_mean, cells, signed_cells, light, grid)
