"""On the page Evaluate: the matrix of all pairs of classes, from the file that comes with vaead."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from vaead.data.datasets import DatasetSpec, get_spec
from vaead.errors import ModelFormatError
from vaead.i18n.texts import Texts
from vaead.metrics.class_pairs import Pairs, pairs_file
from vaead.model.store import ModelStore
from vaead.plots import charts
from vaead.recipe import Recipe
from vaead.ui.evaluate import downloads
from vaead.ui.shared.controls import MATRICES, preset_values
from vaead.ui.shared.labels import class_name, option_label
from vaead.ui.shared.plots import show_clickable
from vaead.ui.shared.query_params import fragment
from vaead.ui.shared.widgets import segments, show_link

_MINUS = " - "
_WIDTH_PX = 760


def show(recipe: Recipe, texts: Texts) -> None:
    """Show the matrix of a recipe's dataset and preset, or say how it is made."""
    spec = get_spec(recipe.class_source.dataset)
    dataset, preset = _name("dataset", spec.name, texts), _name("preset", recipe.preset, texts)
    st.header(texts("matrix.title", dataset=dataset, preset=preset), anchor=False)
    try:
        pairs = Pairs.read(ModelStore().find(pairs_file(recipe.class_source.dataset, recipe.preset)))
    except ModelFormatError as error:
        st.error(str(error))
        return
    if pairs is None or pairs.classes != len(spec.class_names):
        st.info(texts("matrix.missing", dataset=spec.name, preset=recipe.preset), icon=":material/grid_on:")
        return
    _matrix(pairs, recipe.preset, spec, texts)


@fragment
def _matrix(pairs: Pairs, preset: str, spec: DatasetSpec, texts: Texts) -> None:
    shown = segments("matrix", texts)
    values = pairs.mean(*shown.split(_MINUS))
    cell = _figure(values, shown, spec, texts)
    if cell is not None:
        _link(preset, spec, *cell, texts)
    measured = {"date": pairs.measured, "seeds": ", ".join(map(str, pairs.seeds))}
    st.caption(texts("matrix.caption", preset=_name("preset", preset, texts), **measured))
    st.markdown("  \n".join(_difference(pairs, each, texts) for each in MATRICES if _MINUS in each))
    downloads.matrix(values, f"{spec.name}_{preset}_{shown.replace(_MINUS, '_minus_')}", spec, texts)


def _figure(
    values: NDArray[np.float64], shown: str, spec: DatasetSpec, texts: Texts
) -> tuple[int, int] | None:
    """Draw the matrix and return the cell that was clicked: normal and anomalous class."""
    names = [class_name(texts, spec, number) for number in range(len(spec.class_names))]
    scale = charts.difference_scale(values) if _MINUS in shown else charts.AUROC_SCALE
    axes = charts.Axes(texts("control.anomalous"), texts("control.normal"))
    figure = charts.matrix(values, names, scale, axes, texts("matrix.hover"))
    alt = texts("matrix.alt", view=_name("matrix", shown, texts))
    with st.container(width=_WIDTH_PX):
        index = show_clickable(figure, "matrix_figure", alt, width="stretch")
    if index is None:
        return None
    normal, anomalous = np.argwhere(np.isfinite(values))[index].tolist()
    return normal, anomalous


def _name(key: str, option: str, texts: Texts) -> str:
    return option_label(key, option, {}, texts)


def _link(preset: str, spec: DatasetSpec, normal: int, anomalous: int, texts: Texts) -> None:
    """Link the pair, with the preset's own settings as the matrix has them."""
    pair = {"normal": normal, "anomalous": anomalous}
    names = {role: class_name(texts, spec, number) for role, number in pair.items()}
    images = {"normal_image": None, "anomalous_image": None}
    changes = {"dataset": spec.name, "preset": preset, **pair, **preset_values(preset), **images}
    show_link(texts("matrix.open", **names), "open_cell", changes)


def _difference(pairs: Pairs, shown: str, texts: Texts) -> str:
    score, minus = shown.split(_MINUS)
    found = pairs.difference(score, minus)
    return texts(
        "matrix.difference",
        score=texts(f"score.{score}"),
        minus=texts(f"score.{minus}"),
        pairs=f"{found.pairs:,}",
        wins=f"{found.wins:,}",
        losses=f"{found.losses:,}",
        mean=f"{found.mean:+.3f}",
    )
