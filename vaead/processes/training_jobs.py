"""Training jobs: each trains one model in a child process, and all visitors of the app share them.

Training needs TensorFlow, which the app never loads, so a job runs `python -m vaead train` and reads the
events that the child prints, one JSON object a line.
"""

from __future__ import annotations

import contextlib
import enum
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from typing import IO

from vaead.errors import TrainingError
from vaead.model.events import (
    CalibrationReport,
    EpochReport,
    TrainingDone,
    TrainingFailed,
    TrainingRestarted,
    TrainingStarted,
    read_event,
)
from vaead.paths import AnyPath
from vaead.processes.at_exit import before_exit
from vaead.processes.temporary import temporary_folder
from vaead.processes.train_command import Task, train_command

GRACE_S = 3.0  # from the polite signal, or the last event, until a child is killed
POLL_S = 0.05  # how often a job's thread looks whether its child has died
DRAIN_S = 1.0  # how long the pipes of a dead child may still deliver
MAX_ENDED = 50
_NICENESS = 15


class JobState(enum.StrEnum):
    """State of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def active(self) -> bool:
        """True if the job is queued or running."""
        return self in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True)
class JobStatus:
    """A job at one moment; it never changes.

    Attributes:
        elapsed_s: Time since the child was started, up to the end of the job; 0 before.
        remaining_s: Expected time to the end; None before the child has told any.
        waiting_before: Jobs ahead of a queued one, the running ones included; 0 in every other state.
        message: Reason of a failure, as a sentence for the user; None in every other state.
        calibrated: Share of the held-out images that are scored, after the epochs of a network; else None.
        attempt: 2 or more if a network has learned nothing and is trained again.
    """

    task: Task
    state: JobState
    epochs: tuple[EpochReport, ...]
    total_epochs: int
    elapsed_s: float = 0.0
    remaining_s: float | None = None
    waiting_before: int = 0
    message: str | None = None
    calibrated: float | None = None
    attempt: int = 1


class TrainingJobs:
    """A queue of training jobs. Every method may be called from any thread.

    Args:
        store_root: Folder of the model store, handed on to the child.
        max_running: Children that may run at the same time.
        max_waiting: Jobs that may wait while as many run as may.
        command: Gives the command line of a child from a task and `store_root`.
    """

    def __init__(
        self,
        store_root: AnyPath,
        max_running: int = 1,
        max_waiting: int = 8,
        command: Callable[[Task, AnyPath], list[str]] = train_command,
    ) -> None:
        self._store_root = store_root
        self._max_running = max_running
        self._max_waiting = max_waiting
        self._command = command
        # Guards all that follows, and every _Job. The collector may run a finalizer that calls `cancel` in a
        # thread that holds it, so it must be one that a thread may take twice.
        self._lock = threading.RLock()
        self._jobs: dict[Task, _Job] = {}  # the latest job of each task, in the order of submission
        self._threads: dict[Task, threading.Thread] = {}  # one for each child that may still live
        self._closed = False
        before_exit(self.close)

    def submit(self, task: Task) -> JobStatus:
        """Start a job, or queue it. If the same task is queued or running already, join that job.

        Raises:
            TrainingError: Too many jobs wait, or `close` was called.
        """
        with self._lock:
            if task not in self._jobs or not self._jobs[task].state.active:
                self._require_room()
                self._jobs.pop(task, None)
                self._jobs[task] = _Job(self._lock, task, task.total_epochs)
                self._start_waiting()
            return self._snapshot(self._jobs[task])

    def status(self, task: Task) -> JobStatus | None:
        """The latest job of this task; None if there was none, or if it ended long ago."""
        with self._lock:
            return self._snapshot(self._jobs[task]) if task in self._jobs else None

    def active(self) -> tuple[JobStatus, ...]:
        """All queued and running jobs, in the order of submission."""
        with self._lock:
            return tuple(self._snapshot(job) for job in self._jobs.values() if job.state.active)

    def cancel(self, task: Task) -> None:
        """End a queued or running job. Returns at once, while the child is stopped in the background."""
        with self._lock:
            if task in self._jobs:
                self._jobs[task].end(JobState.CANCELLED)

    def close(self) -> None:
        """Cancel all jobs, wait a few seconds for their children to end, and accept no more."""
        with self._lock:
            self._closed = True
            for job in self._jobs.values():
                job.end(JobState.CANCELLED)
            threads = list(self._threads.values())
        for thread in threads:
            thread.join(GRACE_S + 2 * DRAIN_S)

    def _require_room(self) -> None:  # this and the next two: call with the lock held
        if self._closed:
            raise TrainingError("training must be started while the app runs, got closed; restart the app")
        waiting = sum(job.state is JobState.QUEUED for job in self._jobs.values())
        if len(self._threads) >= self._max_running and waiting >= self._max_waiting:
            raise TrainingError(
                f"the training queue must hold at most {self._max_waiting} waiting jobs, got one more; "
                f"try again when a job has ended, or cancel one"
            )

    def _start_waiting(self) -> None:
        # A cancelled child may still be dying; its task waits, so that two never write the same model.
        queued = [job for job in self._jobs.values() if job.state is JobState.QUEUED]
        ready = [job for job in queued if job.task not in self._threads]
        for job in ready[: self._max_running - len(self._threads)]:
            job.state, job.start_s = JobState.RUNNING, time.monotonic()
            self._threads[job.task] = _start_thread(self._run, job)
        ended = [task for task, job in self._jobs.items() if not job.state.active]
        for task in ended[:-MAX_ENDED]:
            del self._jobs[task]

    def _snapshot(self, job: _Job) -> JobStatus:
        active = [other for other in self._jobs.values() if other.state.active]
        ahead = active.index(job) if job.state is JobState.QUEUED else 0
        now_s = time.monotonic() if job.end_s is None else job.end_s
        elapsed_s = 0.0 if job.start_s is None else now_s - job.start_s
        remaining_s = None if job.expected_end_s is None else max(0.0, job.expected_end_s - now_s)
        return JobStatus(
            task=job.task,
            state=job.state,
            epochs=job.epochs,
            total_epochs=job.total_epochs,
            elapsed_s=elapsed_s,
            remaining_s=remaining_s,
            waiting_before=ahead,
            message=job.message,
            calibrated=job.calibrated,
            attempt=job.attempt,
        )

    def _run(self, job: _Job) -> None:
        message = "training stopped because of a fault in vaead; start it again"
        try:
            message = _follow(self._command(job.task, self._store_root), job)
        except OSError as error:
            message = f"training could not be started ({error}); repair the installation, then start it again"
        finally:
            with self._lock:
                job.end(JobState.FAILED, message)
                del self._threads[job.task]
                self._start_waiting()


@dataclass(eq=False)
class _Job:
    """A job as it changes, guarded by the lock of its TrainingJobs. Times are on the monotonic clock."""

    lock: threading.RLock
    task: Task
    total_epochs: int
    state: JobState = JobState.QUEUED
    epochs: tuple[EpochReport, ...] = ()
    message: str | None = None
    calibrated: float | None = None
    attempt: int = 1
    start_s: float | None = None
    end_s: float | None = None
    expected_end_s: float | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def end(self, state: JobState, message: str | None = None) -> None:
        if self.state.active:  # the first end counts
            self.state, self.message, self.end_s = state, message, time.monotonic()
            self.ended.set()

    def read_line(self, line: str) -> None:
        """Follow an event that the child printed; a line that is none, or comes too late, changes nothing."""
        with self.lock:
            match read_event(line) if self.state.active else None:
                case TrainingStarted(epochs=total):
                    self.total_epochs = total
                case EpochReport(remaining_s=remaining_s) as report:
                    self.expected_end_s = time.monotonic() + remaining_s
                    self.epochs += (report,)
                    self.calibrated = None
                case CalibrationReport(share=share):
                    self.calibrated = share
                case TrainingRestarted(attempt=attempt):
                    self.attempt, self.epochs, self.expected_end_s = attempt, (), None
                    self.calibrated = None
                case TrainingDone():
                    self.end(JobState.DONE)
                case TrainingFailed(message=message):
                    self.end(JobState.FAILED, message)


def _follow(command: list[str], job: _Job) -> str:
    """Run a child until it is gone; returns why the job failed, which counts if no event has ended it."""
    folder = str(temporary_folder().path)  # a killed child leaves its own files
    env = os.environ | {"PYTHONUNBUFFERED": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "TMPDIR": folder}
    # The child and all it starts are one group, which can be stopped as a whole. They stay in the session of
    # the server: Linux compares priorities within a session alone.
    child = Popen(
        command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, errors="replace", env=env, process_group=0
    )
    _lower_priority(child)
    stderr_tail: deque[str] = deque(maxlen=20)
    stdout = _start_thread(_read_lines, child.stdout, job.read_line)
    stderr = _start_thread(_read_lines, child.stderr, stderr_tail.append)
    _await_end(child, job)
    stdout.join(DRAIN_S)
    stderr.join(DRAIN_S)
    return _unexpected_end(child.returncode, stderr_tail.copy())


def _lower_priority(child: Popen[str]) -> None:
    """Let the pages go first, which wait for milliseconds of the processor where a training takes minutes."""
    with contextlib.suppress(OSError, AttributeError):  # it has ended, or the system knows no priorities
        os.setpriority(os.PRIO_PGRP, child.pid, _NICENESS)


def _start_thread(target: Callable[..., None], *args: object) -> threading.Thread:
    thread = threading.Thread(target=target, args=args, name="vaead-training", daemon=True)
    thread.start()
    return thread


def _read_lines(stream: IO[str], consume: Callable[[str], object]) -> None:
    with stream:
        for line in stream:
            consume(line)


def _await_end(child: Popen[str], job: _Job) -> None:
    """Wait until the child has died; once its job has ended, it has GRACE_S left to do so by itself."""
    while child.poll() is None and not job.ended.wait(POLL_S):
        pass
    if job.state is JobState.CANCELLED:
        _signal_group(child, kill=False)
    with contextlib.suppress(TimeoutExpired):
        child.wait(GRACE_S)
    _signal_group(child, kill=True)  # also what the child may have started and left
    child.wait()


def _signal_group(child: Popen[str], *, kill: bool) -> None:
    if sys.platform == "win32":
        child.kill()
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left in the group
            os.killpg(child.pid, signal.SIGKILL if kill else signal.SIGTERM)


def _unexpected_end(code: int, stderr_tail: deque[str]) -> str:
    cause = {number.value: number.name for number in signal.Signals}.get(-code, f"exit code {code}")
    message = f"training stopped unexpectedly ({cause}); start it again, with fewer crops if memory is short"
    lines = [line.strip() for line in stderr_tail if line.strip()]
    # Who is killed has no time to write why, so the last line would mislead.
    return f"{message}. Its last words: {lines[-1][:300]}" if lines and cause != "SIGKILL" else message
