"""The demo of "Your images": made-up screw holes, and the model of them that comes with vaead."""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from vaead.data.photos.photo import NORMAL
from vaead.data.screws.generator import DEFECTS, make_screw
from vaead.data.screws.screw_set import ScrewSet
from vaead.recipe import PhotoSource, Recipe

NAME = "screws"
"""Stands for the demo where datasets are named."""

SET = ScrewSet(train=60, good=10, defective=5, severities=(0.2, 0.4, 0.6, 0.8, 1.0), scale=0.5)
"""Of 320x240 pixels: made in some seconds, and as detailed as the preset reads photos of 640x480."""


def samples() -> dict[str, NDArray[np.uint8]]:
    """One image (H, W) of each kind, none of which is in the set."""
    kinds = (None, *DEFECTS)
    return {
        kind or NORMAL: make_screw(SET.seed, 500 + number, kind, 0.9 if kind else None, SET.scale).image
        for number, kind in enumerate(kinds)
    }


def recipe() -> Recipe:
    """Recipe that the page proposes for the set."""
    return Recipe.from_preset("industrial", PhotoSource(scale=0.5))


def model_folder() -> PurePosixPath:
    """Path of the model of the demo, below the root of a store."""
    return PurePosixPath(NAME, recipe().preset)
