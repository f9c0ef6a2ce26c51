"""A folder in which images arrive, as a camera writes them: which are whole, and not scored yet.

Polling, because network drives tell nobody what happens in them. Time is counted in looks, so whoever looks
decides how long an image must be left alone.
"""

from __future__ import annotations

import contextlib
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
        self._passed: dict[str, tuple[int, int]] = {}

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
        found = list(self._images())
        before, self._waiting, due = self._waiting, {}, []
        for arrival, path in found:
            waiting = before.get(arrival.name)
            if waiting is None or waiting.arrival != arrival:
                self._waiting[arrival.name] = _Waiting(arrival, path)
                continue
            self._waiting[arrival.name] = waiting
            if waiting.pause:
                waiting.pause -= 1
            else:
                due.append((arrival, path))
        return sorted(due, key=lambda each: (each[0].modified, natural_key(each[0].name)))

    def is_unchanged(self, arrival: Arrival) -> bool:
        """True if a file is still what it was at the last look, so that what was read of it counts."""
        try:
            found = self._waiting[arrival.name].path.stat()
        except OSError:
            return False
        return _arrival(arrival.name, found) == arrival

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

    def _images(self) -> Iterator[tuple[Arrival, Path]]:
        """Images that are not done. What is passed over is so at once at the next look: there may be many."""
        for entry in _files(str(self._folder)):
            try:
                # What a folder of Windows tells of its files may be older than the files.
                found = os.stat(entry.path)  # noqa: PTH116 - many, and fast
            except OSError:  # gone, or a link to nowhere
                continue
            state = found.st_size, found.st_mtime_ns
            if self._passed.get(entry.path) == state:
                continue
            path = Path(entry.path)
            name = path.relative_to(self._folder).as_posix()
            arrival = _arrival(printable(name), found)
            is_image = is_image_name(name) and not is_system_file(name) and stat.S_ISREG(found.st_mode)
            if is_image and arrival not in self._done:
                yield arrival, path
            else:
                self._passed[entry.path] = state


def _files(folder: str) -> Iterator[os.DirEntry[str]]:
    """All files in a folder and in the folders in it, of which some may not be listed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    yield from _files(entry.path)
            else:
                yield entry


def _arrival(name: str, found: os.stat_result) -> Arrival:
    seconds, rest_ns = divmod(found.st_mtime_ns, 10**9)
    try:
        modified = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns // 1000:06}Z"
    except (ValueError, OverflowError, OSError):  # a broken clock can be centuries off
        modified = f"{found.st_mtime_ns}ns"
    return Arrival(name, found.st_size, modified)
