"""Warnings of `score` and `evaluate` about photos that are unlike those for training."""

from __future__ import annotations

import click

from vaead.calibration.thresholds import NormalScores
from vaead.data.photos import is_other_resolution
from vaead.i18n.agreement import shift_warnings, unlike_warning
from vaead.i18n.texts import Texts
from vaead.ignored import IgnoredRegion
from vaead.inference.predict import LocatedModel
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


class Stretched:
    """Photos of another shape than the one that a region to ignore was drawn on."""

    def __init__(self, ignored: IgnoredRegion | None) -> None:
        """Begin without any; with None nothing is said."""
        self._ignored = ignored
        self._count = 0
        self._first = ""

    def add(self, prediction: Prediction) -> None:
        """Count a photo, if it is one."""
        self.add_shape(prediction.photo.label, prediction.shape)

    def add_shape(self, name: str, shape: tuple[int, int]) -> None:
        """As `add` for a photo (H, W)."""
        if self._ignored is not None and self._ignored.is_stretched(shape):
            self._count += 1
            self._first = self._first or repr(name)

    def warn(self) -> None:
        """Print on standard error how many there are, and name one."""
        if self._ignored is not None and self._count:
            click.echo(
                f"Warning: the region to ignore was drawn on {self._ignored.width}x{self._ignored.height} "
                f"px; it is stretched over {self._count} photos of another shape, such as {self._first}",
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


def leaving_out(located: LocatedModel, ignored: IgnoredRegion | None) -> LocatedModel:
    """The model without a region, too; says on standard error what its thresholds do not know.

    Raises:
        InvalidInputError: See `Model.leaving_out`.
    """
    found = located.leaving_out(ignored)
    if ignored is not None and ignored != located.model.ignored:
        click.echo(
            "Note: the thresholds of this model were found without this region left out, so its flags "
            "do not keep to the false-alarm rate; train with the same --ignore-mask for thresholds that fit",
            err=True,
        )
    return found


def warn_of_shift(normal_scores: NormalScores, evaluator: GroupEvaluator) -> None:
    """Say on standard error by which scores normal test photos are unlike those of held-out ones."""
    for warning in shift_warnings(normal_scores, evaluator.normal, Texts("en")):
        click.echo(f"Warning: {warning}", err=True)
