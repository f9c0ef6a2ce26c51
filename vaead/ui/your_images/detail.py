"""Step 3 of the page "Your images": one image, what the scores see in it, and the decision in words."""

from __future__ import annotations

import re

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from vaead.i18n.format import listed, number, percent
from vaead.i18n.texts import Texts
from vaead.inference.prediction import Prediction
from vaead.plots.overlay import OPACITY, Regions
from vaead.scoring.loss_terms import SCORES
from vaead.ui.shared.markdown import code, plain
from vaead.ui.your_images import figure
from vaead.ui.your_images.downsampling import View
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.uploaded_photos import OwnPhoto


def show(results: Results, photo: OwnPhoto, score: str, rate: float, texts: Texts) -> None:
    """Show an image that was scored.

    Args:
        results: Predictions of its model.
        photo: The image.
        score: The score that decides.
        rate: Share of normal images that may be flagged.
    """
    prediction = results.prediction(photo, rate)
    words = decision(results, photo, prediction, score, rate, texts)
    st.markdown(f"{code(photo.name)} {words}")
    if score not in prediction.scores:
        st.info(texts("own.other_size", score=texts(f"score.{score}")))
        score = next(iter(prediction.scores))
    usual = round(100 * OPACITY)
    opacity = st.slider(
        texts("own.opacity"), 0, 100, value=usual, step=5, format="%d %%", key="own_opacity", width=220
    )
    view = View.from_prediction(prediction, score, opacity / 100)
    alt = texts("own.figure_alt", name=photo.name, decision=re.sub(r"\*\*|\\", "", words))
    figure.show(figure.draw(view, results.calibration, texts), prediction.shape, alt)
    st.caption(_legend(view.mask, prediction.true_mask, rate, texts))


def label_name(photo: OwnPhoto, texts: Texts) -> str:
    """Name of the label, see `defect_name`; empty without a label."""
    return "" if photo.defect is None else defect_name(photo.defect, texts)


def defect_name(defect: str, texts: Texts) -> str:
    """The name of a kind of defect, in the language of the page where it is known, in Markdown."""
    return texts.get(f"defect.{defect}", plain(defect))


def decision(
    results: Results, photo: OwnPhoto, prediction: Prediction, score: str, rate: float, texts: Texts
) -> str:
    """Say whether the image is flagged, and how the other scores decide."""
    flagged = prediction.flagged
    parts = []
    if score in flagged:
        values = {
            "value": number(prediction.scores[score]),
            "limit": number(prediction.thresholds.image[score]),
            "rate": percent(rate),
            "count": f"{results.calibration.n_images:,}",
        }
        name = texts(f"score.{score}")
        parts.append(
            texts("own.flagged", score=name, **values)
            if flagged[score]
            else texts("own.passed", score=name, **values)
        )
        if score == "calibrated" and flagged[score] and prediction.by_whole:
            parts.append(texts("own.by_whole"))
    others = [name for name in SCORES if name in flagged and name != score]
    sides = {
        True: [texts(f"score.{name}") for name in others if flagged[name]],
        False: [texts(f"score.{name}") for name in others if not flagged[name]],
    }
    if sides[True]:
        parts.append(texts("own.others_flag", scores=listed(sides[True], texts)))
    if sides[False]:
        parts.append(texts("own.others_pass", scores=listed(sides[False], texts)))
    if photo.defect is not None:
        parts.append(texts("own.label", label=f"**{label_name(photo, texts)}**"))
    return " ".join(parts) if texts.language == "en" else "".join(parts)


def _legend(mask: NDArray[np.bool_], true_mask: NDArray[np.bool_] | None, rate: float, texts: Texts) -> str:
    """Say what the lines surround."""
    regions = Regions.from_mask(mask)
    values = {"area": percent(regions.area, digits=2), "rate": percent(rate)}
    parts = [texts("own.no_region")]
    if regions.count == 1:
        parts = [texts("own.region", **values)]
    elif regions.count:
        parts = [texts("own.regions", count=regions.count, **values)]
    if true_mask is not None and true_mask.any():
        parts.append(texts("own.true_regions"))
    return " ".join(parts) if texts.language == "en" else "".join(parts)
