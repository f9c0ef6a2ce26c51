"""Files and folders on this machine, or at a URL that fsspec knows, behind the same few methods.

A path stays a `Path`. A URL becomes a `UrlPath`, which has those methods of `Path` that vaead needs, so that
whoever reads or writes does not ask which of the two it has. Only URLs go through fsspec: it would read '::'
in the name of a local file as a chain of file systems.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

_WITH_FOLDERS = frozenset({"file", "ftp", "hdfs", "memory", "sftp", "smb", "webhdfs"})
"""File systems in which a folder must be there before its files. Object stores have none, and to ask for one
there would make a bucket of every mistyped name."""

_TEXT: dict[str, Any] = {"encoding": "utf-8", "errors": "backslashreplace", "newline": ""}
"""Not all names of files are text."""


def is_url(place: object) -> bool:
    """Tell a URL from a path on this machine.

    >>> is_url("s3://bucket/a.png"), is_url("photos/a::b.png")
    (True, False)
    """
    return isinstance(place, str) and "://" in place


@dataclass(frozen=True)
class UrlPath:
    """A file or a folder at a URL. Its methods do what those of `Path` do, and raise OSError alone.

    >>> str(UrlPath("s3://bucket/models/") / "mnist/1" / "card.json")
    's3://bucket/models/mnist/1/card.json'
    """

    url: str

    def __str__(self) -> str:
        return self.url

    def __truediv__(self, name: str | PurePosixPath) -> UrlPath:
        relative = PurePosixPath(name)
        return UrlPath(f"{self.url.rstrip('/')}/{relative}") if relative.parts else self

    @property
    def name(self) -> str:
        """The last part."""
        return self.url.rstrip("/").rpartition("/")[2]

    @property
    def parent(self) -> UrlPath:
        """The folder it is in."""
        return UrlPath(self.url.rstrip("/").rpartition("/")[0])

    def is_file(self) -> bool:
        """Whether a file is there; unlike `Path`, a place that cannot be reached is an error."""
        with _os_errors():
            filesystem, path = self._found()
            # Some keep what they were told before, and others may have written since.
            filesystem.invalidate_cache()
            try:
                return bool(filesystem.info(path)["type"] == "file")
            except (FileNotFoundError, NotADirectoryError):
                return False

    def read_bytes(self) -> bytes:
        """The whole file."""
        with _os_errors():
            filesystem, path = self._found()
            return bytes(filesystem.cat_file(path))

    def read_text(self, encoding: str = "utf-8") -> str:
        """The whole file as text."""
        return self.read_bytes().decode(encoding)

    def write_bytes(self, content: bytes) -> None:
        """Replace the whole file."""
        with _os_errors():
            filesystem, path = self._found()
            _make_parent(filesystem, path)
            filesystem.pipe_file(path, content)

    def open_text(self) -> IO[str]:
        """Open a new text file for writing. On an object store it is there once it is closed."""
        with _os_errors():
            filesystem, path = self._found()
            _make_parent(filesystem, path)
            stream: IO[str] = filesystem.open(path, "w", **_TEXT)
            return stream

    def unlink(self) -> None:
        """Remove the file, if it is there."""
        with _os_errors(), contextlib.suppress(FileNotFoundError):
            filesystem, path = self._found()
            filesystem.rm_file(path)

    def files(self) -> list[str]:
        """Names of all files below, relative, sorted; none if there is no such folder."""
        with _os_errors():
            filesystem, path = self._found()
            filesystem.invalidate_cache()
            prefix = path.rstrip("/") + "/"
            found = (str(file) for file in filesystem.find(path))
            return sorted(file.removeprefix(prefix) for file in found if file.startswith(prefix))

    def identity(self) -> str:
        """See `identity`."""
        with _os_errors():
            filesystem, path = self._found()
        protocols = filesystem.protocol
        protocol = protocols if isinstance(protocols, str) else protocols[0]
        return os.path.realpath(path) if protocol == "file" else f"{protocol}://{path.rstrip('/')}"

    def _found(self) -> tuple[Any, str]:
        import fsspec.core  # which takes a moment, and most places are paths

        filesystem, path = fsspec.core.url_to_fs(self.url)
        return filesystem, str(path)


AnyPath = Path | UrlPath
"""Where a file or a folder is."""


def to_path(place: str | Path | UrlPath) -> AnyPath:
    """A URL or a path as what can be read and written."""
    if isinstance(place, UrlPath):
        return place
    return UrlPath(str(place)) if is_url(place) else Path(place)


def absolute(place: AnyPath) -> AnyPath:
    """The same place for a process that runs in another folder."""
    return place.absolute() if isinstance(place, Path) else place


def identity(place: AnyPath) -> str:
    """A text that two names of one file share."""
    return place.identity() if isinstance(place, UrlPath) else os.path.realpath(place)


def write_whole(place: AnyPath, content: bytes) -> None:
    """Write a file so that nobody ever sees a part of it, and that to write it twice does no harm.

    Raises:
        OSError: The place cannot be written.
    """
    if isinstance(place, UrlPath):
        place.write_bytes(content)  # object stores show a file once it is whole
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_name(f".{uuid.uuid4().hex}.unfinished")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(place)
    finally:
        unfinished.unlink(missing_ok=True)


def open_text(place: AnyPath) -> IO[str]:
    """Open a new text file, whose lines are written one by one where that is possible.

    Raises:
        OSError: The place cannot be written.
    """
    if isinstance(place, UrlPath):
        return place.open_text()
    place.parent.mkdir(parents=True, exist_ok=True)
    return place.open("w", buffering=1, **_TEXT)


def require_writable(folder: AnyPath) -> None:
    """Find out before the work whether its results can be written; makes a folder that is not there.

    Raises:
        OSError: They cannot.
    """
    if isinstance(folder, Path):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return
    probe = folder / f".{uuid.uuid4().hex}.unfinished"
    probe.write_bytes(b"")
    with contextlib.suppress(OSError):  # some may write but not remove
        probe.unlink()


def _make_parent(filesystem: Any, path: str) -> None:
    protocols = filesystem.protocol
    if not _WITH_FOLDERS.isdisjoint((protocols,) if isinstance(protocols, str) else protocols):
        filesystem.makedirs(path.rpartition("/")[0] or "/", exist_ok=True)


@contextlib.contextmanager
def _os_errors() -> Iterator[None]:
    """Every file system of fsspec has errors of its own; make them OSError."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(str(error) or type(error).__name__) from error
