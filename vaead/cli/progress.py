"""Progress of a training: for a person, or as events for the program that started it."""

from __future__ import annotations

import contextlib
import math
import sys
from typing import Protocol

import click

from vaead.errors import VaeadError
from vaead.i18n.defect_trials import defect_trials
from vaead.i18n.photo_kinds import photo_kinds
from vaead.i18n.texts import Texts
from vaead.i18n.training_warnings import training_warnings
from vaead.model.card import ModelCard
from vaead.model.events import (
    CalibrationReport,
    EpochReport,
    TrainingDone,
    TrainingEvent,
    TrainingFailed,
    TrainingReport,
    TrainingRestarted,
    TrainingStarted,
    write_event,
)
from vaead.paths import AnyPath
from vaead.recipe import Recipe


class Progress(Protocol):
    """Called in the course of a training."""

    def start(self, recipe: Recipe, what: str) -> None:
        """Training begins, of a path in the store or of photos in words."""

    def report(self, report: TrainingReport) -> None:
        """An epoch is over, or a part of the calibration."""

    def restart(self, attempt: int, attempts: int, reason: str) -> None:
        """A network has learned nothing, and is trained again."""

    def done(self, folder: AnyPath, card: ModelCard) -> None:
        """The model is stored."""

    def stop(self, error: BaseException) -> None:
        """Training has failed; the command prints the reason on standard error."""


class JsonProgress:
    """Events on standard output, one JSON object a line."""

    def start(self, recipe: Recipe, what: str) -> None:
        """See `Progress`."""
        _write(TrainingStarted(recipe.total_epochs, recipe.train.crops, what))

    def report(self, report: TrainingReport) -> None:
        """See `Progress`."""
        _write(report)

    def restart(self, attempt: int, attempts: int, reason: str) -> None:
        """See `Progress`."""
        _write(TrainingRestarted(attempt, attempts, reason))

    def done(self, folder: AnyPath, card: ModelCard) -> None:
        """See `Progress`."""
        _write(TrainingDone(card.training_s, str(folder), tuple(_warnings(card))))

    def stop(self, error: BaseException) -> None:
        """See `Progress`."""
        if isinstance(error, VaeadError):
            _write(TrainingFailed(str(error)))


class TextProgress:
    """A progress bar on standard error."""

    def __init__(self) -> None:
        self._shown = contextlib.ExitStack()

    def start(self, recipe: Recipe, what: str) -> None:
        """See `Progress`."""
        networks, epochs = len(recipe.networks), _count(recipe.train.epochs, "epoch")
        size = epochs if networks == 1 else f"{_count(networks, 'network')} of {epochs} each"
        click.echo(f"Training {what}: {_count(recipe.train.crops, 'crop')}, {size}", err=True)
        self._epochs = recipe.total_epochs
        self._show_bar()

    def _show_bar(self) -> None:
        bar = click.progressbar(length=self._epochs, label="epochs", file=sys.stderr)
        self._bar = self._shown.enter_context(bar)

    def report(self, report: TrainingReport) -> None:
        """See `Progress`."""
        if isinstance(report, EpochReport):
            self._bar.label = f"loss {report.loss:9.2f}"
            self._bar.update(1)
        elif isinstance(report, CalibrationReport):
            # Where nothing can be drawn over, each new label is a line.
            share = report.share if sys.stderr.isatty() else math.floor(10 * report.share) / 10
            self._bar.label = f"calibrating {share:4.0%}"
            self._bar.render_progress()

    def restart(self, attempt: int, attempts: int, reason: str) -> None:
        """See `Progress`."""
        self._shown.close()
        click.echo(f"{reason} (training {attempt} of {attempts})", err=True)
        self._show_bar()

    def done(self, folder: AnyPath, card: ModelCard) -> None:
        """See `Progress`."""
        self._shown.close()
        click.echo(f"Trained in {card.training_s:.1f} s", err=True)
        texts = Texts("en")
        for line in (*photo_kinds(card, texts), *defect_trials(card, texts)):
            click.echo(line, err=True)
        for warning in _warnings(card):
            click.echo(f"Warning: {warning}", err=True)
        click.echo(str(folder))

    def stop(self, _error: BaseException) -> None:
        """See `Progress`."""
        self._shown.close()


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _warnings(card: ModelCard) -> list[str]:
    return list(training_warnings(card.diagnostics, Texts("en")))


def _write(event: TrainingEvent) -> None:
    click.echo(write_event(event))  # which flushes
