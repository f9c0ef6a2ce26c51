import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.processes.worker_tasks import die, process, refuse, square, variable
from vaead.errors import InvalidInputError, UnknownNameError, WorkersError
from vaead.processes.workers import Workers

ROOT = Path(__file__).parents[3]
ADDRESS = "tcp://127.0.0.1:8786"


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("count", [0, 1, 30])
def test_results_come_once_and_in_order(jobs: int, count: int) -> None:
    with Workers(jobs=jobs) as workers:
        assert list(workers.map(square, ((n,) for n in range(count)))) == [n * n for n in range(count)]


def test_results_may_come_as_they_are_ready() -> None:
    with Workers(jobs=2) as workers:
        found = workers.map(square, ((n,) for n in range(30)), ordered=False)
        assert sorted(found) == [n * n for n in range(30)]


def test_one_job_is_this_process() -> None:
    tasks = [(n,) for n in range(8)]
    assert set(Workers(jobs=1).map(process, tasks)) == {os.getpid()}
    assert os.getpid() not in set(Workers(jobs=2).map(process, tasks))


@pytest.mark.parametrize("jobs", [1, 2])
def test_few_tasks_are_taken_ahead_of_the_results(jobs: int) -> None:
    taken: list[int] = []

    def tasks() -> Iterator[tuple[int]]:
        for number in range(1000):
            taken.append(number)
            yield (number,)

    results: Any = Workers(jobs=jobs).map(square, tasks())
    for wanted in range(20):
        assert next(results) == wanted * wanted
        assert len(taken) <= wanted + 1 + 4 * jobs
    results.close()
    assert len(taken) < 40


@pytest.mark.parametrize("jobs", [1, 2])
def test_error_of_a_task_is_raised(jobs: int) -> None:
    with pytest.raises(LookupError, match="five is refused"):
        list(Workers(jobs=jobs).map(refuse, ((n,) for n in range(100))))
    assert list(Workers(jobs=jobs).map(square, [(3,)])) == [9]


def test_process_that_dies_is_told() -> None:
    message = "workers must stay alive until the end, got one that was killed; free some memory"
    with pytest.raises(WorkersError, match=message):
        list(Workers(jobs=2).map(die, [(1,), (2,)]))


def test_tasks_that_are_lost_while_others_are_sent_are_told() -> None:
    tasks = ((number,) for number in range(1000))
    with pytest.raises(WorkersError, match="workers must stay alive until the end"):
        list(Workers(jobs=2).map(die, tasks, ordered=False))


def test_each_process_has_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    names = ["OMP_NUM_THREADS", "MKL_NUM_THREADS"]
    assert list(Workers(jobs=2).map(variable, ((name,) for name in names))) == ["1", "1"]
    assert [os.environ.get(name) for name in names] == ["7", None]


def test_ctrl_c_ends_all_processes_without_a_traceback(tmp_path: Path) -> None:
    code = """
import signal, sys
from tests.unit.processes.worker_tasks import wait
from vaead.processes.workers import Workers
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs the tests may ignore it
    list(Workers(jobs=2).map(wait, [(sys.argv[1], number) for number in range(9)]))
"""
    script = tmp_path / "script.py"
    script.write_text(code)
    process = subprocess.Popen(
        [sys.executable, script, tmp_path],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    deadline = time.monotonic() + 30
    while len(list(tmp_path.glob("*.began"))) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    # That of this script alone: the command line catches it.
    assert errors.count(b"Traceback") == 1
    assert errors.rstrip().endswith(b"KeyboardInterrupt")


def test_default_is_a_process_a_core_that_nobody_has_chosen() -> None:
    workers = Workers()
    assert (workers.chosen, workers.remote) == (False, False)
    assert 1 <= workers.count <= (os.cpu_count() or 1)
    assert (Workers(jobs=3).chosen, Workers(jobs=3).count) == (True, 3)
    assert Workers("dask", ADDRESS).remote


@pytest.mark.parametrize(
    ("backend", "address", "jobs", "error", "message"),
    [
        ("ray", None, None, UnknownNameError, "backend must be one of loky, dask, got 'ray'; choose one"),
        ("dask", None, None, InvalidInputError, "address must be given for the backend dask, got none; add"),
        (
            "loky",
            ADDRESS,
            None,
            InvalidInputError,
            "address must stand with the backend dask, got 'tcp:",
        ),
        ("dask", ADDRESS, 2, InvalidInputError, "jobs must be left out for the backend dask, got 2; start"),
        ("loky", None, 0, InvalidInputError, "jobs must be at least 1, got 0; leave it out"),
        (
            "loky",
            None,
            10**6,
            InvalidInputError,
            "jobs must be at most .*, got 1000000; leave",
        ),
        (
            "dask",
            "scheduler:8786",
            None,
            InvalidInputError,
            "address must be like tcp://HOST:8786, got",
        ),
        (
            "dask",
            "tcp://scheduler",
            None,
            InvalidInputError,
            "address must be like tcp://HOST:8786, got",
        ),
        ("dask", "tcp://a:65536", None, InvalidInputError, "address must be like tcp://HOST:8786, got"),
    ],
)
def test_workers_that_make_no_sense_are_refused(
    backend: str, address: str | None, jobs: int | None, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Workers(backend, address, jobs)


def test_dask_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def import_module(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", import_module)
    message = "dask must be installed for the backend dask, got \"No module named 'distributed'\"; run pip"
    with pytest.raises(WorkersError, match=message), Workers("dask", ADDRESS):
        pass


def test_scheduler_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaead.processes.dask_client._CONNECT_S", 1)
    message = "address must be that of a Dask scheduler that answers in 1 s, got 'tcp:.*:1' .*; check"
    with pytest.raises(WorkersError, match=message), Workers("dask", "tcp://127.0.0.1:1"):
        pass
