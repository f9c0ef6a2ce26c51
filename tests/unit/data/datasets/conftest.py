"""Fixtures for the tests of datasets: a private environment, a small dataset and a local server."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.uint8]]


@pytest.fixture(autouse=True)
def private_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep tests away from the user's cache folder and from the internet."""
    monkeypatch.delenv("VAEAD_DATA_DIR", raising=False)
    monkeypatch.setenv("VAEAD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("VAEAD_MIRROR", "http://127.0.0.1:9/")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def arrays() -> Arrays:
    """Six random training images of the classes 0, 1, 2 and three test images."""
    random = np.random.default_rng(0)
    return {
        "x_train": random.integers(0, 256, (6, 28, 28), dtype=np.uint8),
        "y_train": np.array([2, 0, 1, 0, 2, 0], dtype=np.uint8),
        "x_test": random.integers(0, 256, (3, 28, 28), dtype=np.uint8),
        "y_test": np.array([1, 0, 2], dtype=np.uint8),
    }


class FileServer(ThreadingHTTPServer):
    """Serves `files`; `faults` holds what goes wrong with the next requests, one entry a request.

    Faults: an HTTP status; "stall" (headers, then nothing); "truncate" (half the body); "wait" (no
    fault, but the answer comes when `gate` is set).
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.faults: list[int | str] = []
        self.requests: list[str] = []
        self.gate = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        name = self.path.lstrip("/")
        self.server.requests.append(name)
        fault = self.server.faults.pop(0) if self.server.faults else None
        if isinstance(fault, int):
            self.send_error(fault)
            return
        if fault == "wait":
            self.server.gate.wait()
        body = self.server.files[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "stall":
            self.server.gate.wait()
            return
        self.wfile.write(body[: len(body) // 2] if fault == "truncate" else body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A running server, which is also the mirror that downloads use."""
    server = FileServer()
    monkeypatch.setenv("VAEAD_MIRROR", server.url)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.gate.set()
    server.shutdown()
    thread.join()
    server.server_close()
