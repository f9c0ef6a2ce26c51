"""Warning of `score` about photos in another resolution than those for training."""

from __future__ import annotations

import click

from vaead.data.photos import is_other_resolution
from vaead.inference.prediction import Prediction


class OtherResolution:
    """Photos in which the same thing is likely to be larger or smaller than in those for training."""

    def __init__(self, usual_px: tuple[int, int] | None) -> None:
        """Begin without any.

        Args:
            usual_px: See `ModelCard.longer_side_px`; with None nothing is said.
        """
        self._usual_px = usual_px
        self._count = 0
        self._first = ""

    def add(self, prediction: Prediction) -> None:
        """Count a photo, if it is one."""
        longer_px = max(prediction.shape)
        if self._usual_px is not None and is_other_resolution(longer_px, self._usual_px):
            self._count += 1
            self._first = self._first or f"{prediction.photo.label!r} ({longer_px} px)"

    def warn(self) -> None:
        """Print on standard error how many there are, and name one."""
        if self._count:
            usual = " to ".join(dict.fromkeys(map(str, self._usual_px or ())))
            click.echo(
                f"Other resolution: the longer side of {self._count} photos, such as {self._first}, is "
                f"unlike that of the photos for training ({usual} px), after scaling; unless they are other "
                "crops, resize them first",
                err=True,
            )
