"""Step 3 of the page "Your images": one window of an image, and the normal windows that are most like it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from vaead.errors import VaeadError
from vaead.i18n.format import number, percent
from vaead.i18n.texts import Texts
from vaead.i18n.why import why
from vaead.inference.explain import Explanation, Place, window_value, worst_window
from vaead.inference.prediction import Prediction
from vaead.model.kept_windows import NearWindow
from vaead.plots.panels import Frame
from vaead.scoring.patches import PatchGrid
from vaead.scoring.regions import Region
from vaead.scoring.term_maps import TermMaps
from vaead.ui.shared.markdown import plain
from vaead.ui.shared.pictures import data_url
from vaead.ui.shared.window_view import show_pictures
from vaead.ui.your_images.messages import error_message
from vaead.ui.your_images.own_photos import OwnPhoto
from vaead.ui.your_images.predictions import Results

_KEY = "own_window"
"""The model, image and score for which a window was picked, and its number."""
_TILE_PX = 72


@dataclass(frozen=True)
class Chosen:
    """The window of an image that is shown.

    Attributes:
        results: Predictions of its model.
        photo: The image.
        score: The score that decides.
        prediction: Of the image, with arrays.
        place: Row and column of the window.
        picked: True if the visitor has picked it; else it is the worst one.
    """

    results: Results
    photo: OwnPhoto
    score: str
    prediction: Prediction
    place: Place
    picked: bool

    @classmethod
    def current(cls, results: Results, photo: OwnPhoto, score: str, prediction: Prediction) -> Chosen:
        """The window that was picked last in this image, or the worst one."""
        terms = _terms(prediction)
        worst = cls(results, photo, score, prediction, worst_window(terms, score), picked=False)
        of, picked = st.session_state.get(_KEY, (None, 0))
        if of != worst._of:
            return worst
        row, column = np.unravel_index(picked, terms.grid.shape)
        return replace(worst, place=(int(row), int(column)), picked=True)

    @property
    def grid(self) -> PatchGrid:
        """The windows of the image."""
        return _terms(self.prediction).grid

    @property
    def frame(self) -> Frame:
        """Where the window is, in pixels of the image as the model sees it."""
        return self.grid.frame(self.place)

    @property
    def _of(self) -> tuple[str, str, str]:
        return str(self.results.folder), str(self.photo.path), self.score

    def pick_number(self, picked: int) -> None:
        """Show another window of the image from now on."""
        if 0 <= picked < self.grid.kept.size:
            st.session_state[_KEY] = self._of, picked

    def pick_region(self, region: Region | None) -> None:
        """Show the worst window of a region, or of the image, from now on."""
        if region is None:
            st.session_state.pop(_KEY, None)
        else:
            self.pick_number(self.grid.number(worst_window(_terms(self.prediction), self.score, region)))


def show(window: Chosen, texts: Texts) -> None:
    """Show a window, what the network made of it, and the normal windows most like it."""
    st.subheader(texts("why.title"), anchor=False)
    results = window.results
    try:
        found = results.explanation(window.photo, window.prediction, window.place)
    except VaeadError as error:
        st.warning(texts("why.lost", problem=plain(error_message(error, texts))))
        return
    name = texts(f"score.{window.score}")
    st.caption(texts("why.picked") if window.picked else texts("why.first", score=name))
    pictures, others = st.columns([4, 3], gap="medium")
    with pictures:
        show_pictures(found.window.decoded, "own_window_pictures", texts)
    with others:
        _show_nearest(found, results, texts)
    value = window_value(_terms(window.prediction), window.score, window.place)
    rank = float(results.calibration.window_ranks(window.score, np.array(value)))
    st.markdown(why(found.likeness, window.score, rank, texts))
    terms = {key: number(getattr(found.window, key)) for key in ("kl", "log_variance", "mahalanobis")}
    st.caption(texts("why.terms", **terms, below=percent(found.normal_below, digits=4)))


def _show_nearest(found: Explanation, results: Results, texts: Texts) -> None:
    if found.likeness is None:
        return
    st.caption(texts("why.nearest"))
    with st.container(horizontal=True, gap="xsmall"):
        for near in found.likeness.nearest:
            alt = texts("why.nearest_alt", distance=f"{near.distance:.2f}")
            with st.container(width=_TILE_PX):
                st.image(data_url(_enlarged(near.picture)), caption=_where(near, results, texts), alt=alt)


def _where(near: NearWindow, results: Results, texts: Texts) -> str:
    """How far a normal window is away, and where it lies if photos are aligned."""
    card, distance = results.card, f"{near.distance:.2f}"
    if card.image_shape is None:
        return texts("why.at", distance=distance)
    network = card.recipe.networks[0]
    grid = PatchGrid(*card.image_shape, network.patch_size, network.stride)
    top, left, _, _ = grid.frame(near.place)
    scale = card.recipe.source.scale
    return texts("why.at_place", distance=distance, left=f"{left / scale:.0f}", top=f"{top / scale:.0f}")


def _enlarged(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture whose pixels stay what they are, large enough for a sharp screen."""
    return np.asarray(Image.fromarray(picture).resize((3 * _TILE_PX,) * 2, Image.Resampling.NEAREST))


def _terms(prediction: Prediction) -> TermMaps:
    assert prediction.terms is not None, "arrays were dropped"
    return prediction.terms
