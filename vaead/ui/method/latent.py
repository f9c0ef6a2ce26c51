"""Step 2: from a patch to z and back, with a handle on the plane of z."""

from __future__ import annotations

import numpy as np

from vaead.i18n.texts import Texts
from vaead.plots.latent_plane import add_handle, latent_plane
from vaead.ui.method.example import Example
from vaead.ui.method.section import section
from vaead.ui.shared.plane import Plane, plane_places
from vaead.ui.shared.plots import show_as_high
from vaead.ui.shared.query_params import change, fragment
from vaead.ui.shared.widgets import nearest_step, position
from vaead.ui.shared.window_view import show_pictures

_FORMULA = r"""\begin{gathered}
q(z|x) = \mathcal{N}(z_\mathrm{mean},\, e^{z_\mathrm{log\,var}}) \\
p(x|z) = \mathcal{N}(\mu,\, \sigma^2)
\end{gathered}"""
_KEYS = ("z1", "z2")


@fragment
def show(example: Example, texts: Texts) -> None:
    """Show the plane, and the normal window whose z lies nearest to the handle."""
    control, figure = section("plane", _FORMULA, texts, images=len(example.windows.mu))
    windows = example.windows
    plane = Plane.of(windows.z, texts)
    grid = plane.grid(windows, np.empty((0, 2), np.float32))
    # Of all windows there are too many to be drawn at once.
    known, size = plane.project(windows.z[: len(windows.mu)]), np.subtract(grid.high, grid.low)
    rows, columns = example.grid.shape
    edge = known[rows // 2 * columns + columns // 4]  # as good a patch as any to begin with
    ends = _KEYS, grid.low, grid.high
    with control:
        sliders = zip(*ends, plane.axes, edge.tolist(), strict=True)
        z1, z2 = (position(key, low, high, name, first, texts) for key, low, high, name, first in sliders)
    nearest = int(plane.nearest(windows, np.array([(z1, z2)]), size)[0])
    places = plane_places(grid.low, grid.high)

    def take(number: int) -> None:
        steps = map(nearest_step, *ends, places[number].tolist())
        change(**dict(zip(_KEYS, steps, strict=True)))

    drawn = latent_plane(grid, known, [], -1, plane.axes, texts("latent.normal"))
    add_handle(drawn, (z1, z2), tuple(known[nearest].tolist()), places)
    image, row, column = np.unravel_index(nearest, windows.mu.shape[:3])
    with figure:
        show_as_high(drawn, "plane", texts("method.plane_alt"), "min(80cqw, 420px)", take)
        show_pictures(example.decoded.window((int(image), int(row), int(column))), "plane_window", texts)
