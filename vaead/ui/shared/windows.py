"""One window of a map, and windows of normal images to compare it with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from vaead.data.datasets import Dataset
from vaead.model.model import Model
from vaead.model.normal_windows import NormalWindows, Quantities
from vaead.plots.panels import Frame
from vaead.recipe import Recipe
from vaead.scoring.patches import PatchGrid
from vaead.ui.shared.cache import changed_ns

NORMALS = 200
"""Normal images whose windows are compared with: a rank is right to half a per cent."""
SHOWN = 12
"""Normal images whose windows can be shown."""


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

    def frame(self, grid: PatchGrid) -> Frame:
        """Where it is in its image."""
        row, column = self.place
        return int(grid.row_starts[row]), int(grid.col_starts[column]), grid.patch_size, grid.patch_size


def numbers_of(grid: PatchGrid) -> list[NDArray[np.intp]]:
    """For each pixel (H, W) of both images the number of the window whose middle is nearest."""
    rows, columns = (
        np.abs(np.arange(length)[:, None] - (starts + (grid.patch_size - 1) / 2)).argmin(axis=1)
        for starts, length in ((grid.row_starts, grid.height_px), (grid.col_starts, grid.width_px))
    )
    numbers = rows[:, None] * grid.shape[1] + columns
    return [numbers, numbers + grid.shape[0] * grid.shape[1]]


def normal_windows(
    model: Model, dataset: Dataset, images: int = NORMALS, shown: int = SHOWN
) -> NormalWindows:
    """Windows of the first normal test images, which no training has seen; pictures of some of them."""
    recipe = model.card.recipe
    return _normal_windows(recipe, changed_ns(recipe), images, shown, model, dataset)


@st.cache_resource(max_entries=16, show_spinner=False)
def _normal_windows(
    recipe: Recipe,
    changed: int,  # noqa: ARG001 - part of the cache's key
    images: int,
    shown: int,
    _model: Model,
    _dataset: Dataset,
) -> NormalWindows:
    return NormalWindows.of(_model, _dataset.test.of_class(recipe.class_source.normal)[:images], shown)
