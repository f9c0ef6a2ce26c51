"""Local paths and fsspec URLs behind one set of methods, and writes that nobody sees half done.

A path stays a `Path`. A URL becomes a `UrlPath`, which has those methods of `Path` that vaead needs. Only
URLs go through fsspec, which would read '::' in the name of a local file as a chain of file systems.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

UNFINISHED = ".unfinished-"
"""Prefix of temporary folders: being written, or about to be deleted."""
_WITH_FOLDERS = frozenset({"file", "ftp", "hdfs", "memory", "sftp", "smb", "webhdfs"})
"""File systems in which a folder must be there before its files. Object stores have none, and to ask for one
there would make a bucket of every mistyped name."""

_TEXT: dict[str, Any] = {"encoding": "utf-8", "errors": "backslashreplace", "newline": ""}
"""Options of text files. Not every name of a file is valid text, hence backslashes."""


def is_url(path: object) -> bool:
    """Tell a URL from a path on this machine.

    >>> is_url("s3://bucket/a.png"), is_url("photos/a::b.png")
    (True, False)
    """
    return isinstance(path, str) and "://" in path


@dataclass(frozen=True)
class UrlPath:
    """A file or a folder at a URL, with methods of `Path`; the only error they raise is OSError.

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
        """True if it is a file; unlike with `Path`, a URL that cannot be reached is an error."""
        with _os_errors():
            filesystem, path = self._found()
            # Some file systems cache their listings, and others may have written since.
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
        """Open a new text file for writing. On an object store it appears once it is closed."""
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
        import fsspec.core  # slow to import, and most paths are local

        filesystem, path = fsspec.core.url_to_fs(self.url)
        return filesystem, str(path)


AnyPath = Path | UrlPath
"""A file or a folder, local or at a URL."""


def to_path(path: str | Path | UrlPath) -> AnyPath:
    """`UrlPath` of a URL, `Path` of anything else."""
    if isinstance(path, UrlPath):
        return path
    return UrlPath(str(path)) if is_url(path) else Path(path)


def absolute(path: AnyPath) -> AnyPath:
    """The same path for a process that runs in another folder."""
    return path.absolute() if isinstance(path, Path) else path


def identity(path: AnyPath) -> str:
    """Canonical name: two names of one file have the same."""
    return path.identity() if isinstance(path, UrlPath) else os.path.realpath(path)


def write_whole(path: AnyPath, content: bytes) -> None:
    """Write a file atomically; to write the same file twice at a time does no harm.

    Raises:
        OSError: The path cannot be written.
    """
    if isinstance(path, UrlPath):
        path.write_bytes(content)  # object stores show a file once it is whole
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{uuid.uuid4().hex}.unfinished")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def open_text(path: AnyPath) -> IO[str]:
    """Open a new text file; on this machine each line is written at once.

    Raises:
        OSError: The path cannot be written.
    """
    if isinstance(path, UrlPath):
        return path.open_text()
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("w", buffering=1, **_TEXT)


def require_writable(folder: AnyPath) -> None:
    """Create a folder, if it is missing, and check that files can be written there.

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


def write_folder(folder: AnyPath, files: dict[str, bytes], is_old: Callable[[str], bool]) -> None:
    """Replace a folder; on this machine in one step.

    At a URL, where nothing can be renamed in one step, files are written one by one. The last file marks the
    folder as complete: it is removed first and written last.

    Args:
        folder: Path of the folder.
        files: Content by name.
        is_old: True for the names that are removed from an older folder at a URL; a local folder is
            removed as a whole.

    Raises:
        OSError: The folder cannot be written.
    """
    if isinstance(folder, UrlPath):
        _upload(folder, files, is_old)
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=folder.parent))
    try:
        for name, content in files.items():
            (unfinished / name).write_bytes(content)
        unfinished.chmod(0o755)  # mkdtemp makes folders private
        _replace(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _upload(folder: UrlPath, files: dict[str, bytes], is_old: Callable[[str], bool]) -> None:
    sign = list(files)[-1]
    (folder / sign).unlink()
    for name in folder.files():
        if name not in files and is_old(name):
            (folder / name).unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _replace(new: Path, folder: Path) -> None:
    # A folder that is not empty cannot be replaced in one step, so the old one is moved away first. If
    # another process has put its own there in between, that one is moved away too.
    with tempfile.TemporaryDirectory(
        prefix=UNFINISHED, dir=folder.parent, ignore_cleanup_errors=True
    ) as away:
        for attempt in itertools.count():
            old = Path(away, str(attempt))
            with contextlib.suppress(FileNotFoundError):
                folder.replace(old)
            try:
                new.replace(folder)
                return
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    if old.exists():
                        old.replace(folder)
                    raise


def _make_parent(filesystem: Any, path: str) -> None:
    protocols = filesystem.protocol
    if not _WITH_FOLDERS.isdisjoint((protocols,) if isinstance(protocols, str) else protocols):
        filesystem.makedirs(path.rpartition("/")[0] or "/", exist_ok=True)


@contextlib.contextmanager
def _os_errors() -> Iterator[None]:
    """Turn the own errors of fsspec's file systems into OSError."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(str(error) or type(error).__name__) from error
