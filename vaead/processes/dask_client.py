"""Connect to a Dask scheduler whose workers have the same version of vaead."""

from __future__ import annotations

import importlib
import logging
from typing import Any

from vaead.errors import WorkersError
from vaead.version import __version__

_CONNECT_S = 10


def connect(address: str) -> Any:
    """A `distributed.Client` of the scheduler.

    Raises:
        WorkersError: Dask is not installed, the scheduler cannot be reached or has no worker, or a worker
            has another version of vaead.
    """
    try:
        distributed: Any = importlib.import_module("distributed")  # as types of it are few
    except ImportError as error:
        raise WorkersError(
            f"dask must be installed for the backend dask, got {str(error)!r}; "
            "run pip install -r requirements-cluster.txt"
        ) from error
    # Errors are raised, and not logged in the middle of the results.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
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
    for worker, version in versions.items():
        if version != __version__:
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
