"""The plane of z: what the decoder makes over it, normal windows, and the windows of both images."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vaead.i18n.texts import Texts
from vaead.model.normal_windows import NormalWindows
from vaead.plots.latent_plane import PlaneGrid, PlanePoints, latent_plane
from vaead.ui.compare.figure import Pair
from vaead.ui.shared.plots import show_as_high

_PICTURES = 14
"""Pictures of the decoder a side."""
_SHOWN = 0.995
"""Share of the normal windows that the plane holds at least."""
_MARGIN = 0.15


def show(
    pair: Pair,
    z: NDArray[np.float32],
    normal: NormalWindows,
    chosen: int,
    on_click: Callable[[int], None],
    texts: Texts,
) -> None:
    """Show the plane of the first network, with z of the pair (2, rows, cols, latent_dim); one is marked."""
    project, axes = _plane(normal.z, texts)
    known, windows = project(normal.z), [project(each) for each in z]
    count = len(windows[0])
    points = [
        PlanePoints(name, each, index * count + np.arange(count))
        for index, (name, each) in enumerate(zip(pair.titles(texts), windows, strict=True))
    ]
    grid = _grid(normal, project, np.concatenate([known, *windows]))
    figure = latent_plane(grid, known, points, chosen, axes, texts("latent.normal"))
    show_as_high(figure, "latent_plane", texts("latent.alt"), "min(80cqw, 560px)", on_click)


def _plane(
    z: NDArray[np.float32], texts: Texts
) -> tuple[Callable[[NDArray[np.float32]], NDArray[np.float32]], tuple[str, str]]:
    """How z becomes two coordinates, and their names."""
    points = z.reshape(-1, z.shape[-1])
    if points.shape[1] <= 2:
        axes = np.eye(points.shape[1], 2, dtype=np.float32)
        middle, names = np.zeros(points.shape[1], np.float32), (texts("latent.z1"), texts("latent.z2"))
    else:
        middle = points.mean(axis=0)
        _, _, directions = np.linalg.svd(points - middle, full_matrices=False)
        axes, names = directions[:2].T, (texts("latent.first"), texts("latent.second"))
    return lambda values: (values.reshape(-1, len(middle)) - middle) @ axes, names


def _grid(
    normal: NormalWindows,
    project: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    every: NDArray[np.float32],
) -> PlaneGrid:
    """For places all over the plane, what the decoder makes of the normal window that lies nearest."""
    low, high = np.quantile(every, ((1 - _SHOWN) / 2, (1 + _SHOWN) / 2), axis=0)
    edge = _MARGIN * (high - low) + 1e-3
    low, high = low - edge, high + edge
    known, side = project(normal.z[: len(normal.mu)]), normal.mu.shape[-1]
    pictures = normal.mu.reshape(-1, side, side)
    steps = (np.arange(_PICTURES) + 0.5) / _PICTURES
    x, y = (low[axis] + steps * (high[axis] - low[axis]) for axis in (0, 1))
    scale = high - low
    rows = []
    for row in y:
        distances = ((np.stack([x, np.full(_PICTURES, row)], 1)[:, None] - known) / scale) ** 2
        # A picture has its top row first, the plane its lowest.
        rows.append(np.hstack([pictures[index][::-1] for index in distances.sum(axis=2).argmin(axis=1)]))
    return PlaneGrid(np.vstack(rows), (float(low[0]), float(low[1])), (float(high[0]), float(high[1])))
