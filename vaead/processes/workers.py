"""Run many independent tasks in processes of this machine or on a Dask cluster."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from vaead.errors import InvalidInputError, UnknownNameError, WorkersError
from vaead.processes.dask_client import connect

BACKENDS = ("loky", "dask")
"""loky: processes on this machine; dask: the workers of a Dask scheduler."""

Task = TypeVar("Task")
Result = TypeVar("Result")

_MAX_JOBS_PER_CORE = 8
"""More would only fill the memory."""
_TASKS_PER_WORKER = 2
"""Sent ahead: no worker waits for its next task, and few results wait to be taken."""
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


class Workers:
    """Processes that share the work. Use it in a `with` statement.

    A task may run twice, if its worker is lost on the way; its result comes once.
    """

    def __init__(self, backend: str = "loky", address: str | None = None, jobs: int | None = None) -> None:
        """Choose the processes; none is started yet.

        Args:
            backend: One of `BACKENDS`.
            address: Of the scheduler, for dask alone.
            jobs: Number of processes, for loky alone; 1 is this process. None takes one a core.

        Raises:
            UnknownNameError: There is no such backend.
            InvalidInputError: An argument is missing, or is for the other backend.
        """
        if backend not in BACKENDS:
            raise UnknownNameError(
                f"backend must be one of {', '.join(BACKENDS)}, got {backend!r}; choose one of these"
            )
        _check_address(backend, address)
        _check_jobs(backend, jobs)
        self._address = address
        self._jobs = jobs
        self._client: Any = None

    @property
    def remote(self) -> bool:
        """True if the work leaves this machine."""
        return self._address is not None

    @property
    def chosen(self) -> bool:
        """True if the address or the number of processes was given."""
        return self.remote or self._jobs is not None

    @property
    def count(self) -> int:
        """Tasks that run at the same time."""
        if self._client is not None:
            return max(1, sum(map(int, self._client.ncores().values())))
        import joblib

        return self._jobs or int(joblib.cpu_count())

    def __enter__(self) -> Self:
        """Connect to the scheduler, if there is one.

        Raises:
            WorkersError: It cannot be reached, has no worker, or a worker has another version of vaead.
        """
        if self._address is not None:
            self._client = connect(self._address)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def map(
        self, function: Callable[[Task], Result], tasks: Iterable[Task], *, ordered: bool = True
    ) -> Iterator[Result]:
        """Run a function on each task, in bounded memory.

        Args:
            function: Of a module, so that another process finds it by its name.
            tasks: Tuples, which go to the workers one by one; taken a few ahead of the results.
            ordered: Whether results come in the order of the tasks, or as they are ready.

        Yields:
            Each result once.

        Raises:
            WorkersError: A worker was lost, and its task could not be run elsewhere.
            Exception: What the function raises; tasks that have not begun are dropped.
        """
        if self._client is None and self.count == 1:
            yield from map(function, tasks)
            return
        remaining = iter(tasks)
        running: list[Future[_Outcome]] = []
        with self._executor() as executor:
            try:
                ahead = _TASKS_PER_WORKER * self.count
                running += [executor.submit(_run, function, task) for task in islice(remaining, ahead)]
                while running:
                    future = running[0] if ordered else next(as_completed(running))
                    outcome = _outcome(future)
                    running.remove(future)
                    running += [executor.submit(_run, function, task) for task in islice(remaining, 1)]
                    yield outcome.result
            except BrokenExecutor as error:  # while tasks are sent, or results taken
                raise WorkersError(
                    "workers must stay alive until the end, got one that was killed; free some memory, or "
                    "take fewer with --jobs"
                ) from error
            finally:
                for future in running:
                    future.cancel()

    @contextmanager
    def _executor(self) -> Iterator[Executor]:
        if self._client is not None:
            executor = self._client.get_executor(pure=False)
            try:
                yield executor
            finally:
                executor.shutdown(wait=False)
            return
        before = {name: os.environ.get(name) for name in _ONE_THREAD}
        os.environ |= _ONE_THREAD  # each process, which reads them when it starts, has a core of its own
        try:
            with ProcessPoolExecutor(self.count, get_context("spawn"), _end_without_traceback) as executor:
                yield executor
        finally:
            for name, value in before.items():
                del os.environ[name]
                if value is not None:
                    os.environ[name] = value


class _Outcome(NamedTuple):
    """Outcome of a task: its result, or the error that it raised."""

    result: Any = None
    error: Exception | None = None


def _run(function: Callable[[Task], Result], task: Task) -> _Outcome:
    """Run a task; an error of its own is told from the loss of its worker."""
    try:
        return _Outcome(function(task))
    except Exception as error:
        return _Outcome(error=error)


def _outcome(future: Future[_Outcome]) -> _Outcome:
    """Wait for a task, and raise its error."""
    try:
        outcome = future.result()
    except BrokenExecutor:
        raise
    except Exception as error:  # of Dask, which has many
        reason = " ".join(str(error).split()) or type(error).__name__
        raise WorkersError(
            f"workers must be able to run every task, got one that failed ({reason}); see the output of the "
            "workers"
        ) from error
    if outcome.error is not None:
        raise outcome.error
    return outcome


def _end_without_traceback() -> None:
    """Let Ctrl-C, which reaches all processes, end this one at once and silently, unless it is ignored."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _check_address(backend: str, address: str | None) -> None:
    if backend == "dask" and address is None:
        raise InvalidInputError(
            "address must be given for the backend dask, got none; add --address tcp://HOST:8786"
        )
    if address is None:
        return
    if backend != "dask":
        raise InvalidInputError(
            f"address must stand with the backend dask, got {address!r} for {backend}; add --backend dask"
        )
    match = re.fullmatch(r"(?:tcp|tls|wss?)://[^/\s]+:([0-9]{1,5})/?", address)
    if match is None or int(match[1]) >= 2**16:
        raise InvalidInputError(
            f"address must be like tcp://HOST:8786, got {address!r}; copy it from the output of the scheduler"
        )


def _check_jobs(backend: str, jobs: int | None) -> None:
    if jobs is None:
        return
    if backend == "dask":
        raise InvalidInputError(
            f"jobs must be left out for the backend dask, got {jobs}; start more or fewer workers"
        )
    if jobs < 1:
        raise InvalidInputError(f"jobs must be at least 1, got {jobs}; leave it out for one a core")
    largest = _MAX_JOBS_PER_CORE * (os.cpu_count() or 1)
    if jobs > largest:
        raise InvalidInputError(
            f"jobs must be at most {largest} on this machine, got {jobs}; leave it out for one a core"
        )
