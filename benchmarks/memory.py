"""Memory of a process and of all that it has started."""

from __future__ import annotations

import threading

import psutil

_PAUSE_S = 0.2


class PeakMemory:
    """Looks at the memory of processes until it is stopped; what they share counts for each."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._peak_bytes = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def stop(self) -> int:
        """The largest sum in bytes that was seen."""
        self._stopped.set()
        self._thread.join()
        return self._peak_bytes

    def _look(self) -> None:
        while not self._stopped.wait(_PAUSE_S):
            total = 0
            try:
                everyone = [self._process, *self._process.children(recursive=True)]
            except psutil.NoSuchProcess:
                continue
            for process in everyone:
                try:
                    total += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self._peak_bytes = max(self._peak_bytes, total)
