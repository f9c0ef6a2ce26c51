"""A table to which one line an image is added, and which survives power cuts and tells what is done."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from filelock import BaseFileLock, FileLock, Timeout

from vaead.errors import InvalidInputError
from vaead.inference.arrivals import Arrival
from vaead.inference.map_files import writes
from vaead.inference.prediction import Prediction
from vaead.inference.tables import csv_line, from_csv, to_csv
from vaead.scoring.loss_terms import SCORES

COLUMNS = ("time", "image", *SCORES, "flagged", "size_bytes", "modified")
"""The last two and the image say which file it was; `flagged` is the decision of the main score, 1 or 0."""

_OPTION = "--csv"
_TITLES = to_csv([COLUMNS])


class ScoreLog:
    """The open table.

    Attributes:
        done: Images that it holds.
        was_damaged: True if its last line was not whole and has been cut off.
    """

    def __init__(self, file: Path, stream: BinaryIO, content: bytes) -> None:
        """Take over what the file holds; see `open_log`."""
        self._file = file
        self._stream = stream
        self.done, whole = _read(content, file)
        self.was_damaged = whole < len(content)
        with writes(_OPTION, file):
            stream.truncate(whole)
            if whole == 0:
                self._append(_TITLES)

    def add(self, arrival: Arrival, prediction: Prediction) -> None:
        """Add an image; its line is on the disk afterwards.

        Raises:
            InvalidInputError: It cannot be written.
        """
        time = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        scores = [prediction.scores.get(name, "") for name in SCORES]
        flagged = int(prediction.flagged[prediction.main_score])
        with writes(_OPTION, self._file):
            row = [time, arrival.name, *scores, flagged, arrival.size_bytes, arrival.modified]
            self._append(csv_line(row))

    def _append(self, line: str) -> None:
        self._stream.write(line.encode())
        self._stream.flush()
        os.fsync(self._stream.fileno())


@contextmanager
def open_log(file: Path) -> Iterator[ScoreLog]:
    """Open a table, or make it; nobody else can add to it meanwhile.

    Raises:
        InvalidInputError: It is another table, another program adds to it, or it cannot be written.
    """
    lock = _locked(file)
    try:
        with writes(_OPTION, file):
            content = file.read_bytes() if file.exists() else b""
            stream = file.open("ab")
        with stream:
            yield ScoreLog(file, stream, content)
    finally:
        lock.release()


def _locked(file: Path) -> BaseFileLock:
    """Lock a hidden file beside a table, which stays there, since another program may wait for it."""
    lock = FileLock(file.with_name(f".{file.name}.lock"))
    with writes(_OPTION, file):
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise InvalidInputError(
                f"{_OPTION} must be written by one watcher at a time, got {str(file)!r}, which another one "
                "writes; name another file"
            ) from error
        except NotImplementedError as error:
            raise InvalidInputError(
                f"{_OPTION} must lie on a drive on which files can be locked, got {str(file)!r}; name a file "
                "on this machine"
            ) from error
    return lock


def _read(content: bytes, file: Path) -> tuple[list[Arrival], int]:
    """The images in a table, and the number of bytes up to the end of its last whole line."""
    titles, *lines = content.split(b"\n")
    if not lines and _TITLES.encode().startswith(content):  # new, or the power went as it was made
        return [], 0
    if titles.rstrip(b"\r") != _TITLES.encode().rstrip(b"\n") or not lines:
        raise InvalidInputError(
            f"{_OPTION} must be a new file or a table of watch, with the columns {', '.join(COLUMNS)}, got "
            f"others in {str(file)!r}; name another file"
        )
    done, whole = [], len(titles) + 1
    lines.pop()  # nothing, or what a power cut has left of a line
    for number, line in enumerate(lines, 2):
        try:
            (row,) = from_csv(_TITLES + line.decode())
            done.append(Arrival(row["image"], int(row["size_bytes"]), row["modified"]))
        except (ValueError, csv.Error) as error:
            if number == len(lines) + 1:
                break
            raise InvalidInputError(
                f"{_OPTION} must hold rows of watch alone, got another one in line {number} of {str(file)!r}"
                "; mend that line, or name another file"
            ) from error
        whole += len(line) + 1
    return done, whole
