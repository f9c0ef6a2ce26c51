"""Step 1: crops of normal images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vaead.i18n.texts import Texts
from vaead.plots.panels import Panel, Scale, panels
from vaead.scoring.patches import random_crops, unit
from vaead.ui.method.example import Example
from vaead.ui.method.section import section
from vaead.ui.shared.plots import show_as_high
from vaead.ui.shared.query_params import change, fragment, values

_FORMULA = r"\min\ \sum_x\ \tfrac{1}{128}\,D(x) + A(x) + M(x)"
_IMAGES, _CROPS = 4, 6
"""Images shown, and crops of each."""
_UNIT = Scale(0, 1, "Greys", reverse=True)


@fragment
def show(example: Example, texts: Texts) -> None:
    """Show normal images with frames around random crops, and the crops."""
    recipe = example.model.card.recipe
    side = recipe.networks[0].patch_size
    control, figure = section("crops", _FORMULA, texts, side=side, crops=f"{recipe.train.crops:,}")
    control.button(
        texts("control.other_crops"), key="other_crops_draw", icon=":material/casino:", on_click=_draw
    )
    rng = np.random.default_rng(values()["other_crops"])
    images = example.images[rng.choice(len(example.images), _IMAGES, replace=False)]
    last = np.array(images.shape[1:]) - side
    row, crops = [], []
    for image in images:
        patches, positions = random_crops(image[None], side, _CROPS, rng)
        corners = np.rint(positions * last).astype(int).tolist()
        row.append(Panel(image, 0, "", frames=[(top, left, side, side) for top, left in corners]))
        crops.append(unit(patches))
    drawn = panels([row], [Scale(0, 255, "Greys", reverse=True)], texts("compare.hover"))
    drawn.layout.update(dragmode=False, margin_t=0)
    with figure:
        show_as_high(drawn, "crops", texts("method.crops_alt"), "25cqw")
        sheet = panels([[Panel(_sheet(np.concatenate(crops)), 0, "")]], [_UNIT], texts("compare.hover"))
        sheet.layout.update(dragmode=False, margin_t=0)
        show_as_high(sheet, "cut_out", texts("method.crops_alt"), "17cqw")


def _sheet(patches: NDArray[np.float32]) -> NDArray[np.float32]:
    """Patches (n, side, side) in two rows, with gaps."""
    tiles = [np.pad(patch, (0, 1), constant_values=np.nan) for patch in patches]
    half = len(tiles) // 2
    return np.vstack([np.hstack(tiles[:half]), np.hstack(tiles[half:])])


def _draw() -> None:
    change(other_crops=values()["other_crops"] + 1)
