"""The folder for temporary files of this process and its children.

A process that is killed cannot remove its folder, so the next one does: a lock in each folder shows whether
it is still in use, as the system releases it with the process.
"""

from __future__ import annotations

import atexit
import contextlib
import shutil
import tempfile
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from vaead.processes.at_exit import before_exit

_PREFIX = "vaead-server-"
_LOCK = ".lock"


class TemporaryFolder:
    """A folder that only this user may read, removed when the program ends.

    Attributes:
        path: The folder.
    """

    def __init__(self) -> None:
        made = Path(tempfile.mkdtemp(prefix="new-vaead-"))
        self._lock = FileLock(made / _LOCK)
        self._lock.acquire()
        # Only now has it the name by which other processes find it.
        self.path = made.rename(made.with_name(made.name.replace("new-vaead-", _PREFIX)))
        before_exit(self.remove)
        atexit.register(self.remove)  # once more, for what other threads have written meanwhile

    def remove(self) -> None:
        """Remove the folder and all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)


@cache
def temporary_folder() -> TemporaryFolder:
    """The folder of this process; those of processes that were killed are removed."""
    folder = TemporaryFolder()
    remove_left_over(folder.path.parent)
    return folder


def remove_left_over(parent: Path) -> None:
    """Remove the folders of processes that are gone."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError, Timeout):  # of another user, or in use
            if (folder / _LOCK).is_file():
                with FileLock(folder / _LOCK, timeout=0):
                    shutil.rmtree(folder, ignore_errors=True)
