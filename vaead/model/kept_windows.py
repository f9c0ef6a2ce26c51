"""Windows of normal training photos that a model keeps, to show what a window is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vaead.config import NetworkConfig

NEAREST = 3
"""Kept windows that are shown beside a window."""
MOST_PICTURE_PX = 48
"""Side of a kept picture; of larger windows, smaller pictures are kept, so that there can be many."""
_ACTIVE = 0.01
"""Variance of a dimension of z below which it tells windows apart by chance alone.

Source: active units, Y. Burda, R. Grosse, R. Salakhutdinov, "Importance Weighted Autoencoders", 2015."""
_ROWS = 256
"""Rows of a matrix of distances that are in memory at a time."""


@dataclass(frozen=True)
class NearWindow:
    """A kept window that is compared with another one.

    Attributes:
        picture: (side, side) or (side, side, 3), see `picture_shape`.
        distance: Root mean square of the differences of z, each in standard deviations of kept windows: 0 if
            z is the same, 1.4 for two windows taken at random.
        photo: Number of its photo, which tells no more than whether two are from the same one.
        place: Its row and column among the windows of its photo.
    """

    picture: NDArray[np.uint8]
    distance: float
    photo: int
    place: tuple[int, int]


@dataclass(frozen=True)
class Likeness:
    """How much a window is like normal ones.

    Attributes:
        nearest: The `NEAREST` kept windows, the nearest first.
        share: Share of the kept windows that are at least as far from the nearest one of another photo as
            this window is from the nearest of all: 0 if nothing kept looks like it.
        count: Number of the kept windows.
    """

    nearest: tuple[NearWindow, ...]
    share: float
    count: int


@dataclass(frozen=True, eq=False)
class KeptWindows:
    """Windows of normal photos that the first network of a model was trained on.

    Attributes:
        pictures: (n, *`picture_shape`), with the light that the network sees.
        z_mean: (n, latent_dim), what the network makes of the windows themselves.
        places: (n, 3), for each the number of its photo, its row and its column.
    """

    pictures: NDArray[np.uint8]
    z_mean: NDArray[np.float16]
    places: NDArray[np.int32]

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The arrays by name."""
        return {"pictures": self.pictures, "z_mean": self.z_mean, "places": self.places}

    def compare(self, z_mean: NDArray[np.floating]) -> Likeness:
        """Compare a window with all of these.

        Args:
            z_mean: (latent_dim,).
        """
        distances = self._distances(z_mean[None])[0]
        order = np.argsort(distances, kind="stable")[:NEAREST]
        nearest = tuple(self._window(int(index), float(distances[index])) for index in order)
        share = float((self._usual_distances >= distances[order[0]]).mean())
        return Likeness(nearest, share, len(self.pictures))

    def _window(self, index: int, distance: float) -> NearWindow:
        photo, row, column = map(int, self.places[index])
        return NearWindow(self.pictures[index], distance, photo, (row, column))

    @cached_property
    def _weights(self) -> NDArray[np.float64]:
        """What differences of z are multiplied by, (latent_dim,); 0 where a dimension says nothing."""
        variance = self.z_mean.astype(np.float64).var(axis=0)
        active = variance > _ACTIVE
        return np.where(active, 1 / np.sqrt(np.where(active, variance, 1) * max(1, active.sum())), 0)

    @cached_property
    def _usual_distances(self) -> NDArray[np.float64]:
        """Distance of each kept window from the nearest of another photo; of any if there is one photo.

        A neighbour in the same photo may overlap with it, and no window of a new photo has such a one.
        """
        photos = self.places[:, 0]
        same = photos if (photos != photos[0]).any() else np.arange(len(photos))
        found = []
        for start in range(0, len(photos), _ROWS):
            rows = slice(start, start + _ROWS)
            distances = self._distances(self.z_mean[rows])
            distances[same[rows, None] == same] = np.inf
            found.append(distances.min(axis=1))
        return np.concatenate(found)

    def _distances(self, z_mean: NDArray[np.floating]) -> NDArray[np.float64]:
        """Distance of each of some windows (m, latent_dim) from each kept one: (m, n)."""
        some, kept = (z.astype(np.float64) * self._weights for z in (z_mean, self.z_mean))
        squares = (some**2).sum(axis=1)[:, None] + (kept**2).sum(axis=1) - 2 * some @ kept.T
        return np.asarray(np.sqrt(np.maximum(squares, 0)))


def picture_shape(network: NetworkConfig) -> tuple[int, ...]:
    """Shape of the picture that is kept of a window of a network."""
    side = min(network.patch_size, MOST_PICTURE_PX)
    return (side, side, *network.patch_shape[2:])
