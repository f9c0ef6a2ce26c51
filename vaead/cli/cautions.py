"""Warnings of `score` and `evaluate` about photos that are unlike those for training."""

from __future__ import annotations

import click

from vaead.calibration.thresholds import NormalScores
from vaead.data.photos import is_other_resolution
from vaead.i18n.agreement import shift_warnings, unlike_warning
from vaead.i18n.texts import Texts
from vaead.inference.prediction import Prediction
from vaead.metrics.groups import GroupEvaluator


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


class AllFlagged:
    """Photos that are nearly all flagged."""

    def __init__(self) -> None:
        self._flags: list[bool] = []

    def add(self, prediction: Prediction) -> None:
        """Count a photo."""
        self._flags.append(prediction.flagged.get("calibrated", False))

    def warn(self) -> None:
        """Say on standard error that the photos may be of something else, if it looks so."""
        warning = unlike_warning(sum(self._flags), len(self._flags), Texts("en"))
        if warning is not None:
            click.echo(f"Warning: {warning}", err=True)


def warn_of_shift(normal_scores: NormalScores, evaluator: GroupEvaluator) -> None:
    """Say on standard error by which scores normal test photos are unlike those of held-out ones."""
    for warning in shift_warnings(normal_scores, evaluator.normal, Texts("en")):
        click.echo(f"Warning: {warning}", err=True)
