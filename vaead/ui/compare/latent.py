"""The plane of z: what the decoder makes over it, normal windows, and the windows of both images."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vaead.i18n.texts import Texts
from vaead.model.normal_windows import NormalWindows
from vaead.plots.latent_plane import PlanePoints, latent_plane
from vaead.ui.compare.figure import Pair
from vaead.ui.shared.plane import Plane
from vaead.ui.shared.plots import show_as_high


def show(
    pair: Pair,
    z: NDArray[np.float32],
    normal: NormalWindows,
    chosen: int,
    on_click: Callable[[int], None],
    texts: Texts,
) -> None:
    """Show the plane of the first network, with z of the pair (2, rows, cols, latent_dim); one is marked."""
    plane = Plane.of(normal.z, texts)
    windows = [plane.project(each) for each in z]
    count = len(windows[0])
    points = [
        PlanePoints(name, each, index * count + np.arange(count))
        for index, (name, each) in enumerate(zip(pair.titles(texts), windows, strict=True))
    ]
    grid = plane.grid(normal, np.concatenate(windows))
    known = plane.project(normal.z)
    figure = latent_plane(grid, known, points, chosen, plane.axes, texts("latent.normal"))
    show_as_high(figure, "latent_plane", texts("latent.alt"), "min(80cqw, 560px)", on_click)
