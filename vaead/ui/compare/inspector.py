"""One window of a map: what is there, what was expected, and how usual that is at this place and anywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from vaead.data.datasets import Dataset
from vaead.i18n.format import number
from vaead.i18n.texts import Texts
from vaead.model.model import Model
from vaead.model.normal_windows import QUANTITIES, NormalWindows, Quantities
from vaead.plots.panels import Panel, Scale, panels
from vaead.plots.window_bars import WindowBar, window_bars
from vaead.recipe import Recipe
from vaead.scoring.image_scorer import Decoded
from vaead.scoring.loss_terms import TERMS
from vaead.scoring.patches import PatchGrid
from vaead.ui.compare.figure import Pair
from vaead.ui.shared.cache import changed_ns
from vaead.ui.shared.phone import is_phone
from vaead.ui.shared.plots import show_as_high, show_chart

_NORMALS = 200
"""Normal images whose windows are compared with: a rank is right to half a per cent."""
_SHOWN = 12
CASES = (
    *("only_here", "error_rare", "complex", "rare", "too_good", "complex_everywhere"),
    *("unusual", "usual"),
)
"""What can be said of a window; the first that holds is said."""
_LOW, _HIGH = 0.025, 0.975
"""Ranks between which a value is usual."""
_USUAL = 0.9
_ANYWHERE, _HERE = 0.9, 0.95
"""Shares of normal windows in the light and in the dark range."""
_ERROR_SD = 3.0
_ZOOM = 6
_GAP_PX = 2


@dataclass(frozen=True)
class Window:
    """A window of one of the two images.

    Attributes:
        image: 0 for the normal image, 1 for the anomalous one.
        place: Row and column among the windows of the first network.
    """

    image: int
    place: tuple[int, int]

    @classmethod
    def of_number(cls, index: int, grid: PatchGrid) -> Window:
        """Windows are counted through both images, row by row."""
        image, row, column = np.unravel_index(index, (2, *grid.shape))
        return cls(int(image), (int(row), int(column)))

    @classmethod
    def hottest(cls, found: Quantities) -> Window:
        """The window of the anomalous image that adds most to its calibrated score."""
        values = found["calibrated"][1]
        row, column = np.unravel_index(values.argmax(), values.shape)
        return cls(1, (int(row), int(column)))

    def number(self, grid: PatchGrid) -> int:
        """Undo `of_number`."""
        return int(np.ravel_multi_index((self.image, *self.place), (2, *grid.shape)))

    def frame(self, grid: PatchGrid) -> tuple[int, int, int]:
        """Top, left and side in pixels."""
        row, column = self.place
        return int(grid.row_starts[row]), int(grid.col_starts[column]), grid.patch_size


def numbers_of(grid: PatchGrid) -> list[NDArray[np.intp]]:
    """For each pixel (H, W) of both images the number of the window whose middle is nearest."""
    rows, columns = (
        np.abs(np.arange(length)[:, None] - (starts + (grid.patch_size - 1) / 2)).argmin(axis=1)
        for starts, length in ((grid.row_starts, grid.height_px), (grid.col_starts, grid.width_px))
    )
    numbers = rows[:, None] * grid.shape[1] + columns
    return [numbers, numbers + grid.shape[0] * grid.shape[1]]


def normal_windows(model: Model, dataset: Dataset) -> NormalWindows:
    """Windows of normal test images, which no training has seen."""
    recipe = model.card.recipe
    return _normal_windows(recipe, changed_ns(recipe), model, dataset)


def show(
    window: Window,
    picked: bool,
    pair: Pair,
    found: Quantities,
    model: Model,
    normal: NormalWindows,
    palette: str,
    texts: Texts,
) -> None:
    """Show a window, which a visitor has picked or not, of a pair with these quantities."""
    row, column = window.place
    decoded = model.networks[0].scorer.decode(pair.images[window.image : window.image + 1])
    values = {name: float(found[name][window.image, row, column]) for name in QUANTITIES}

    role = list(pair.names)[window.image]
    top, left, side = window.frame(decoded.grid)
    where = {"role": texts(f"compare.{role}"), "top": top, "left": left}
    intro = texts("inspector.intro", **where, bottom=top + side - 1, right=left + side - 1)
    st.caption(intro if picked else f"{intro} {texts('inspector.first')}")
    pictures, others = st.columns([3, 2], gap="medium")
    with pictures:
        _pictures(decoded, window.place, palette, texts)
    with others:
        st.caption(texts("inspector.others", count=_SHOWN))
        st.image(_strip(normal.patches[:, row, column]), alt=texts("inspector.others", count=_SHOWN))
    bars = [_bar(name, values[name], normal, window.place, texts) for name in QUANTITIES]
    show_chart(window_bars(bars), "window_bars", texts("inspector.bars"))
    st.markdown(_sentence(values, normal, window.place, texts))
    st.caption(texts("inspector.legend", images=len(normal.values["kl"])))


@st.cache_resource(max_entries=16, show_spinner=False)
def _normal_windows(recipe: Recipe, changed: int, _model: Model, _dataset: Dataset) -> NormalWindows:  # noqa: ARG001
    """The first two arguments are the key."""
    images = _dataset.test.of_class(recipe.class_source.normal)[:_NORMALS]
    return NormalWindows.of(_model, images, _SHOWN)


def _pictures(decoded: Decoded, place: tuple[int, int], palette: str, texts: Texts) -> None:
    every = decoded.patches, decoded.mu, decoded.errors, decoded.sigma2
    patch, mu, errors, sigma2 = (each[0, *place] for each in every)
    scales = [
        Scale(0, 1, "Greys", reverse=True),
        Scale(-_ERROR_SD, _ERROR_SD, "RdBu", reverse=True),
        Scale(0, max(float(sigma2.max()), 1e-9), palette),
    ]
    row = [
        Panel(patch, 0, texts("inspector.patch")),
        Panel(mu, 0, texts("inspector.mu")),
        Panel(errors, 1, texts("inspector.errors")),
        Panel(sigma2, 2, texts("inspector.sigma2")),
    ]
    figure = panels([row], scales, texts("compare.hover"))
    figure.layout.dragmode = False
    show_as_high(figure, "window_pictures", texts("inspector.pictures"), "min(calc(25cqw + 32px), 190px)")


def _strip(patches: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Patches (n, side, side) in two rows, enlarged, with gaps."""
    tiles = [np.pad(np.kron(patch, np.ones((_ZOOM, _ZOOM))), _GAP_PX, constant_values=1) for patch in patches]
    half = -(-len(tiles) // 2)
    rows = [np.hstack(tiles[:half]), np.hstack(tiles[half:])]
    width = min(row.shape[1] for row in rows)
    return np.round(255 * np.vstack([row[:, :width] for row in rows])).astype(np.uint8)


def _bar(name: str, value: float, normal: NormalWindows, place: tuple[int, int], texts: Texts) -> WindowBar:
    here, anywhere = normal.rank_here(name, place, value), normal.rank_anywhere(name, value)
    shown = {"value": number(value), "here": _rank(here), "anywhere": _rank(anywhere)}
    note = texts("inspector.short_note", **shown) if is_phone() else texts("inspector.note", **shown)
    return WindowBar(
        texts(f"inspector.{name}"),
        normal.range_anywhere(name, _ANYWHERE),
        normal.range_here(name, place, _HERE),
        value,
        note,
    )


def _rank(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0") + "\u00a0%"


def _sentence(values: dict[str, float], normal: NormalWindows, place: tuple[int, int], texts: Texts) -> str:
    """What the figures mean, in one sentence."""
    here = {name: normal.rank_here(name, place, value) for name, value in values.items()}
    anywhere = {name: normal.rank_anywhere(name, value) for name, value in values.items()}
    ordinary = all(_LOW <= anywhere[name] <= _HIGH for name in TERMS)
    holds = (
        here["calibrated"] > _HIGH and ordinary,
        here["mahalanobis"] > _HIGH,
        here["log_variance"] > _HIGH,
        here["kl"] > _HIGH,
        here["mahalanobis"] < _LOW,
        anywhere["log_variance"] > _USUAL,
        here["calibrated"] > _HIGH,
        True,
    )
    case = CASES[holds.index(True)]
    shown = {letter: _rank(here[name]) for letter, name in zip("dam", TERMS, strict=True)}
    return texts(f"inspector.{case}", **shown)
