"""The model, the images and the windows that all steps share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from vaead.data.datasets import Dataset
from vaead.i18n.texts import Texts
from vaead.model.model import Model
from vaead.model.normal_windows import NormalWindows, Quantities, quantities
from vaead.recipe import ClassSource, Recipe
from vaead.scoring.decoded import Decoded
from vaead.scoring.patches import PatchGrid, extract_windows, unit
from vaead.ui.shared import loading
from vaead.ui.shared.cache import changed_ns
from vaead.ui.shared.controls import LESSONS, MADE, Story
from vaead.ui.shared.pairs import draw_pair, make_image
from vaead.ui.shared.windows import normal_windows

_STORY = LESSONS["calibration"]
"""The pair of the first visit: its data are loaded already, and a pullover has plain and complex patches."""
_NORMALS = 500
_DECODED = 40
"""Normal images whose windows are decoded, so that one of them lies near any z."""


@dataclass(frozen=True)
class Example:
    """A pair of images, a model of the normal class, and windows of normal test images.

    Attributes:
        model: The model.
        pair: (2, H, W), the normal image first.
        images: The normal test images, (N, H, W).
        windows: Their windows.
    """

    model: Model
    pair: NDArray[np.uint8]
    images: NDArray[np.uint8]
    windows: NormalWindows

    @property
    def grid(self) -> PatchGrid:
        """Places of the windows."""
        return self.model.grid(self.pair)

    @cached_property
    def decoded(self) -> Decoded:
        """All windows of the first normal test images, as many as `windows` has pictures of."""
        return self.model.networks[0].scorer.decode(self.images[:_DECODED])

    @cached_property
    def decoded_pair(self) -> Decoded:
        """All windows of the pair."""
        return self.model.networks[0].scorer.decode(self.pair)

    @cached_property
    def found(self) -> Quantities:
        """Terms and scores of all windows of the pair."""
        return quantities(self.model, self.model.networks[0].scorer.scan(self.pair))

    @cached_property
    def variances(self) -> NDArray[np.float32]:
        """Variance of the pixels of each window of the normal test images, (N, rows, cols)."""
        count = self.windows.values["new"].size
        patches, _ = extract_windows(self.images, self.grid, slice(0, count))
        return np.asarray(unit(patches).var(axis=(1, 2)).reshape(self.windows.values["new"].shape))

    @cached_property
    def normal_scores(self) -> dict[str, NDArray[np.float32]]:
        """Scores of the normal test images, each (N,)."""
        return self.model.image_scores(self.images)

    @cached_property
    def made(self) -> NDArray[np.uint8]:
        """Images that are made, one of each of `MADE`, (n, H, W)."""
        made = [make_image(kind, self.pair[0], _STORY.pair) for kind in MADE]
        return np.stack([image for image in made if image is not None])

    @cached_property
    def made_scores(self) -> dict[str, NDArray[np.float32]]:
        """Scores of `made`, each (n,)."""
        return self.model.image_scores(self.made)


def load(texts: Texts) -> tuple[Example, Story] | None:
    """The example and the classes of its pair; None where there is no model, which the page has said then.

    Where Fashion-MNIST cannot be had, the bundled digits stand in for it, as on the page Compare.
    """
    dataset = loading.load_dataset(_STORY.dataset, texts)
    story = _STORY._replace(dataset=dataset.name)
    model = loading.load_model(Recipe.from_preset("article", ClassSource(*story[:2])), texts)
    if model is None:
        return None
    with st.spinner(texts("method.scanning"), show_time=False):
        return _example(model.card.recipe, changed_ns(model.card.recipe), story, model, dataset), story


@st.cache_resource(max_entries=2, show_spinner=False)
def _example(
    recipe: Recipe,  # noqa: ARG001 - part of the cache's key
    changed: int,  # noqa: ARG001 - part of the cache's key
    story: Story,
    _model: Model,
    _dataset: Dataset,
) -> Example:
    images = {
        "normal": _dataset.test.of_class(story.normal),
        "anomalous": _dataset.test.of_class(story.anomalous),
    }
    numbers = draw_pair(story.pair, {role: len(each) for role, each in images.items()})
    pair = np.stack([images[role][number] for role, number in numbers.items()])
    windows = normal_windows(_model, _dataset, _NORMALS, _DECODED)
    return Example(_model, pair, images["normal"][:_NORMALS], windows)
