"""Which score wins: all pairs of classes, each a dot that leads to the page Compare."""

from __future__ import annotations

import numpy as np
import streamlit as st

from vaead.data.datasets import get_spec
from vaead.errors import ModelFormatError
from vaead.i18n.texts import Texts
from vaead.metrics.class_pairs import Pairs, pairs_file
from vaead.model.store import ModelStore
from vaead.plots.charts import Axes
from vaead.plots.pair_dots import PairDots, pair_dots
from vaead.ui.method.section import section
from vaead.ui.shared import query_params, sidebar
from vaead.ui.shared.controls import MINUS, Story
from vaead.ui.shared.labels import class_name, option_label
from vaead.ui.shared.plots import show_as_high
from vaead.ui.shared.query_params import fragment
from vaead.ui.shared.widgets import segments

_FORMULA = r"\mathrm{AUROC} = P\,(s_\mathrm{anomalous} > s_\mathrm{normal})"
_DATASETS = ("mnist", "fashion_mnist")
_PRESET = "article"
_CLICKED = "_method_pair"

Cells = list[tuple[str, int, int]]
"""Dataset, normal and anomalous class of each dot."""


@fragment
def show(compare: st.Page, texts: Texts) -> None:
    """Show two scores over all pairs, and go to the pair that is clicked."""
    tables = _tables()
    control, figure = section("wins", _FORMULA, texts, preset=_PRESET)
    if tables is None:
        figure.info(texts("matrix.missing", dataset=_DATASETS[0], preset=_PRESET), icon=":material/grid_on:")
        return
    with control:
        shown = segments("compared", texts)
    score, minus = shown.split(MINUS)
    dots, cells = _dots(tables, score, minus, texts)
    axes = Axes(*(f"AUROC, {texts(f'score.{each}')}" for each in (minus, score)))
    with figure:
        alt = texts("method.wins_alt", score=texts(f"score.{score}"), minus=texts(f"score.{minus}"))
        show_as_high(pair_dots(dots, axes), "wins", alt, "min(90cqw, 520px)", _take)
    wins = sum(int(np.count_nonzero(each.y > each.x)) for each in dots)
    step = option_label("compared", shown, {}, texts)
    control.markdown(texts("method.wins_count", step=step, wins=wins, pairs=len(cells)))
    clicked = st.session_state.pop(_CLICKED, None)
    if clicked is not None:
        _go(compare, *cells[clicked])


def _tables() -> dict[str, Pairs] | None:
    """The stored table of each dataset; None unless all are there."""
    tables = {}
    for dataset in _DATASETS:
        try:
            pairs = Pairs.read(ModelStore().find(pairs_file(dataset, _PRESET)))
        except ModelFormatError as error:
            st.error(str(error))
            return None
        if pairs is None or pairs.classes != len(get_spec(dataset).class_names):
            return None
        tables[dataset] = pairs
    return tables


def _dots(tables: dict[str, Pairs], score: str, minus: str, texts: Texts) -> tuple[list[PairDots], Cells]:
    dots: list[PairDots] = []
    cells: Cells = []
    for dataset, pairs in tables.items():
        x, y = pairs.mean(minus), pairs.mean(score)
        known = np.argwhere(np.isfinite(x) & np.isfinite(y)).tolist()
        spec, names = get_spec(dataset), {"minus": texts(f"score.{minus}"), "score": texts(f"score.{score}")}
        hovers = []
        for normal, anomalous in known:
            classes = class_name(texts, spec, normal), class_name(texts, spec, anomalous)
            values = {"x": f"{x[normal, anomalous]:.3f}", "y": f"{y[normal, anomalous]:.3f}"}
            pair = {"normal": classes[0], "anomalous": classes[1]}
            hovers.append(texts("method.wins_hover", **pair, **names, **values))
        rows, columns = np.transpose(known)
        dots.append(PairDots(spec.title, x[rows, columns], y[rows, columns], hovers, len(cells)))
        cells += [(dataset, normal, anomalous) for normal, anomalous in known]
    return dots, cells


def _take(number: int) -> None:
    st.session_state[_CLICKED] = number


def _go(compare: st.Page, dataset: str, normal: int, anomalous: int) -> None:
    sidebar.choose_story(Story(dataset, normal, anomalous, pair=0))
    query_params.open_compare(compare)
