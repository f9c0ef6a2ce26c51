"""Pictures and bars of one window."""

from __future__ import annotations

from collections.abc import Mapping

from vaead.i18n.format import number
from vaead.i18n.texts import Texts
from vaead.model.normal_windows import NormalWindows
from vaead.plots.panels import Panel, Scale, panels
from vaead.plots.window_bars import WindowBar, window_bars
from vaead.scoring.decoded import DecodedWindow
from vaead.ui.shared.phone import is_phone
from vaead.ui.shared.plots import show_as_high, show_chart

_ANYWHERE, _HERE = 0.9, 0.95
"""Shares of normal windows in the light and in the dark range."""
_ERROR_SD = 3.0


def show_pictures(window: DecodedWindow, key: str, texts: Texts, palette: str = "Blues") -> None:
    """Show a window, what was expected, the error and the variance.

    Args:
        window: The window.
        key: Key of the figure.
        texts: The language.
        palette: Colours of the variance.
    """
    scales = [
        Scale(0, 1, "Greys", reverse=True),
        Scale(-_ERROR_SD, _ERROR_SD, "RdBu", reverse=True),
        Scale(0, max(float(window.variance.max()), 1e-9), palette),
    ]
    row = [
        Panel(window.patch, 0, texts("inspector.patch")),
        Panel(window.mu, 0, texts("inspector.mu")),
        Panel(window.errors, 1, texts("inspector.errors")),
        Panel(window.variance, 2, texts("inspector.sigma2")),
    ]
    figure = panels([row], scales, texts("compare.hover"))
    figure.layout.dragmode = False
    show_as_high(figure, key, texts("inspector.pictures"), "min(calc(25cqw + 32px), 190px)")


def show_bars(
    values: Mapping[str, float],
    normal: NormalWindows,
    place: tuple[int, int],
    key: str,
    texts: Texts,
    *,
    narrow: bool = False,
) -> None:
    """Show quantities of a window by name against those of normal windows, at its place and anywhere."""
    is_narrow = narrow or is_phone()
    bars = [_bar(name, value, normal, place, is_narrow, texts) for name, value in values.items()]
    show_chart(window_bars(bars), key, texts("inspector.bars"))


def rank(share: float) -> str:
    """A share of normal windows, to a tenth of a per cent."""
    return f"{100 * share:.1f}".removesuffix(".0") + "\u00a0%"


def _bar(
    name: str, value: float, normal: NormalWindows, place: tuple[int, int], is_narrow: bool, texts: Texts
) -> WindowBar:
    here, anywhere = normal.rank_here(name, place, value), normal.rank_anywhere(name, value)
    shown = {"value": number(value), "here": rank(here), "anywhere": rank(anywhere)}
    return WindowBar(
        texts(f"inspector.{name}"),
        normal.range_anywhere(name, _ANYWHERE),
        normal.range_here(name, place, _HERE),
        value,
        texts("inspector.short_note", **shown) if is_narrow else texts("inspector.note", **shown),
    )
