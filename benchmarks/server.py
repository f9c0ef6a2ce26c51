"""The app in a process of its own, for benchmarks of what visitors see. Only 127.0.0.1 is spoken to."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from vaead.model.files import CARD

ROOT = Path(__file__).parents[1]
DATASETS = ("mnist", "fashion_mnist")
_DEADLINE_S = 60.0


@dataclass(frozen=True)
class Server:
    """The running app.

    Attributes:
        url: Its address, with a slash at its end.
        process: The server process.
        usable_s: From its start to the first answer of the page and of the health check.
        log: What it printed.
    """

    url: str
    process: psutil.Process
    usable_s: dict[str, float]
    log: Path

    @property
    def resident_mb(self) -> float:
        """Resident memory of the server process in megabytes."""
        return float(self.process.memory_info().rss) / 1e6

    @property
    def cpu_s(self) -> float:
        """Processor time the server has used so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def faults(self) -> int:
        """Number of exceptions in its log."""
        return self.log.read_text(errors="replace").count("Traceback")


@contextlib.contextmanager
def running(shipped: bool = False) -> Iterator[Server]:
    """Start the app with a model of each class of both datasets, and stop it at the end.

    Args:
        shipped: True for the models that come with vaead and what lies beside them; otherwise all are copies
            of one, so that nothing is known beforehand of their test images.
    """
    with tempfile.TemporaryDirectory() as folder:
        store, log = Path(folder, "store"), Path(folder, "log")
        if shipped:
            shutil.copytree(ROOT / "models", store)
        else:
            _fill(store)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        # As `make run` does.
        command = [sys.executable, "-m", "vaead", "app", f"--port={port}", "--server.address=127.0.0.1"]
        env = os.environ | {"VAEAD_STORE": str(store)}
        start = time.perf_counter()
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT)
        try:
            url = f"http://127.0.0.1:{port}/"
            usable_s = {
                path or "page": _wait_for(url + path, process, start) for path in ("", "_stcore/health")
            }
            yield Server(url, psutil.Process(process.pid), usable_s, log)
        finally:
            process.terminate()
            process.wait(_DEADLINE_S)


def _fill(store: Path) -> None:
    """Put a model of each class into a store: copies of one, as twenty trainings would take too long."""
    for dataset in DATASETS:
        source = next((ROOT / "models" / dataset).glob("*/article"))
        card = json.loads((source / CARD).read_text())
        for number in range(10):
            folder = shutil.copytree(source, store / dataset / str(number) / "article")
            card["card"]["recipe"]["source"]["normal"] = number
            (folder / CARD).write_text(json.dumps(card))


def _wait_for(url: str, process: subprocess.Popen[bytes], start: float) -> float:
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return time.perf_counter() - start
        except OSError as error:
            if process.poll() is not None or time.perf_counter() - start > _DEADLINE_S:
                raise RuntimeError(f"{url} does not answer: {error}") from error
            time.sleep(0.01)
