"""Processes for strangers: answers, limits, and what happens when one of them ends."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from vaead.processes.limited_processes import LimitedProcesses, ProcessLostError

SERVE = """
import os, sys, time
sys.path.insert(0, {root!r})
from vaead.processes.limited_processes import serve

def answer(request):
    print("this is no answer", flush=True)
    command, _, value = request.decode().partition(" ")
    if command == "pid":
        return str(os.getpid()).encode()
    if command == "loop":
        while True:
            pass
    if command == "memory":
        return str(len(bytes(int(value)))).encode()
    if command == "crash":
        os.kill(os.getpid(), 11)
    if command == "write":
        with open(value, "wb") as file:
            file.write(b"x")
    if command == "sleep":
        time.sleep(float(value))
    return request

serve(answer)
"""
ROOT = str(Path(__file__).parents[3])


@pytest.fixture
def processes() -> Iterator[LimitedProcesses]:
    made = make()
    yield made
    made.close()


def make(count: int = 1) -> LimitedProcesses:
    return LimitedProcesses([sys.executable, "-c", SERVE.format(root=ROOT)], count, most_s=30)


def test_requests_are_answered_by_one_process(processes: LimitedProcesses) -> None:
    first, second = processes.call(b"pid"), processes.call(b"pid")
    assert first == second
    assert processes.call("音 ".encode() * 10**6) == "音 ".encode() * 10**6


@pytest.mark.parametrize("request_", [b"crash", b"memory 4000000000", b"write /tmp/vaead-test-file"])
def test_process_that_ends_is_replaced(processes: LimitedProcesses, request_: bytes) -> None:
    before = processes.call(b"pid")
    with pytest.raises(ProcessLostError) as error:
        processes.call(request_)
    assert error.value.cause == "end"
    assert processes.call(b"pid") != before


def test_process_that_takes_too_long_is_killed(processes: LimitedProcesses) -> None:
    pid = int(processes.call(b"pid"))  # starting takes as long as the machine needs
    processes._most_s = 0.5
    with pytest.raises(ProcessLostError) as error:
        processes.call(b"loop")
    assert error.value.cause == "time"
    assert not psutil.pid_exists(pid)


def test_others_are_answered_while_one_process_hangs() -> None:
    processes = make(count=2)
    processes.call(b"pid")

    def hang() -> None:
        with pytest.raises(ProcessLostError):
            processes.call(b"loop")

    hanging = threading.Thread(target=hang)
    hanging.start()
    assert [processes.call(b"hello") for _ in range(3)] == [b"hello"] * 3
    processes.close()
    hanging.join(10)
    assert not hanging.is_alive()


def test_threads_wait_in_the_order_in_which_they_came(processes: LimitedProcesses) -> None:
    processes.call(b"pid")
    order: list[int] = []
    threads = []

    def ask(number: int) -> None:
        processes.call(b"sleep 1" if number == 0 else b"sleep 0.01")
        order.append(number)

    for number in range(5):
        threads.append(threading.Thread(target=ask, args=(number,)))
        threads[-1].start()
        while len(processes._waiting) < number:  # the first is served at once
            time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == list(range(5))


def test_closed_processes_are_gone_and_answer_no_more(processes: LimitedProcesses) -> None:
    pid = int(processes.call(b"pid"))
    processes.close()
    assert not psutil.pid_exists(pid)
    with pytest.raises(ProcessLostError) as error:
        processes.call(b"pid")
    assert error.value.cause == "closed"


def test_process_ends_with_the_one_that_was_killed(tmp_path: Path) -> None:
    import subprocess

    code = (
        "import sys; from tests.unit.processes.test_limited_processes import make; p = make();"
        "print(p.call(b'pid').decode(), flush=True); p.call(b'loop')"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert psutil.wait_procs([child], timeout=10)[1] == []
