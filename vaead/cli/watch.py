"""The command `watch`."""

from __future__ import annotations

import contextlib
import itertools
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import click

from vaead.cli import outputs
from vaead.cli.options import FALSE_ALARM_RATE, PathType, one_line
from vaead.cli.session import model_of
from vaead.data.photos import Photo, Rejected
from vaead.errors import InvalidInputError
from vaead.inference.arrivals import Arrival, ArrivalFolder
from vaead.inference.predict import LocatedModel, PredictSettings, predict_each
from vaead.inference.prediction import Prediction, Thresholds
from vaead.inference.score_log import ScoreLog, open_log
from vaead.model.model import Model
from vaead.paths import AnyPath

_NAP_S = 0.1
_LOOKS_ONCE = 3
"""Of --once: to see an image, to see that it stays as it is, and to try again what could not be read."""


@click.command()
@click.option(
    "--model",
    "model_folder",
    type=PathType(),
    required=True,
    help="A model's folder or URL, or a session with its model and its false-alarm rate.",
)
@click.option("--csv", type=PathType(dir_okay=False), required=True, help="Table to add to.")
@click.option(
    "--false-alarm-rate",
    type=float,
    help="Flag images by a threshold that this share of normal images passes.  "
    f"[default: that of a session, or {FALSE_ALARM_RATE}]",
)
@click.option(
    "--interval",
    type=click.FloatRange(0.05, 3600),
    default=1.0,
    show_default=True,
    help="Seconds between two looks into the folder. An image is read when it was the same in two looks.",
)
@click.option("--once", is_flag=True, help="Score what is there now, and end.")
@click.argument("folder", type=PathType())
def watch(
    model_folder: AnyPath,
    csv: AnyPath,
    false_alarm_rate: float | None,
    interval: float,
    once: bool,
    folder: AnyPath,
) -> None:
    """Score images as they arrive in FOLDER, and in the folders in it, until Ctrl-C.

    Each image is a line on standard output and in the table, which also says what is done: after a restart
    nothing is scored twice, but for a file that was written again. An image that cannot be read is tried
    again, and named on standard error if it stays so. If the folder vanishes, as network drives do, it is
    waited for. With --once, the exit code is 1 if an image could not be scored.
    """
    model_folder, rate = click.get_current_context().with_resource(model_of(model_folder))
    located = LocatedModel.load(model_folder)
    if false_alarm_rate is None:
        false_alarm_rate = FALSE_ALARM_RATE if rate is None else rate
    thresholds = Thresholds.from_rate(located.model.card.normal_scores, false_alarm_rate)
    folder, csv = _local("FOLDER", folder), _local("--csv", csv)
    if not folder.is_dir():
        raise InvalidInputError(f"FOLDER must be a folder, got {str(folder)!r}; check its name")
    outputs.require_own_files([], located.path, [], [csv])
    with open_log(csv) as log, outputs.lines(with_flags=True) as show, _stopped_by_signals() as stop:
        if log.was_damaged:
            click.echo(f"The last line of {str(csv)!r} was not whole; its image is scored again", err=True)
        click.echo(f"Watching {str(folder)!r}; {len(log.done)} images are done; Ctrl-C ends it", err=True)
        watcher = _Watcher(located.model, PredictSettings(thresholds), folder, log, show, stop)
        for look in itertools.count(1):
            watcher.look()
            if (once and (look == _LOOKS_ONCE or not watcher.unsettled)) or stop.wait(interval):
                break
    if once and not watcher.has_scored_all():
        click.get_current_context().exit(1)


class _Watcher:
    """Scores what has arrived at each look."""

    def __init__(
        self,
        model: Model,
        settings: PredictSettings,
        folder: Path,
        log: ScoreLog,
        show: outputs.Add,
        stop: _Stop,
    ) -> None:
        self._model = model
        self._settings = settings
        self._folder = folder
        self._log = log
        self._show = show
        self._stop = stop
        self._arrivals = ArrivalFolder(folder, log.done)
        self._is_away = False

    @property
    def unsettled(self) -> list[str]:
        """Images of which neither a score nor a reason has been told."""
        return self._arrivals.unsettled

    def look(self) -> None:
        """Score the images that are due."""
        try:
            due = self._arrivals.look()
        except OSError as error:
            if not self._is_away:
                reason = error.strerror or str(error)
                click.echo(f"Folder {str(self._folder)!r} is away ({reason}); waiting for it", err=True)
            self._is_away = True
            return
        if self._is_away:
            click.echo(f"Folder {str(self._folder)!r} is there again", err=True)
            self._is_away = False
        photos = [Photo(arrival.name, str(path), title=arrival.name) for arrival, path in due]
        found = predict_each(self._model, photos, self._settings)
        with contextlib.closing(found):
            for (arrival, _), each in zip(due, found, strict=True):
                self._take(arrival, each)
                if self._stop.asked:
                    return

    def _take(self, arrival: Arrival, found: Prediction | Rejected) -> None:
        if not self._arrivals.is_unchanged(arrival):  # what was read may be half of each
            return
        if isinstance(found, Rejected):
            if self._arrivals.failed(arrival):
                click.echo(f"Not scored: {one_line(found.reason)}", err=True)
            return
        self._log.add(arrival, found)
        self._arrivals.scored(arrival)
        self._show(found)

    def has_scored_all(self) -> bool:
        """Name the images that were not left alone; False if any image is not scored."""
        for name in self.unsettled:
            click.echo(f"Not scored: image {name!r} is still being written", err=True)
        return not self._is_away and not self._arrivals.waiting


def _local(argument: str, path: AnyPath) -> Path:
    if isinstance(path, Path):
        return path
    raise InvalidInputError(
        f"{argument} must be a path on this machine, got {str(path)!r}; mount it as a drive"
    )


class _Stop:
    """Whether a signal has asked for the end.

    No `threading.Event`: a signal that comes while its lock is held by this thread would wait for ever.
    """

    asked = False

    def ask(self, _number: int, _frame: FrameType | None) -> None:
        """Handle a signal."""
        self.asked = True

    def wait(self, seconds: float) -> bool:
        """Wait, but no longer than until the end is asked for; True if it is."""
        end = time.monotonic() + seconds
        while not self.asked and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _NAP_S))  # which goes on after a signal
        return self.asked


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[_Stop]:
    """What Ctrl-C and SIGTERM tell, so that the image at hand is still finished."""
    stop = _Stop()
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
