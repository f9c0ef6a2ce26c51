"""Folder on the server's disk for one visitor, deleted when the visitor has left."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from vaead.processes.temporary import temporary_folder

_LEFT_S = 60.0
"""After a browser has been away for so long, nothing more is computed for it."""
_ABSENT_S = 180.0
"""Streamlit keeps a session for 120 s after its browser has left, in case it comes back."""
_POLL_S = 15.0


class PrivateFolder:
    """A folder that only this process may read.

    It is removed by `close`, when nobody holds this object any more, or when the server ends.

    Attributes:
        path: The folder.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(dir=temporary_folder().path))
        self._before: list[Callable[[], None]] = []
        self._finalizer = weakref.finalize(self, _remove, self.path, self._before)

    def before_removal(self, action: Callable[[], None]) -> None:
        """Call a function first, or when the visitor is away; it must not hold this object."""
        self._before.append(action)

    def leave(self) -> None:
        """End what is done for the visitor; the folder stays."""
        while self._before:
            self._before.pop()()

    def close(self) -> None:
        """Remove the folder and all that is in it, once."""
        self._finalizer()


def _remove(path: Path, before: list[Callable[[], None]]) -> None:
    while before:
        before.pop()()
    shutil.rmtree(path, ignore_errors=True)


class FolderWatch:
    """Ends what is done for sessions whose browsers have left, and closes their folders later.

    Streamlit forgets such a session without a word, and its memory is freed whenever Python gets to it.
    """

    def __init__(
        self, is_active: Callable[[str], bool], absent_s: float = _ABSENT_S, left_s: float = _LEFT_S
    ) -> None:
        self._is_active = is_active
        self._absent_s, self._left_s = absent_s, left_s
        self._lock = threading.Lock()
        self._folders: weakref.WeakValueDictionary[str, PrivateFolder] = weakref.WeakValueDictionary()
        self._last_seen: dict[str, float] = {}

    def add(self, session_id: str, folder: PrivateFolder) -> None:
        """Watch the folder of a session."""
        with self._lock:
            self._folders[session_id] = folder
            self._last_seen[session_id] = time.monotonic()

    def sweep(self) -> None:
        """Look after the sessions that have been absent for long enough."""
        now = time.monotonic()
        with self._lock:
            for session_id in list(self._last_seen):
                folder = self._folders.get(session_id)
                if folder is None:
                    del self._last_seen[session_id]
                elif self._is_active(session_id):
                    self._last_seen[session_id] = now
                elif now - self._last_seen[session_id] >= self._absent_s:
                    folder.close()
                    del self._last_seen[session_id]
                elif now - self._last_seen[session_id] >= self._left_s:
                    folder.leave()


def make_folder() -> PrivateFolder:
    """A folder for the visitor of this page."""
    folder = PrivateFolder()
    context = get_script_run_ctx()
    if context is not None and runtime.exists():
        _watch().add(context.session_id, folder)
    return folder


@st.cache_resource(show_spinner=False)
def _watch() -> FolderWatch:
    watch = FolderWatch(runtime.get_instance().is_active_session)
    threading.Thread(target=_sweep_forever, args=(watch,), name="vaead-folders", daemon=True).start()
    return watch


def _sweep_forever(watch: FolderWatch) -> None:
    while True:
        time.sleep(_POLL_S)
        watch.sweep()
