"""The curves of a training."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from vaead.i18n.texts import Texts
from vaead.model.events import EpochReport
from vaead.plots.charts import curves
from vaead.scoring.loss_terms import TERMS
from vaead.ui.shared.plots import show_chart


def network_name(number: int, count: int, texts: Texts) -> str:
    """Name of one of several networks, empty for a single one."""
    return "" if count == 1 else f"{texts('details.network')} {number}/{count}"


def show_losses(epochs: Sequence[EpochReport], key: str, texts: Texts, network: str = "") -> None:
    """Draw the loss and each term over the epochs, below the name of the network if it has one."""
    if network:
        st.markdown(f"**{network}**")
    series = {
        texts("details.total"): [epoch.loss for epoch in epochs],
        texts("details.held_out"): [epoch.held_out_loss for epoch in epochs],
        **{texts(f"details.{name}"): [getattr(epoch, name) for epoch in epochs] for name in TERMS},
    }
    figure = curves(series, texts("details.epoch"), texts("details.mean_nats"))
    show_chart(figure, key, f"{texts('details.training')} {network}".rstrip())
