"""A few processes for work that strangers bring: limited in time, memory and files, replaced if they end.

The program of a process calls `serve`. Requests and answers are bytes, so a process can hand over no code.
"""

from __future__ import annotations

import contextlib
import os
import struct
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO, Literal

from vaead.errors import VaeadError
from vaead.processes.at_exit import before_exit

_LENGTH = struct.Struct("<Q")
"""Before each request and answer: its number of bytes."""
_MOST_ANSWER_BYTES = 2**30
_MOST_MEMORY_BYTES = 3_000_000_000
"""Address space of a process; NumPy, Pillow and LiteRT take half of it for the largest photos."""
_MOST_FILES = 64
_NICENESS = 10
"""Pages are drawn first."""
_POLL_S = 0.5
_ROOT = Path(__file__).parents[2]
"""From where Python finds vaead, installed or not."""


class ProcessLostError(VaeadError):
    """A process has ended instead of giving an answer.

    Attributes:
        cause: "time" if it took too long, "end" if it ended by itself or was killed, "closed" if the
            program ends.
    """

    def __init__(self, cause: Literal["time", "end", "closed"]) -> None:
        super().__init__(f"a process must answer, got none ({cause}); try again")
        self.cause = cause


class LimitedProcesses:
    """Processes that answer requests of any number of threads, which wait in the order in which they came.

    A process is started when it is first needed. A thread that asks for one thing at a time cannot keep
    others waiting for longer than one of its requests takes.
    """

    def __init__(self, command: Sequence[str], count: int, most_s: float) -> None:
        """Choose the processes; none is started yet.

        Args:
            command: Starts a program that calls `serve`.
            count: Number of processes.
            most_s: Time for one request, after which the process is killed.
        """
        self._command = list(command)
        self._most_s = most_s
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False
        # The process used last goes first, which is warm; None stands for one to be started.
        self._idle: list[subprocess.Popen[bytes] | None] = [None] * count
        self._waiting: deque[Future[subprocess.Popen[bytes] | None]] = deque()
        before_exit(self.close)

    def call(self, request: bytes) -> bytes:
        """Wait for an idle process, and for its answer.

        Raises:
            ProcessLostError: There is no answer.
            OSError: No process can be started.
        """
        child = self._take()
        try:
            if child is None or child.poll() is not None:
                child = self._start()
            answer = self._ask(child, request)
        except BaseException:
            if child is not None:
                self._end(child)
            child = None
            raise
        finally:
            self._give(child)
        return answer

    def close(self) -> None:
        """Kill all processes, and accept no more requests."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for child in running:
            self._end(child)

    def _take(self) -> subprocess.Popen[bytes] | None:
        """Wait for an idle process, behind all who wait already."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
            turn: Future[subprocess.Popen[bytes] | None] = Future()
            self._waiting.append(turn)
        return turn.result()

    def _give(self, child: subprocess.Popen[bytes] | None) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set_result(child)
            else:
                self._idle.append(child)

    def _start(self) -> subprocess.Popen[bytes]:
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
        with self._lock:
            if self._closed:
                raise ProcessLostError("closed")
            child = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=_ROOT,
                env=environment,
                process_group=0,  # a Ctrl-C is the server's; in its session, or priorities would not count
            )
            self._running.add(child)
        return child

    def _ask(self, child: subprocess.Popen[bytes], request: bytes) -> bytes:
        assert child.stdin is not None
        assert child.stdout is not None
        late = threading.Event()

        def kill() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(self._most_s, kill)
        timer.daemon = True
        timer.start()
        try:
            _write(child.stdin, request)
            return _read(child.stdout, _MOST_ANSWER_BYTES)
        except (OSError, EOFError, ValueError, MemoryError) as error:
            raise ProcessLostError(
                "closed" if self._closed else "time" if late.is_set() else "end"
            ) from error
        finally:
            timer.cancel()

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # a request that could not be written
                    pipe.close()
        with self._lock:
            self._running.discard(child)


def serve(answer: Callable[[bytes], bytes]) -> None:
    """Answer requests until the program that asks has ended; called by the process itself.

    Args:
        answer: From a request to its answer.
    """
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)  # whatever is printed is no answer
    _limit()
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            _write(answers, answer(_read(requests, _MOST_ANSWER_BYTES)))


def _limit() -> None:
    """Limit this process; nothing it runs can lift that again."""
    with contextlib.suppress(OSError, AttributeError):
        os.nice(_NICENESS)
    try:
        import resource  # not on every system
    except ImportError:
        return
    limits: Sequence[tuple[int, int]] = (
        (resource.RLIMIT_AS, _MOST_MEMORY_BYTES),
        (resource.RLIMIT_NOFILE, _MOST_FILES),
        (resource.RLIMIT_FSIZE, 0),  # it writes no file
        (resource.RLIMIT_CORE, 0),
    )
    for kind, wanted in limits:
        _, hard = resource.getrlimit(kind)
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (most, most))


def _end_with_parent(parent: int) -> None:
    """End at once, whatever runs, when the parent was killed and could not say so."""
    while os.getppid() == parent:
        time.sleep(_POLL_S)
    os._exit(1)


def _write(stream: IO[bytes], message: bytes) -> None:
    stream.write(_LENGTH.pack(len(message)))
    stream.write(message)
    stream.flush()


def _read(stream: IO[bytes], most: int) -> bytes:
    (length,) = _LENGTH.unpack(_read_exactly(stream, _LENGTH.size))
    if length > most:
        raise EOFError
    return _read_exactly(stream, length)


def _read_exactly(stream: IO[bytes], length: int) -> bytes:
    content = stream.read(length)
    if len(content) != length:
        raise EOFError
    return content
