"""The maps of a pair epoch by epoch: while its model is trained, and afterwards."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from vaead.i18n.texts import Texts
from vaead.model.events import EpochMaps
from vaead.plots.panels import Panel, Scale, panels
from vaead.processes.training_jobs import JobStatus
from vaead.recipe import Recipe
from vaead.scoring.patches import PatchGrid
from vaead.scoring.term_maps import TermMaps
from vaead.ui.shared.cache import training_jobs
from vaead.ui.shared.plots import show_pair
from vaead.ui.shared.training_panel import Live

_SCORES = ("old", "new")
"""Calibrated is not there before the training has ended."""
_ROLES = ("normal", "anomalous")


def live(images: Callable[[], NDArray[np.uint8]], recipe: Recipe, palette: str, texts: Texts) -> Live:
    """What Compare shows of the training of a recipe: the maps of a pair (2, H, W), as they are by now."""

    def show(status: JobStatus) -> None:
        if status.maps and status.followed is not None:
            st.markdown(texts("live.title", epoch=status.maps[-1].epoch))
            _figure(status.followed, status.maps[-1], recipe, palette, texts)

    return Live(images, show)


def look_back(recipe: Recipe, palette: str, texts: Texts) -> None:
    """The maps of the pair that the training of a recipe has followed, by epoch; nothing if it has none."""
    status = training_jobs().status(recipe)
    if status is None or status.followed is None or len(status.maps) < 2:
        return
    with st.expander(texts("live.again"), key="epochs_seen", on_change="rerun") as box:
        if box.open:
            epoch = st.slider(texts("live.epoch"), 1, len(status.maps), key="epoch_seen")
            _figure(status.followed, status.maps[epoch - 1], recipe, palette, texts)


def _figure(images: NDArray[np.uint8], maps: EpochMaps, recipe: Recipe, palette: str, texts: Texts) -> None:
    network, size_px = recipe.networks[0], (images.shape[1], images.shape[2])
    kl, log_variance, mahalanobis = maps.arrays()
    grid = PatchGrid(*size_px, network.patch_size, network.stride)
    terms = TermMaps(kl, log_variance, mahalanobis, grid)
    scales = [Scale(0, 255, "Greys", reverse=True)]
    rows: list[list[Panel]] = [
        [Panel(image, 0, texts(f"compare.{role}"), texts("compare.of_255"))]
        for image, role in zip(images, _ROLES, strict=False)
    ]
    for column, score in enumerate(_SCORES, start=1):
        values, name = terms.anomaly_maps(score), texts(f"score.{score}")
        # Of this epoch alone: the loss falls by far more than two images differ.
        low, high = float(values.min()), float(values.max())
        title = texts("compare.bar_score", score=name)
        scales.append(Scale(low, max(high, low + 1e-9), palette, title, columns=(column, column)))
        for row, each in zip(rows, values, strict=True):
            row.append(Panel(each, column, name, texts("compare.nats")))
    alt = texts("live.alt", epoch=maps.epoch)
    show_pair(panels(rows, scales, texts("compare.hover")), "live_maps", alt, columns=3)
