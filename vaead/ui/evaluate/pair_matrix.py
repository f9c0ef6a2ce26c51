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
from vaead.ui.evaluate import downloads, open_in_compare
from vaead.ui.shared import sidebar, widgets

VIEWS: dict[str, tuple[str, str | None]] = {
    "old": ("old", None),
    "new": ("new", None),
    "calibrated": ("calibrated", None),
    "new - old": ("new", "old"),
    "calibrated - new": ("calibrated", "new"),
}
"""What the matrix shows: a score, or a score minus another; written into the address."""

_WIDTH_PX = 760
_DIFFERENCES = tuple(pair for pair in VIEWS.values() if pair[1])


def show(recipe: Recipe, texts: Texts) -> None:
    """Show the matrix of a recipe's dataset and preset, or say how it is made."""
    spec = get_spec(recipe.class_source.dataset)
    st.subheader(texts("matrix.title", dataset=spec.title, preset=recipe.preset), anchor=False)
    try:
        pairs = Pairs.read(ModelStore().find(pairs_file(recipe.class_source.dataset, recipe.preset)))
    except ModelFormatError as error:
        st.error(str(error))
        return
    if pairs is None or pairs.classes != len(spec.class_names):
        st.info(texts("matrix.missing", dataset=spec.name, preset=recipe.preset), icon=":material/grid_on:")
        return
    _matrix(pairs, recipe.preset, spec, texts)


@st.fragment
def _matrix(pairs: Pairs, preset: str, spec: DatasetSpec, texts: Texts) -> None:
    open_in_compare.go()
    view = widgets.segments(texts("matrix.view"), tuple(VIEWS), "matrix", help=texts("matrix.view_help"))
    values = pairs.mean(*VIEWS[view])
    _figure(values, view, preset, spec, texts)
    measured = {"date": pairs.measured, "seeds": ", ".join(map(str, pairs.seeds)), "preset": preset}
    st.caption(texts("matrix.caption", **measured))
    st.markdown("  \n".join(_difference(pairs, score, str(minus), texts) for score, minus in _DIFFERENCES))
    downloads.matrix(values, f"{spec.name}_{preset}_{view.replace(' - ', '_minus_')}", spec, texts)


def _figure(values: NDArray[np.float64], view: str, preset: str, spec: DatasetSpec, texts: Texts) -> None:
    cells = np.argwhere(np.isfinite(values))
    names = [sidebar.class_name(texts, spec, number) for number in range(len(spec.class_names))]
    scale = charts.difference_scale(values) if VIEWS[view][1] else charts.AUROC_SCALE
    axes = charts.Axes(texts("sidebar.anomalous"), texts("sidebar.normal"))
    figure = charts.matrix(values, names, scale, axes, texts("matrix.hover"))

    def take() -> None:
        points = st.session_state.matrix_figure.selection.points
        if points:
            normal, anomalous = cells[points[0]["point_index"]]
            open_in_compare.choose_cell(preset, int(normal), int(anomalous))

    with st.container(width=_WIDTH_PX):
        st.plotly_chart(
            figure,
            key="matrix_figure",
            on_select=take,
            selection_mode="points",
            config={"displayModeBar": False},
            alt=texts("matrix.alt", view=view),
        )


def _difference(pairs: Pairs, score: str, minus: str, texts: Texts) -> str:
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
