"""Pictures with titles in a row, as one picture."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from vaead.plots.overlay import Pixels, draw_photo

_HEIGHT_PX = 192
_WIDEST_PX = 384
_GAP_PX = 12
_TEXT_PX = 14
_LINE_PX = 20
_GROUND, _INK, _SELECTED = (255, 255, 255), (30, 30, 30), (217, 115, 13)
_SIGNED = ((-1.0, (33, 102, 172)), (0.0, (247, 247, 247)), (1.0, (178, 24, 43)))
_SHADES = ((0.0, (247, 251, 255)), (0.5, (107, 174, 214)), (1.0, (8, 48, 107)))


@dataclass(frozen=True)
class Tile:
    """A picture of a sheet.

    Attributes:
        title: Written above it, in ASCII.
        pixels: (h, w, 3); it is enlarged or reduced to the height of the sheet.
    """

    title: str
    pixels: Pixels


def draw_sheet(tiles: Sequence[Tile], note: str) -> Pixels:
    """Draw pictures side by side, and a note in ASCII below, as a picture (h, w, 3)."""
    font = ImageFont.load_default(_TEXT_PX)
    pictures = [_sized(tile.pixels) for tile in tiles]
    widths = [
        max(picture.width, round(font.getlength(tile.title)))
        for picture, tile in zip(pictures, tiles, strict=True)
    ]
    width = sum(widths) + _GAP_PX * (len(tiles) + 1)
    lines = textwrap.wrap(note, max(20, int(width / font.getlength("n"))))
    top = _GAP_PX + _LINE_PX
    height = top + _HEIGHT_PX + _GAP_PX + _LINE_PX * len(lines) + _GAP_PX
    sheet = Image.new("RGB", (width, height), _GROUND)
    pen, left = ImageDraw.Draw(sheet), _GAP_PX
    for picture, tile, taken in zip(pictures, tiles, widths, strict=True):
        pen.text((left, _GAP_PX), tile.title, _INK, font)
        sheet.paste(picture, (left, top))
        left += taken + _GAP_PX
    for number, line in enumerate(lines):
        pen.text((_GAP_PX, top + _HEIGHT_PX + _GAP_PX + number * _LINE_PX), line, _INK, font)
    return np.asarray(sheet)


def signed_colors(values: NDArray[np.floating], most: float) -> Pixels:
    """Values (h, w) from -most, blue, to most, red."""
    return _colors(values / most, _SIGNED)


def shades(values: NDArray[np.floating], most: float) -> Pixels:
    """Values (h, w) from 0, white, to most, dark blue."""
    return _colors(values / most, _SHADES)


def framed(photo: NDArray[np.generic], frame: tuple[int, int, int, int]) -> Pixels:
    """A photo as `draw_photo` draws it, with a frame: top, left, height and width in pixels of the photo."""
    picture = Image.fromarray(draw_photo(photo))
    top, left, height, width = frame
    x, y = picture.width / photo.shape[1], picture.height / photo.shape[0]
    box = (left * x, top * y, (left + width) * x - 1, (top + height) * y - 1)
    pen = ImageDraw.Draw(picture)
    pen.rectangle(box, outline=_GROUND, width=5)
    inner = (box[0] + 1, box[1] + 1, box[2] - 1, box[3] - 1)
    pen.rectangle(inner, outline=_SELECTED, width=3)
    return np.asarray(picture)


def _sized(pixels: Pixels) -> Image.Image:
    picture = Image.fromarray(pixels)
    factor = min(_HEIGHT_PX / picture.height, _WIDEST_PX / picture.width)
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    return picture.resize(size, Image.Resampling.NEAREST if factor > 1 else Image.Resampling.LANCZOS)


def _colors(shares: NDArray[np.floating], stops: Sequence[tuple[float, tuple[int, int, int]]]) -> Pixels:
    at = [share for share, _ in stops]
    channels = [np.interp(shares, at, [rgb[channel] for _, rgb in stops]) for channel in range(3)]
    return np.round(np.stack(channels, axis=-1)).astype(np.uint8)
