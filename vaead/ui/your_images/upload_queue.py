"""Uploads that wait to be read, so that a click on the page loses none of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass

from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.typing import UploadedFile

from vaead.errors import InvalidInputError

ROLES = ("normal", "test")


@dataclass
class Upload:
    """Images that are read one by one.

    Attributes:
        steps: Reads one image at each step.
        total: Number of images.
        role: One of `ROLES`, empty if no control of the page was used.
        done: Number of images read or rejected.
    """

    steps: Generator[None]
    total: int
    role: str = ""
    done: int = 0


@dataclass(frozen=True)
class Progress:
    """State of an upload after a step.

    Attributes:
        done: Number of images read or rejected.
        total: Number of images.
        ended: Whether it was the last step; only one run of the page sees it.
        problem: Reason why the rest is not read, None unless something went wrong.
    """

    done: int
    total: int
    ended: bool = False
    problem: InvalidInputError | OSError | None = None


class UploadQueue:
    """Uploads of one visitor, in the order in which they came.

    A click ends a run of the page wherever it is, and Streamlit may begin the next one in another thread
    before the first has noticed:

        run 1:  poll(a, b, c) begins  advance a  advance b  (notices the click)
        run 2:                           poll(a, b, c) finds nothing new  advance c  advance: ended

    So files and the rest of an upload are kept here and not in the run. One lock guards both: each file
    begins one upload, each image is read by one run, and one run sees the end.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: set[str] = set()
        self._uploads: list[Upload] = []
        self._counts = dict.fromkeys(ROLES, 0)

    def keys(self, role: str, kind: str) -> tuple[str, str]:
        """Keys of a control before and after the last upload.

        The control is new and empty after an upload. Files may still come to the one before, which is shown
        until the page is drawn anew.
        """
        count = self._counts[role]
        return f"own_{role}_{kind}_{count - 1}", f"own_{role}_{kind}_{count}"

    def poll(
        self, files: Sequence[UploadedFile], begin: Callable[[Sequence[UploadedFile]], Upload | None]
    ) -> bool:
        """Begin an upload of the files that no run of the page has seen before; False if there are none.

        Args:
            files: Files in a control.
            begin: Makes an upload of new files, or reads them at once and returns None.
        """
        with self._lock:
            fresh = [file for file in files if file.file_id not in self._seen]
            self._seen.update(file.file_id for file in fresh)
        if not fresh:
            return False
        upload = begin(fresh)
        if upload is not None:
            self.put(upload)
        _free(files)
        return True

    def put(self, upload: Upload) -> None:
        """Add an upload at the end."""
        with self._lock:
            self._uploads.append(upload)

    def state(self) -> Progress | None:
        """The upload of which the next image is read; None if there is none."""
        # Without the lock, which is held while an image is read.
        upload = next(iter(self._uploads), None)
        return None if upload is None else Progress(upload.done, upload.total)

    def advance(self) -> Progress | None:
        """Read the next image; None if there is no upload."""
        with self._lock:
            if not self._uploads:
                return None
            upload = self._uploads[0]
            try:
                next(upload.steps)
            except StopIteration:
                return self._end(upload)
            except (InvalidInputError, OSError) as error:
                return self._end(upload, error)
            upload.done += 1
            return Progress(upload.done, upload.total)

    def clear(self) -> None:
        """Forget all uploads and empty the controls."""
        with self._lock:
            for upload in self._uploads:
                upload.steps.close()
            self._uploads.clear()
            for role in self._counts:
                self._counts[role] += 1

    def _end(self, upload: Upload, problem: InvalidInputError | OSError | None = None) -> Progress:
        self._uploads.remove(upload)
        if upload.role:
            self._counts[upload.role] += 1
        return Progress(upload.done, upload.total, ended=True, problem=problem)


def _free(files: Iterable[UploadedFile]) -> None:
    """Free the memory of files that are kept elsewhere now, as Streamlit does when a visitor removes them."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        for file in files:
            context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
