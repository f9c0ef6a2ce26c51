"""How a training tells where it stands: to a person, or to the program that started it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
from typing import TYPE_CHECKING, Protocol

import click

from vaead.calibration.diagnostics import told
from vaead.errors import VaeadError
from vaead.i18n.texts import Texts
from vaead.model.card import ModelCard
from vaead.paths import AnyPath
from vaead.recipe import Recipe

if TYPE_CHECKING:
    from vaead.training.fit import EpochReport


class Progress(Protocol):
    """What is called in the course of a training."""

    def start(self, recipe: Recipe, what: str) -> None:
        """Training begins; of what, in words or as a path."""

    def epoch(self, report: EpochReport) -> None:
        """An epoch is over."""

    def done(self, folder: AnyPath, card: ModelCard) -> None:
        """The model is there; the card tells how it went."""

    def stop(self, error: BaseException) -> None:
        """Training has failed; somebody else says why on standard error."""


class JsonProgress:
    """One JSON object a line, for the program that started the training."""

    def start(self, recipe: Recipe, what: str) -> None:
        """See `Progress`."""
        self._write("start", epochs=recipe.total_epochs, crops=recipe.train.crops, path=what)

    def epoch(self, report: EpochReport) -> None:
        """See `Progress`."""
        self._write("epoch", **dataclasses.asdict(report))

    def done(self, folder: AnyPath, card: ModelCard) -> None:
        """See `Progress`."""
        self._write("done", elapsed_s=card.training_s, model=str(folder), warnings=_faults(card))

    def stop(self, error: BaseException) -> None:
        """See `Progress`."""
        if isinstance(error, VaeadError):
            self._write("error", message=str(error))

    def _write(self, event: str, **fields: object) -> None:
        click.echo(json.dumps({"event": event, **fields}))  # which flushes


def _faults(card: ModelCard) -> list[str]:
    return list(told(card.healths, Texts("en")))


class TextProgress:
    """A progress bar for a person."""

    def __init__(self) -> None:
        self._shown = contextlib.ExitStack()

    def start(self, recipe: Recipe, what: str) -> None:
        """See `Progress`."""
        count, epochs = len(recipe.networks), f"{recipe.train.epochs} epochs"
        size = epochs if count == 1 else f"{count} networks of {epochs} each"
        click.echo(f"Training {what}: {recipe.train.crops:,} crops, {size}", err=True)
        self._epochs = recipe.total_epochs
        bar = click.progressbar(length=self._epochs, label="epochs", file=sys.stderr)
        self._bar = self._shown.enter_context(bar)

    def epoch(self, report: EpochReport) -> None:
        """See `Progress`."""
        self._bar.label = f"loss {report.loss:9.2f}"
        self._advance(report.epoch)  # by more than one, where a network before has stopped early

    def done(self, folder: AnyPath, card: ModelCard) -> None:
        """See `Progress`."""
        self._advance(self._epochs)
        self._shown.close()
        click.echo(f"Trained in {card.training_s:.1f} s", err=True)
        for fault in _faults(card):
            click.echo(f"Warning: {fault}", err=True)
        click.echo(str(folder))

    def stop(self, _error: BaseException) -> None:
        """See `Progress`."""
        self._shown.close()

    def _advance(self, epochs: int) -> None:
        self._bar.update(epochs - self._bar.pos)
