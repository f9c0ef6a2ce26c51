"""Step 2: from a patch to z and back, with a handle on the plane of z."""

from __future__ import annotations

import numpy as np
import streamlit as st

from vaead.i18n.texts import Texts
from vaead.plots.latent_plane import PlaneGrid, add_handle, latent_plane
from vaead.ui.method.example import Example
from vaead.ui.method.section import section
from vaead.ui.shared.plane import Plane, plane_places
from vaead.ui.shared.plots import show_as_high
from vaead.ui.shared.window_view import show_pictures

_FORMULA = r"""\begin{gathered}
q(z|x) = \mathcal{N}(z_\mathrm{mean},\, e^{z_\mathrm{log\,var}}) \\
p(x|z) = \mathcal{N}(\mu,\, \sigma^2)
\end{gathered}"""
_KEYS = ("method_z1", "method_z2")
_STEPS = 100
"""Steps of a slider from end to end."""


@st.fragment
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
    with control:
        at = _handle(grid, plane.axes, edge.tolist())
    nearest = int(plane.nearest(windows, np.array([at]), size)[0])
    places = plane_places(grid.low, grid.high)

    def take(number: int) -> None:
        for key, value in zip(_KEYS, places[number].tolist(), strict=True):
            st.session_state[key] = value

    drawn = latent_plane(grid, known, [], -1, plane.axes, texts("latent.normal"))
    add_handle(drawn, at, tuple(known[nearest].tolist()), places)
    image, row, column = np.unravel_index(nearest, windows.mu.shape[:3])
    with figure:
        show_as_high(drawn, "plane", texts("method.plane_alt"), "min(80cqw, 420px)", take)
        show_pictures(example.decoded.window((int(image), int(row), int(column))), "plane_window", texts)


def _handle(grid: PlaneGrid, axes: tuple[str, str], start: list[float]) -> tuple[float, float]:
    """Show the sliders of the handle, and return where it is."""
    at = []
    for key, name, low, high, first in zip(_KEYS, axes, grid.low, grid.high, start, strict=True):
        # With other data, which were tried again, the plane has other ends.
        st.session_state[key] = min(max(st.session_state.get(key, first), low), high)
        at.append(float(st.slider(name, low, high, step=(high - low) / _STEPS, format="%.2f", key=key)))
    return at[0], at[1]
