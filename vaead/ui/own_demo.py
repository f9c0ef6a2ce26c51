"""The demo: made-up images of screw holes, taken in as if a visitor had brought them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from vaead.datasets.screws import DEFECTS, make_screw
from vaead.images import mask_to_png, to_png
from vaead.photos.layout import NORMAL
from vaead.ui.own_photos import OwnPhotos, examine

_SEED = 0
_SCALE = 0.5
"""Of 640x480 pixels: made in some seconds, and as detailed as any preset sees them unless told otherwise."""


@dataclass(frozen=True)
class DemoSize:
    """How many images the demo has."""

    normal: int = 60
    good: int = 10
    defective: int = 5


def take_in_demo(
    own: OwnPhotos, on_progress: Callable[[int, int], None], size: DemoSize | None = None
) -> None:
    """Make the images of the demo, always the same ones."""
    plan = list(_plan(size or DemoSize()))
    for index, (into, name, defect, severity) in enumerate(plan):
        screw = make_screw(_SEED, index, None if defect == NORMAL else defect, severity, _SCALE)
        data = to_png(screw.image)
        photo = replace(examine(data, name), path=own.write(data, ".png"), defect=defect)
        if defect != NORMAL:
            photo = replace(photo, mask=own.write(mask_to_png(screw.mask), ".png"))
        (own.normal if into == "normal" else own.judged).append(photo)
        on_progress(index + 1, len(plan))


def _plan(size: DemoSize) -> Iterator[tuple[str, str, str, float | None]]:
    """Where each image goes, its name, its defect, and how severe that is: from slight to obvious."""
    yield from (("normal", f"train/good/{number:03d}.png", NORMAL, None) for number in range(size.normal))
    yield from (("judged", f"test/good/{number:03d}.png", NORMAL, None) for number in range(size.good))
    for defect in DEFECTS:
        for number in range(size.defective):
            yield "judged", f"test/{defect}/{number:03d}.png", defect, (number + 1) / size.defective


@st.cache_resource(show_spinner=False)
def samples() -> dict[str, NDArray[np.uint8]]:
    """One image of each kind; the same for all visitors."""
    kinds = (NORMAL, *DEFECTS)
    return {
        kind: make_screw(
            _SEED, 500 + index, None if kind == NORMAL else kind, 0.9 if index else None, _SCALE
        ).image
        for index, kind in enumerate(kinds)
    }
