"""A folder in which images arrive, as a camera writes them: which are whole, and not scored yet.

Polling, because network drives tell nobody what happens in them. Time is counted in looks, so whoever looks
decides how long an image must be left alone.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from vaead.data.photos.names import is_image_name, is_system_file, natural_key, printable

_LONGEST_PAUSE = 64
"""Looks between two trials of an image that cannot be read."""
_TELL_AT = 2
"""Failed trials after which it is told; one may have met a writer that had paused."""


class Arrival(NamedTuple):
    """A file at one moment: it is another one if it was written again.

    Attributes:
        name: Path relative to the folder, with forward slashes, fit to print.
        size_bytes: Its size.
        modified: When it was last written, in UTC, ISO 8601 with microseconds.
    """

    name: str
    size_bytes: int
    modified: str


@dataclass
class _Waiting:
    """A file that is not scored yet.

    Attributes:
        arrival: As it was at the last look.
        path: Where it lies.
        failures: Trials that failed.
        pause: Looks until the next trial.
    """

    arrival: Arrival
    path: Path
    failures: int = 0
    pause: int = 0


class ArrivalFolder:
    """Tells at each look which images may be scored: those that have not changed since the look before."""

    def __init__(self, folder: Path, done: Iterable[Arrival]) -> None:
        self._folder = folder
        self._done = set(done)
        self._waiting: dict[str, _Waiting] = {}

    @property
    def waiting(self) -> list[str]:
        """Names of the images that are not scored."""
        return list(self._waiting)

    @property
    def unsettled(self) -> list[str]:
        """Names of those of them that have not been told to be broken."""
        return [name for name, each in self._waiting.items() if each.failures < _TELL_AT]

    def look(self) -> list[tuple[Arrival, Path]]:
        """The images to score now, the oldest first.

        Raises:
            OSError: The folder cannot be listed.
        """
        found = list(_images(self._folder))
        before, self._waiting, due = self._waiting, {}, []
        for arrival, path in found:
            if arrival in self._done:
                continue
            known = before.get(arrival.name)
            is_same = known is not None and known.arrival == arrival
            waiting = known if known is not None and is_same else _Waiting(arrival, path)
            self._waiting[arrival.name] = waiting
            if is_same and waiting.pause == 0:
                due.append((arrival, path))
            elif is_same:
                waiting.pause -= 1
        return sorted(due, key=lambda each: (each[0].modified, natural_key(each[0].name)))

    def is_unchanged(self, arrival: Arrival) -> bool:
        """True if a file is still what it was at the last look, so that what was read of it counts."""
        waiting = self._waiting[arrival.name]
        return _arrival(waiting.path, arrival.name) == arrival

    def scored(self, arrival: Arrival) -> None:
        """An image is done."""
        self._done.add(arrival)
        del self._waiting[arrival.name]

    def failed(self, arrival: Arrival) -> bool:
        """An image cannot be read and is tried again, ever more seldom; True if this is to be told now."""
        waiting = self._waiting[arrival.name]
        waiting.failures += 1
        waiting.pause = min(2 ** (waiting.failures - 1), _LONGEST_PAUSE) - 1
        return waiting.failures == _TELL_AT


def _images(folder: Path) -> Iterator[tuple[Arrival, Path]]:
    os.scandir(folder).close()  # `walk` passes over what it cannot list
    for place, _, files in os.walk(folder):
        for file in files:
            path = Path(place, file)
            name = path.relative_to(folder).as_posix()
            if is_image_name(name) and not is_system_file(name):
                arrival = _arrival(path, printable(name))
                if arrival is not None:
                    yield arrival, path


def _arrival(path: Path, name: str) -> Arrival | None:
    """The file as it is now; None if there is no ordinary file."""
    try:
        found = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return Arrival(name, found.st_size, _time(found.st_mtime_ns))


def _time(time_ns: int) -> str:
    seconds, rest_ns = divmod(time_ns, 10**9)
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns // 1000:06}Z"
    except (ValueError, OverflowError, OSError):  # a broken clock can be centuries off
        return f"{time_ns}ns"
