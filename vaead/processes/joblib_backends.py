"""Joblib's backends with what theirs lack: an end without a traceback, and no endless wait."""

from __future__ import annotations

import contextlib
import queue
from functools import cache
from typing import Any

from vaead.errors import WorkersError

LOKY, DASK = "vaead-loky", "vaead-dask"
"""Names under which they are registered."""


@cache
def register_loky() -> None:
    """Make the backend `LOKY` known to joblib."""
    from joblib import register_parallel_backend
    from joblib._parallel_backends import LokyBackend

    class Backend(LokyBackend):  # type: ignore[misc]
        """As joblib's, which prints a traceback if it is stopped with tasks that no process has yet."""

        def abort_everything(self, ensure_ready: bool = True) -> None:
            with contextlib.suppress(queue.Empty):
                while self._workers is not None:
                    self._workers._work_ids.get_nowait()
            super().abort_everything(ensure_ready)

    register_parallel_backend(LOKY, Backend)


@cache
def register_dask() -> None:
    """Make the backend `DASK` known to joblib."""
    from joblib import register_parallel_backend
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):  # type: ignore[misc]
        """As joblib's, which waits for ever for a task that no worker could run or answer."""

        async def _collect(self) -> None:
            import asyncio

            while self._continue:
                async for future, result in self.waiting_futures:
                    waiting, callback = self._results.pop(future), self._callbacks.pop(future)
                    lost = None if future.status == "finished" else _Lost(future.status, result)
                    waiting.set_result(lost or result)
                    callback(lost or result)
                await asyncio.sleep(0.01)

        def retrieve_result_callback(self, out: object) -> Any:
            if isinstance(out, _Lost):
                raise out.error()
            return super().retrieve_result_callback(out)

    register_parallel_backend(DASK, Backend)


class _Lost:
    """A task without a result."""

    def __init__(self, status: str, result: Any) -> None:
        self._status = status
        self._reason = result[1] if status == "error" else result

    def error(self) -> WorkersError:
        reason = " ".join(str(self._reason).split())
        return WorkersError(
            f"workers must be able to run every task, got one that is {self._status} ({reason}); see the "
            "output of the workers"
        )
