"""What `score` says of photos in another resolution than those for training."""

from __future__ import annotations

import warnings
from pathlib import Path

import click

from vaead.card import ModelCard
from vaead.errors import InvalidInputError
from vaead.photos import Photo
from vaead.photos.decoding import format_name, open_header
from vaead.places import is_url

_SAME_SIZE = 1.25
"""Photos whose longer sides differ by a smaller factor may be crops of one resolution."""


class OtherResolution:
    """Photos in which the same thing is likely to be larger or smaller than in those for training."""

    def __init__(self, card: ModelCard) -> None:
        scale = card.recipe.photos.scale if card.recipe.photos else 1.0
        sides = card.longer_side_px
        self._usual_px = None if sides is None else tuple(side / scale for side in sides)
        self._count = 0
        self._first = ""

    def look_at(self, photo: Photo) -> None:
        """Take in a photo that could be scored; one at a URL is not downloaded again for this."""
        longer_px = None if self._usual_px is None or is_url(photo.source) else _longer_px(photo.source)
        if self._usual_px is None or longer_px is None:
            return
        low, high = self._usual_px
        if not low / _SAME_SIZE <= longer_px <= high * _SAME_SIZE:
            self._count += 1
            self._first = self._first or f"{photo.source!r} ({longer_px} px)"

    def tell(self) -> None:
        """Say on standard error how many there are, and name one."""
        if not self._count:
            return
        usual = " to ".join(dict.fromkeys(f"{side:.0f}" for side in self._usual_px or ()))
        click.echo(
            f"Other resolution: the longer side of {self._count} photos, such as {self._first}, is unlike "
            f"that of the photos for training ({usual} px); unless they are other crops, resize them first",
            err=True,
        )


def _longer_px(source: str) -> int | None:
    """The longer side of a photo; None if it has just been taken away."""
    try:
        data = Path(source).read_bytes()
        with warnings.catch_warnings(action="ignore"), open_header(data, format_name(data, source)) as image:
            return max(image.size)
    except (OSError, InvalidInputError):
        return None
