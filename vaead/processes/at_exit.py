"""Actions when the program ends, before Python waits for its threads.

`atexit` comes after that: a thread that waits for another process would keep the program alive until then.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import time
from collections.abc import Callable
from functools import cache
from weakref import WeakMethod

_actions: list[WeakMethod[Callable[[], None]]] = []
_most_s: list[float] = []
_done = threading.Event()
_LONGEST_S = 10.0
"""For all actions."""


def before_exit(action: Callable[[], None]) -> None:
    """Call a method when the main thread has ended, unless its object is gone by then."""
    _actions.append(WeakMethod(action))
    _watch()


def end_within(most_s: float) -> None:
    """End the program at the latest so long after its main thread, whatever its other threads do."""
    _most_s.append(most_s)
    _watch()


@cache
def _watch() -> None:
    threading.Thread(target=_end, name="vaead-exit", daemon=True).start()
    atexit.register(_done.wait, _LONGEST_S)  # a daemon thread ends with the program, wherever it is


def clean_up() -> None:
    """Do all actions, each once, for a program that a signal will end before its threads come to it.

    Two threads may do so at once, and share the actions out among them.
    """
    with contextlib.suppress(IndexError):
        while True:
            action = _actions.pop(0)()
            with contextlib.suppress(Exception):  # the others come all the same
                if action is not None:
                    action()


def _end() -> None:
    threading.main_thread().join()
    start_s = time.monotonic()
    clean_up()
    _done.set()
    if _most_s:
        time.sleep(max(0.0, min(_most_s) - (time.monotonic() - start_s)))
        os._exit(0)
