"""Below the comparison: the three terms, what the decoder made, the network and its training."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from vaead.calibration.thresholds import NormalScores
from vaead.i18n.texts import Texts
from vaead.model.card import ModelCard
from vaead.model.model import Model
from vaead.plots.panels import Panel, Scale, panels
from vaead.scoring.loss_terms import TERMS
from vaead.ui.compare.figure import Pair
from vaead.ui.shared.loss_chart import network_name, show_losses
from vaead.ui.shared.plots import mean_scale, show_pair


def show(pair: Pair, model: Model, palette: str, texts: Texts) -> None:
    """Show the details of a pair in tabs; only the open one is computed."""
    contents: dict[str, Callable[[], None]] = {
        "terms": lambda: _terms(pair, model.card.normal_scores, palette, texts),
        "decoder": lambda: _decoder(pair, model, palette, texts),
        "network": lambda: _network(model.card, texts),
        "training": lambda: _training(model.card, texts),
    }
    tabs = st.tabs([texts(f"details.{name}") for name in contents], key="details", on_change="rerun")
    for tab, draw in zip(tabs, contents.values(), strict=True):
        if tab.open:
            with tab:
                draw()


def _terms(pair: Pair, calibration: NormalScores, palette: str, texts: Texts) -> None:
    st.markdown(texts("details.terms_text"))
    nats = texts("compare.nats")
    scales = [mean_scale(calibration, name, palette, nats, column) for column, name in enumerate(TERMS)]
    maps = [pair.terms.anomaly_maps(name) for name in TERMS]
    rows = [
        [
            Panel(maps[column][index], column, _titled(texts(f"details.{name}"), role, texts), nats)
            for column, name in enumerate(TERMS)
        ]
        for index, role in enumerate(pair.names)
    ]
    show_pair(panels(rows, scales, texts("compare.hover")), "terms", texts("details.terms"), columns=3)


def _titled(name: str, role: str, texts: Texts) -> str:
    return f"{name} ({texts(f'compare.{role}')})"


def _decoder(pair: Pair, model: Model, palette: str, texts: Texts) -> None:
    st.markdown(texts("details.decoder_text"))
    made = model.reconstruct(pair.images)
    scales = [
        Scale(0, 1, "Greys", reverse=True),
        Scale(0, float(made.sigma2.max()), palette, texts("details.sigma2"), columns=(2, 2)),
    ]
    rows = [
        [
            Panel(pair.images[index] / 255, 0, _titled(texts("details.image"), role, texts)),
            Panel(made.mu[index], 0, texts("details.mu")),
            Panel(made.sigma2[index], 1, texts("details.sigma2")),
        ]
        for index, role in enumerate(pair.names)
    ]
    show_pair(panels(rows, scales, texts("compare.hover")), "decoder", texts("details.decoder"), columns=3)


def _network(card: ModelCard, texts: Texts) -> None:
    layers = card.networks[0].layers
    total = sum(layer.parameters for layer in layers)
    size = card.recipe.networks[0].patch_size
    text = texts("details.network_text", parameters=f"{total:,}", size=size)
    name = network_name(1, len(card.recipe.networks), texts)
    st.markdown(f"**{name}:** {text}" if name else text)
    part_names = {"encoder": texts("details.encoder"), "decoder": texts("details.decoder_part")}
    st.dataframe(
        {
            texts("details.part"): [part_names[layer.part] for layer in layers],
            texts("details.layer"): [layer.layer for layer in layers],
            texts("details.kind"): [layer.kind for layer in layers],
            texts("details.output"): [layer.output for layer in layers],
            texts("details.parameters"): [layer.parameters for layer in layers],
        },
        height="content",
        alt=texts("details.network"),
    )


def _training(card: ModelCard, texts: Texts) -> None:
    train = card.recipe.train
    histories = [network.history for network in card.networks]
    st.markdown(
        texts(
            "details.training_text",
            seconds=f"{card.training_s:.3g}",
            crops=f"{train.crops:,}",
            epochs=" + ".join(str(len(history)) for history in histories),
            seed=train.seed,
            images=card.normal_scores.n_images,
            created=card.created[:10],
        )
    )
    for number, history in enumerate(histories, start=1):
        name = network_name(number, len(histories), texts)
        show_losses(history, "history" if number == 1 else f"history_{number}", texts, name)
