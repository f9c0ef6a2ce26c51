"""One window of a map: what is there, what was expected, and how usual that is at this place and anywhere."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from vaead.i18n.texts import Texts
from vaead.model.model import Model
from vaead.model.normal_windows import QUANTITIES, NormalWindows, Quantities
from vaead.scoring.loss_terms import TERMS
from vaead.ui.compare.figure import Pair
from vaead.ui.shared.pictures import data_url
from vaead.ui.shared.window_view import rank, show_bars, show_pictures
from vaead.ui.shared.windows import SHOWN, Window

CASES = (
    *("only_here", "error_rare", "complex", "rare", "too_good", "complex_everywhere"),
    *("unusual", "usual"),
)
"""What can be said of a window; the first that holds is said."""
_LOW, _HIGH = 0.025, 0.975
"""Ranks between which a value is usual."""
_USUAL = 0.9
_ZOOM = 6
_GAP_PX = 2


def show(
    window: Window,
    picked: bool,
    pair: Pair,
    found: Quantities,
    model: Model,
    normal: NormalWindows,
    palette: str,
    texts: Texts,
) -> None:
    """Show a window, which a visitor has picked or not, of a pair with these quantities."""
    row, column = window.place
    decoded = model.networks[0].scorer.decode(pair.images[window.image : window.image + 1])
    values = {name: float(found[name][window.image, row, column]) for name in QUANTITIES}

    role = list(pair.names)[window.image]
    top, left, side, _ = window.frame(decoded.grid)
    where = {"role": texts(f"compare.{role}"), "top": top, "left": left}
    intro = texts("inspector.intro", **where, bottom=top + side - 1, right=left + side - 1)
    st.caption(intro if picked else f"{intro} {texts('inspector.first')}")
    pictures, others = st.columns([3, 2], gap="medium")
    with pictures:
        show_pictures(decoded.window((0, row, column)), "window_pictures", texts, palette)
    with others:
        st.caption(texts("inspector.others", count=SHOWN))
        st.image(data_url(_strip(normal.patches[:, row, column])), alt=texts("inspector.others", count=SHOWN))
    show_bars(values, normal, window.place, "window_bars", texts)
    st.markdown(_sentence(values, normal, window.place, texts))
    st.caption(texts("inspector.legend", images=len(normal.values["kl"])))


def _strip(patches: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Patches (n, side, side) in two rows, enlarged, with gaps."""
    tiles = [np.pad(np.kron(patch, np.ones((_ZOOM, _ZOOM))), _GAP_PX, constant_values=1) for patch in patches]
    half = -(-len(tiles) // 2)
    rows = [np.hstack(tiles[:half]), np.hstack(tiles[half:])]
    width = min(row.shape[1] for row in rows)
    return np.round(255 * np.vstack([row[:, :width] for row in rows])).astype(np.uint8)


def _sentence(values: dict[str, float], normal: NormalWindows, place: tuple[int, int], texts: Texts) -> str:
    """What the figures mean, in one sentence."""
    here = {name: normal.rank_here(name, place, value) for name, value in values.items()}
    anywhere = {name: normal.rank_anywhere(name, value) for name, value in values.items()}
    inner = all(_LOW <= here[name] <= _HIGH for name in TERMS)
    old_is_high = here["old"] > _USUAL
    ordinary = all(_LOW <= anywhere[name] <= _HIGH for name in TERMS)
    holds = (
        here["calibrated"] > _HIGH and ordinary,
        here["mahalanobis"] > _HIGH,
        here["log_variance"] > _HIGH and old_is_high,
        here["kl"] > _HIGH,
        here["mahalanobis"] < _LOW,
        anywhere["log_variance"] > _USUAL and old_is_high,
        here["calibrated"] > _HIGH or not inner,
        True,
    )
    case = CASES[holds.index(True)]
    shown = {letter: rank(here[name]) for letter, name in zip("dam", TERMS, strict=True)}
    return texts(f"inspector.{case}", **shown)
