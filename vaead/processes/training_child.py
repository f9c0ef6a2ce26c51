"""The child process of a training: started, read, and ended with all that it has started itself."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from typing import IO

from vaead.processes.temporary import temporary_folder

GRACE_S = 3.0
"""From the polite signal, or the last event, until a child is killed."""
DRAIN_S = 1.0
"""How long the pipes of a dead child may still deliver."""
_POLL_S = 0.05
_NICENESS = 15


def run_child(
    command: list[str],
    on_line: Callable[[str], object],
    ended: threading.Event,
    is_cancelled: Callable[[], bool],
) -> str:
    """Run a child until it is gone.

    Args:
        command: Its command line.
        on_line: Called with each line that it prints.
        ended: Set when nothing more is expected of it; it has a moment then to end by itself.
        is_cancelled: Whether it is asked to end, once `ended` is set.

    Returns:
        Why it has failed, which counts if nothing else has ended it.

    Raises:
        OSError: It cannot be started.
    """
    folder = str(temporary_folder().path)  # a killed child leaves its own files
    env = os.environ | {"PYTHONUNBUFFERED": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "TMPDIR": folder}
    # The child and all it starts are one group, which can be stopped as a whole. They stay in the session of
    # the server: Linux compares priorities within a session alone.
    child = Popen(
        command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, errors="replace", env=env, process_group=0
    )
    _lower_priority(child)
    stderr_tail: deque[str] = deque(maxlen=20)
    stdout = start_thread(_read_lines, child.stdout, on_line)
    stderr = start_thread(_read_lines, child.stderr, stderr_tail.append)
    _await_end(child, ended, is_cancelled)
    stdout.join(DRAIN_S)
    stderr.join(DRAIN_S)
    return _unexpected_end(child.returncode, stderr_tail.copy())


def _lower_priority(child: Popen[str]) -> None:
    """Let the pages go first, which wait for milliseconds of the processor where a training takes minutes."""
    with contextlib.suppress(OSError, AttributeError):  # it has ended, or the system knows no priorities
        os.setpriority(os.PRIO_PGRP, child.pid, _NICENESS)


def start_thread(target: Callable[..., None], *args: object) -> threading.Thread:
    """Start a thread that does not keep the process alive."""
    thread = threading.Thread(target=target, args=args, name="vaead-training", daemon=True)
    thread.start()
    return thread


def _read_lines(stream: IO[str], consume: Callable[[str], object]) -> None:
    with stream:
        for line in stream:
            consume(line)


def _await_end(child: Popen[str], ended: threading.Event, is_cancelled: Callable[[], bool]) -> None:
    """Wait until the child has died; once `ended` is set, it has GRACE_S left to do so by itself."""
    while child.poll() is None and not ended.wait(_POLL_S):
        pass
    if ended.is_set() and is_cancelled():
        _signal_group(child, kill=False)
    with contextlib.suppress(TimeoutExpired):
        child.wait(GRACE_S)
    _signal_group(child, kill=True)  # also what the child may have started and left
    child.wait()


def _signal_group(child: Popen[str], *, kill: bool) -> None:
    if sys.platform == "win32":
        child.kill()
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left in the group
            os.killpg(child.pid, signal.SIGKILL if kill else signal.SIGTERM)


def _unexpected_end(code: int, stderr_tail: deque[str]) -> str:
    cause = {number.value: number.name for number in signal.Signals}.get(-code, f"exit code {code}")
    message = f"training stopped unexpectedly ({cause}); start it again, with fewer crops if memory is short"
    lines = [line.strip() for line in stderr_tail if line.strip()]
    # Who is killed has no time to write why, so the last line would mislead.
    return f"{message}. Its last words: {lines[-1][:300]}" if lines and cause != "SIGKILL" else message
