"""Many independent tasks on all cores of this machine, or on the machines of a Dask cluster, by joblib."""

from __future__ import annotations

import importlib
import logging
import os
import re
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from types import TracebackType
from typing import Any, Self, TypeVar

from vaead.errors import InvalidInputError, UnknownNameError, WorkersError
from vaead.processes.joblib_backends import DASK, LOKY, register_dask, register_loky
from vaead.version import __version__

BACKENDS = ("loky", "dask")
"""loky: processes on this machine; dask: the workers of a Dask scheduler."""

Task = TypeVar("Task")
Result = TypeVar("Result")

_CONNECT_S = 10
_MOST_JOBS_A_CORE = 8
"""More would only fill the memory."""
_ROUNDS = 4
"""Under way at a time, each of half as many tasks as there are workers. So no worker waits for the next task,
and few results wait to be taken."""


class Workers:
    """Processes that share the work. Use it in a `with` statement.

    A task may run twice, if its worker is lost on the way; its result comes once.
    """

    def __init__(self, backend: str = "loky", address: str | None = None, jobs: int | None = None) -> None:
        """Say which processes.

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
        if backend == "dask" and address is None:
            raise InvalidInputError(
                "address must be given for the backend dask, got none; add --address tcp://HOST:8786"
            )
        if backend != "dask" and address is not None:
            raise InvalidInputError(
                f"address must stand with the backend dask, got {address!r} for {backend}; add --backend dask"
            )
        if address is not None and not _is_address(address):
            raise InvalidInputError(
                f"address must be like tcp://HOST:8786, got {address!r}; copy it from the output of the "
                "scheduler"
            )
        if backend == "dask" and jobs is not None:
            raise InvalidInputError(
                f"jobs must be left out for the backend dask, got {jobs}; start more or fewer workers"
            )
        if jobs is not None and jobs < 1:
            raise InvalidInputError(f"jobs must be at least 1, got {jobs}; leave it out for one a core")
        most = _MOST_JOBS_A_CORE * (os.cpu_count() or 1)
        if jobs is not None and jobs > most:
            raise InvalidInputError(
                f"jobs must be at most {most} on this machine, got {jobs}; leave it out for one a core"
            )
        self._address = address
        self._jobs = jobs
        self._client: Any = None

    @property
    def remote(self) -> bool:
        """Whether the work leaves this machine."""
        return self._address is not None

    @property
    def chosen(self) -> bool:
        """Whether somebody has said which workers there are."""
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
            self._client = _connect(self._address)
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
        from joblib.externals.loky.process_executor import BrokenProcessPool

        remaining = iter(tasks)
        under_way: deque[Iterator[Result]] = deque()
        try:
            # joblib goes on sending tasks however many results wait, so tasks go in rounds.
            while some := list(islice(remaining, max(1, self.count // 2))):
                under_way.append(self._send(function, some, ordered))
                if len(under_way) == _ROUNDS:
                    yield from _taken(under_way[0])
                    under_way.popleft()
            while under_way:
                yield from _taken(under_way[0])
                under_way.popleft()
        except BrokenProcessPool as error:  # while tasks are sent, or results taken
            raise WorkersError(
                "workers must stay alive until the end, got one that was killed; free some memory, or take "
                "fewer with --jobs"
            ) from error
        finally:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # joblib tells of every task that was dropped
                for each in under_way:
                    each.close()  # type: ignore[attr-defined]

    def _send(self, function: Callable[[Task], Result], tasks: list[Task], ordered: bool) -> Iterator[Result]:
        import joblib

        register_loky()
        settings: dict[str, Any] = {"backend": LOKY, "n_jobs": self.count}
        if self._client is not None:
            settings = {"backend": DASK, "n_jobs": -1, "client": self._client}
        elif self.count > 1:
            settings["inner_max_num_threads"] = 1  # each process has a core of its own
        with joblib.parallel_config(**settings):
            work = joblib.Parallel(
                return_as="generator" if ordered else "generator_unordered",
                pre_dispatch="all",
                batch_size=1,
                max_nbytes=None,
            )
            results: Iterator[Result] = work(joblib.delayed(function)(task) for task in tasks)
        return results


def _is_address(address: str) -> bool:
    match = re.fullmatch(r"(?:tcp|tls|wss?)://[^/\s]+:([0-9]{1,5})/?", address)
    return match is not None and int(match[1]) < 2**16


def _taken(results: Iterator[Result]) -> Iterator[Result]:
    """The same results; not `yield from`, which would close them with a warning where nobody catches it."""
    for result in results:  # noqa: UP028
        yield result


def _connect(address: str) -> Any:
    try:
        distributed: Any = importlib.import_module("distributed")  # as types of it are few
    except ImportError as error:
        raise WorkersError(
            f"dask must be installed for the backend dask, got {str(error)!r}; "
            "run pip install -r requirements-cluster.txt"
        ) from error
    # What goes wrong is told in a sentence, and not in the middle of the results.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    register_dask()
    client = None
    try:
        client = distributed.Client(address, timeout=_CONNECT_S, set_as_default=False)
        client.wait_for_workers(1, timeout=_CONNECT_S)
        versions = client.run(_version)
    # Among them are OSError, ValueError, and those of the network that the address names.
    except Exception as error:
        if client is not None:
            client.close()
        raise _unreachable(address, error, connected=client is not None) from error
    others = {worker: version for worker, version in versions.items() if version != __version__}
    for worker, version in others.items():
        client.close()
        raise WorkersError(
            f"workers must have vaead {__version__}, got {version} on {worker}; install the same one"
        )
    return client


def _version() -> str:
    return __version__


def _unreachable(address: str, error: Exception, connected: bool) -> WorkersError:
    if isinstance(error, ImportError):
        return WorkersError(
            f"workers must have vaead installed, got {str(error)!r} on one of {address!r}; start it in an "
            "environment with vaead"
        )
    if connected:
        return WorkersError(
            f"scheduler must have workers, got none in {_CONNECT_S} s at {address!r}; start some with dask "
            f"worker {address}"
        )
    return WorkersError(
        f"address must be that of a Dask scheduler that answers in {_CONNECT_S} s, got {address!r} "
        f"({error}); check it, and start the scheduler"
    )
