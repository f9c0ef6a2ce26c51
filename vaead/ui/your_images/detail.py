"""Step 3 of the page "Your images": one image, what the scores see in it, and the decision in words."""

from __future__ import annotations

import re
from collections.abc import Sequence

import streamlit as st

from vaead.i18n.format import listed, number, percent
from vaead.i18n.texts import Texts
from vaead.inference.prediction import Prediction
from vaead.plots.overlay import OPACITY
from vaead.scoring.loss_terms import SCORES
from vaead.scoring.regions import Region, area_share
from vaead.ui.shared.markdown import code, plain
from vaead.ui.your_images import figure, mistakes, why
from vaead.ui.your_images.downsampling import View
from vaead.ui.your_images.own_photos import OwnPhoto
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.session import OwnSession

_MOST_ROWS = 8
"""Rows of the table of regions that are shown at once."""
_TABLE_PX = 320


def show(own: OwnSession, results: Results, photo: OwnPhoto, score: str, rate: float, texts: Texts) -> None:
    """Show an image that was scored.

    Args:
        own: Where the visitor's verdicts go.
        results: Predictions of its model.
        photo: The image.
        score: The score that decides.
        rate: Share of normal images that may be flagged.
    """
    prediction = results.prediction(photo, rate)
    words = decision(results, photo, prediction, score, rate, texts)
    st.markdown(f"{code(photo.name)} {words}")
    mistakes.offer(own, results, photo, prediction, score, texts)
    if score not in prediction.scores:
        st.info(texts("own.other_size", score=texts(f"score.{score}")))
        score = next(iter(prediction.scores))
    _look(results, photo, score, rate, words, texts)


@st.fragment
def _look(results: Results, photo: OwnPhoto, score: str, rate: float, words: str, texts: Texts) -> None:
    """Show maps, regions and one window. A fragment: a click on one of them redraws nothing else."""
    prediction = results.prediction(photo, rate)
    usual = round(100 * OPACITY)
    opacity = st.slider(
        texts("own.opacity"), 0, 100, value=usual, step=5, format="%d %%", key="own_opacity", width=220
    )
    view = View.from_prediction(prediction, score, opacity / 100)
    alt = texts("own.figure_alt", name=photo.name, decision=re.sub(r"\*\*|\\", "", words))
    found = prediction.find_regions(score, results.calibration)
    window = why.Chosen.current(results, photo, score, prediction)
    figure.show(
        figure.draw(view, results.calibration, window.frame, texts), prediction.shape, alt, window.pick_number
    )
    st.caption(_legend(found, prediction, rate, texts))
    if results.card.recipe.source.ignored is not None:
        st.caption(texts("boxes.blank"))
    if found:
        _table(found, results.card.recipe.source.scale, window, texts)
    why.show(window, texts)


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


def _legend(found: Sequence[Region], prediction: Prediction, rate: float, texts: Texts) -> str:
    """Say what the lines surround."""
    area = percent(area_share(found, prediction.shape), digits=2)
    values = {"area": area, "rate": percent(rate)}
    parts = [texts("own.no_region")]
    if len(found) == 1:
        parts = [texts("own.region", **values)]
    elif found:
        parts = [texts("own.regions", count=len(found), **values)]
    if prediction.true_mask is not None and prediction.true_mask.any():
        parts.append(texts("own.true_regions"))
    return " ".join(parts) if texts.language == "en" else "".join(parts)


def _table(found: Sequence[Region], scale: float, window: why.Chosen, texts: Texts) -> None:
    """The regions as numbers; lengths are in pixels of the image as it was brought."""
    key = f"own_regions_{window.photo.path.stem}_{window.score}"

    def take() -> None:
        rows = st.session_state[key].selection.rows
        window.pick_region(found[rows[0]] if rows else None)

    regions = [region.enlarged(1 / scale) for region in found]
    cells = {
        "place": [f"{each.left:.0f}, {each.top:.0f}" for each in regions],
        "size": [f"{each.width:.0f} × {each.height:.0f}" for each in regions],
        "area": [f"{each.area:,.0f}" for each in regions],
        "largest": [number(each.largest) for each in regions],
        "mean": [number(each.mean) for each in regions],
        "normal_below": [percent(each.normal_below, digits=3) for each in regions],
    }
    st.dataframe(
        {texts(f"regions.{name}"): values for name, values in cells.items()},
        key=key,
        on_select=take,
        selection_mode="single-row",
        hide_index=True,
        height="content" if len(regions) < _MOST_ROWS else _TABLE_PX,
        alt=texts("regions.alt"),
    )
    st.caption(texts("regions.caption"))
