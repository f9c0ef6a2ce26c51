from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vaead.data.datasets.download import DownloadConfig, RemoteFile, cache_dir, fetch_files, mirror_url
from vaead.errors import DataUnavailableError, InvalidInputError

if TYPE_CHECKING:
    from tests.unit.data.datasets.conftest import FileServer

CONTENT = {"first.bin": bytes(range(256)) * 1000, "second.bin": b"second"}
FILES = [
    RemoteFile(name, len(content), f"sha256:{hashlib.sha256(content).hexdigest()}")
    for name, content in CONTENT.items()
]


def _fetch(base_url: str, attempts: int = 1, fault: int | str | None = None) -> dict[str, Path]:
    # Patient, unless the server is to be silent: a busy machine may be late, too.
    config = DownloadConfig(
        base_url,
        read_timeout_s=0.2 if fault in ("stall", "wait") else 30,
        attempts=attempts,
        pause_s=0,
    )
    return fetch_files("numbers", FILES, config=config)


@pytest.fixture(autouse=True)
def published(request: pytest.FixtureRequest) -> None:
    if "server" in request.fixturenames:
        request.getfixturevalue("server").files.update(CONTENT)


def test_files_arrive_in_the_folder_of_the_dataset(server: FileServer) -> None:
    paths = _fetch(server.url)
    assert paths == {name: cache_dir() / "numbers" / name for name in CONTENT}
    assert {name: path.read_bytes() for name, path in paths.items()} == CONTENT


def test_cached_files_need_no_request(server: FileServer) -> None:
    _fetch(server.url)
    server.requests.clear()
    _fetch(server.url)
    assert server.requests == []


def test_damaged_file_in_the_cache_is_replaced(server: FileServer) -> None:
    path = _fetch(server.url)["second.bin"]
    path.write_bytes(b"damaged")
    server.requests.clear()
    _fetch(server.url)
    assert server.requests == ["second.bin"]
    assert path.read_bytes() == b"second"


def test_progress_covers_all_files(server: FileServer) -> None:
    calls: list[tuple[int, int]] = []
    fetch_files("numbers", FILES, lambda received, total: calls.append((received, total)))
    assert calls == sorted(calls)
    assert calls[0] == (0, 256_006)
    assert (65_536, 256_006) in calls
    assert calls[-1] == (256_006, 256_006)


FAULTS = [
    pytest.param(404, "the server answered 404 Not Found", id="not found"),
    pytest.param(503, "the server answered 503 Service Unavailable", id="unavailable"),
    pytest.param("stall", r"the server sent nothing for 0\.2 s", id="stall"),
    pytest.param("wait", r"the server sent nothing for 0\.2 s", id="no answer"),
    pytest.param("truncate", "the server closed the connection before the end of the file", id="truncated"),
]


@pytest.mark.parametrize(("fault", "reason"), FAULTS)
def test_failure_says_what_failed_and_what_to_do(server: FileServer, fault: int | str, reason: str) -> None:
    server.faults = [fault]
    advice = "try again, or set VAEAD_DATA_DIR to a folder that holds numbers.npz"
    message = f"^numbers could not be downloaded: {reason}.*; {advice}$"
    with pytest.raises(DataUnavailableError, match=message):
        _fetch(server.url, fault=fault)


def test_wrong_checksum_is_refused(server: FileServer) -> None:
    server.files["first.bin"] = b"<html>Please log in</html>"
    with pytest.raises(DataUnavailableError, match=r"first\.bin does not have the published checksum; try"):
        _fetch(server.url)


def test_unreachable_server_is_reported() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(DataUnavailableError, match="the server could not be reached"):
            _fetch(url)


@pytest.mark.parametrize("fault", [404, "stall", "truncate", "checksum"])
def test_failure_leaves_nothing_that_counts_as_data(server: FileServer, fault: int | str) -> None:
    if fault == "checksum":
        server.files["first.bin"] = CONTENT["first.bin"][:-1] + b"?"
    else:
        server.faults = [fault]
    with pytest.raises(DataUnavailableError):
        _fetch(server.url, fault=fault)
    assert [path.name for path in (cache_dir() / "numbers").iterdir() if path.name != ".lock"] == []


def test_rest_of_an_interrupted_process_is_not_data(server: FileServer) -> None:
    folder = cache_dir() / "numbers"
    folder.mkdir(parents=True)
    (folder / "first.bin.part").write_bytes(CONTENT["first.bin"] + b"more")
    assert _fetch(server.url)["first.bin"].read_bytes() == CONTENT["first.bin"]


@pytest.mark.parametrize("fault", [503, "stall", "truncate"])
def test_passing_fault_is_tried_again(server: FileServer, fault: int | str) -> None:
    server.faults = [fault]
    assert _fetch(server.url, attempts=2, fault=fault)["first.bin"].read_bytes() == CONTENT["first.bin"]


def test_lasting_fault_is_not_tried_again(server: FileServer) -> None:
    server.faults = [404]
    with pytest.raises(DataUnavailableError, match="404"):
        _fetch(server.url, attempts=2)
    assert server.requests == ["first.bin"]


def test_error_of_the_callback_ends_the_download(server: FileServer) -> None:
    def cancel(received_bytes: int, total_bytes: int) -> None:
        raise ValueError("cancelled")

    with pytest.raises(ValueError, match="cancelled"):
        fetch_files("numbers", FILES, cancel)


def test_two_processes_download_once(server: FileServer) -> None:
    server.faults = ["wait"]
    code = (
        "from vaead.data.datasets.download import RemoteFile, fetch_files\n"
        "print('ready', flush=True)\n"
        f"print(fetch_files('numbers', {FILES!r}))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code]
    processes = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    with pytest.raises(subprocess.TimeoutExpired):  # Both wait: one for the server, one for the other.
        processes[0].wait(timeout=0.5)
    assert processes[1].poll() is None
    server.gate.set()
    results = {process.communicate(timeout=10)[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0]
    assert len(results) == 1
    assert server.requests == ["first.bin", "second.bin"]


def test_unusable_cache_folder_is_reported(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAEAD_CACHE_DIR", __file__)
    with pytest.raises(DataUnavailableError, match=r"could not be stored: .*set VAEAD_CACHE_DIR to a folder"):
        _fetch(server.url)


def test_mirror_gets_a_slash_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAEAD_MIRROR", "https://example.org/data")
    assert mirror_url() == "https://example.org/data/"


def test_mirror_must_be_on_the_web(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAEAD_MIRROR", "data/mirror")
    with pytest.raises(InvalidInputError, match=r"VAEAD_MIRROR must be an address .*, got 'data/mirror'"):
        mirror_url()
