"""Folders that are written whole."""

from __future__ import annotations

import contextlib
import errno
import itertools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from vaead.paths import AnyPath, UrlPath

UNFINISHED = ".unfinished-"
"""What names of folders begin with that are not finished, or on their way out."""


def write_folder(folder: AnyPath, files: dict[str, bytes], is_old: Callable[[str], bool]) -> None:
    """Replace a folder. On this machine it appears whole or not at all.

    At a URL nothing can be renamed in one step, so files are written one by one. The last one is the sign
    that all others are there: it is removed first and written last.

    Args:
        folder: Where.
        files: Content by name.
        is_old: Tells of a name whether such a file of an older folder is removed at a URL; on this machine
            the whole folder is.

    Raises:
        OSError: The place cannot be written.
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
