"""The plane in which z is drawn, and what the decoder makes over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from vaead.i18n.texts import Texts
from vaead.model.normal_windows import NormalWindows
from vaead.plots.latent_plane import PlaneGrid

_PICTURES = 14
"""Pictures of the decoder a side."""
_SHOWN = 0.995
"""Share of the windows that the plane holds at least."""
_MARGIN = 0.15


@dataclass(frozen=True)
class Plane:
    """How z becomes two coordinates.

    Attributes:
        middle: z of the origin, (latent_dim,).
        directions: (latent_dim, 2).
        axes: Names of the coordinates.
    """

    middle: NDArray[np.float32]
    directions: NDArray[np.float32]
    axes: tuple[str, str]

    @classmethod
    def of(cls, z: NDArray[np.float32], texts: Texts) -> Self:
        """Both dimensions of z (..., latent_dim), or of more the two directions in which it varies most."""
        points = z.reshape(-1, z.shape[-1])
        if points.shape[1] <= 2:
            identity = np.eye(points.shape[1], 2, dtype=np.float32)
            names = texts("latent.z1"), texts("latent.z2")
            return cls(np.zeros(points.shape[1], np.float32), identity, names)
        middle = points.mean(axis=0)
        _, _, directions = np.linalg.svd(points - middle, full_matrices=False)
        return cls(middle, directions[:2].T, (texts("latent.first"), texts("latent.second")))

    def project(self, z: NDArray[np.float32]) -> NDArray[np.float32]:
        """Coordinates (n, 2) of z (..., latent_dim)."""
        return np.asarray((z.reshape(-1, len(self.middle)) - self.middle) @ self.directions, np.float32)

    def grid(self, normal: NormalWindows, others: NDArray[np.float32]) -> PlaneGrid:
        """For places all over the plane, what the decoder makes of the normal window that lies nearest.

        Args:
            normal: Normal windows.
            others: Coordinates of other windows that shall lie in the plane, too, (n, 2).
        """
        every = np.concatenate([self.project(normal.z), others])
        low, high = np.quantile(every, ((1 - _SHOWN) / 2, (1 + _SHOWN) / 2), axis=0)
        edge = _MARGIN * (high - low) + 1e-3
        low, high = low - edge, high + edge
        side = normal.mu.shape[-1]
        pictures = normal.mu.reshape(-1, side, side)
        places = plane_places((low[0], low[1]), (high[0], high[1]))
        nearest = self.nearest(normal, places, high - low).reshape(_PICTURES, _PICTURES)
        # A picture has its top row first, the plane its lowest.
        sheet = np.vstack([np.hstack([pictures[index][::-1] for index in row]) for row in nearest])
        return PlaneGrid(sheet, (float(low[0]), float(low[1])), (float(high[0]), float(high[1])))

    def nearest(
        self, normal: NormalWindows, places: NDArray[np.floating], scale: NDArray[np.floating]
    ) -> NDArray[np.intp]:
        """Number of the nearest of the normal windows with pictures, for places (n, 2) in the plane.

        Args:
            normal: Normal windows.
            places: The places.
            scale: Length of both axes, so that a step along either counts alike.
        """
        known = self.project(normal.z[: len(normal.mu)])
        return np.asarray([(((known - place) / scale) ** 2).sum(axis=1).argmin() for place in places])


def plane_places(low: tuple[float, float], high: tuple[float, float]) -> NDArray[np.float64]:
    """Middles of the pictures of a plane between these corners, row by row from the lowest, (n, 2)."""
    steps = (np.arange(_PICTURES) + 0.5) / _PICTURES
    x, y = (low[axis] + steps * (high[axis] - low[axis]) for axis in (0, 1))
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
