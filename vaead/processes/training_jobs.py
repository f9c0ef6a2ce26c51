"""Training jobs: each trains one model in a child process, and all visitors of the app share them.

Training needs TensorFlow, which the app never loads, so a job runs `python -m vaead train` and reads the
events that the child prints, one JSON object a line.
"""

from __future__ import annotations

import enum
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vaead.errors import TrainingError
from vaead.model.events import (
    CalibrationReport,
    EpochMaps,
    EpochReport,
    TrainingDone,
    TrainingFailed,
    TrainingRestarted,
    TrainingStarted,
    read_event,
)
from vaead.paths import AnyPath
from vaead.processes.at_exit import before_exit
from vaead.processes.durations import DurationLog, Durations
from vaead.processes.job_clock import JobClock
from vaead.processes.temporary import temporary_folder
from vaead.processes.train_command import Task, recipe_of, train_command
from vaead.processes.training_child import DRAIN_S, GRACE_S, run_child, start_thread
from vaead.recipe import Recipe

MAX_ENDED = 50


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
        share: What is done, as a share of the expected time, 0 to 1.
        remaining_s: Expected time to the end, with that of the jobs ahead of a queued one; 0 after the end.
        waiting_before: Jobs ahead of a queued one, the running ones included; 0 in every other state.
        message: Reason of a failure, as a sentence for the user; None in every other state.
        calibrated: Share of the held-out images that are scored, after the epochs of a network; else None.
        attempt: 2 or more if a network has learned nothing and is trained again.
        followed: Images (N, H, W) whose terms are told epoch by epoch; None for none.
        maps: These terms, by epoch.
    """

    task: Task
    state: JobState
    epochs: tuple[EpochReport, ...]
    total_epochs: int
    elapsed_s: float = 0.0
    share: float = 0.0
    remaining_s: float = 0.0
    waiting_before: int = 0
    message: str | None = None
    calibrated: float | None = None
    attempt: int = 1
    followed: NDArray[np.uint8] | None = None
    maps: tuple[EpochMaps, ...] = ()


class TrainingJobs:
    """A queue of training jobs. Every method may be called from any thread.

    Args:
        store_root: Folder of the model store, handed on to the child.
        max_running: Children that may run at the same time.
        max_waiting: Jobs that may wait while as many run as may.
        command: Gives the command line of a child from a task and `store_root`.
        durations: What trainings take on this machine; by default nothing is known of it.
    """

    def __init__(
        self,
        store_root: AnyPath,
        max_running: int = 1,
        max_waiting: int = 8,
        command: Callable[[Task, AnyPath], list[str]] = train_command,
        durations: DurationLog | None = None,
    ) -> None:
        self._store_root = store_root
        self._max_running = max_running
        self._max_waiting = max_waiting
        self._command = command
        self._durations = durations or DurationLog(None)
        # Guards all that follows, and every _Job. The collector may run a finalizer that calls `cancel` in a
        # thread that holds it, so it must be one that a thread may take twice.
        self._lock = threading.RLock()
        self._jobs: dict[Task, _Job] = {}  # the latest job of each task, in the order of submission
        self._threads: dict[Task, threading.Thread] = {}  # one for each child that may still live
        self._closed = False
        before_exit(self.close)

    def submit(self, task: Task, windows: int = 0, followed: NDArray[np.uint8] | None = None) -> JobStatus:
        """Start a job, or queue it. If the same task is queued or running already, join that job.

        Args:
            task: The task.
            windows: Windows of all networks in the held-out images, to tell how long it will take.
            followed: A few images (N, H, W) whose terms it tells after each epoch; for tasks of classes.

        Raises:
            TrainingError: Too many jobs wait, or `close` was called.
        """
        with self._lock:
            if task not in self._jobs or not self._jobs[task].state.active:
                self._require_room()
                self._jobs.pop(task, None)
                expected = self._durations.expected(recipe_of(task), windows)
                self._jobs[task] = _Job(self._lock, task, windows, expected, task.total_epochs, followed)
                self._start_waiting()
            return self._snapshot(self._jobs[task])

    def expected_s(self, recipe: Recipe, windows: int) -> float:
        """Seconds that a job of this recipe will take, from `submit` to its end."""
        with self._lock:
            own_s = self._durations.expected(recipe, windows).total_s
            return own_s + sum(self._remaining_s(job) for job in self._jobs.values())

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
            job.start()
            self._threads[job.task] = start_thread(self._run, job)
        ended = [task for task, job in self._jobs.items() if not job.state.active]
        for task in ended[:-MAX_ENDED]:
            del self._jobs[task]

    def _snapshot(self, job: _Job) -> JobStatus:
        active = [other for other in self._jobs.values() if other.state.active]
        ahead = active.index(job) if job.state is JobState.QUEUED else 0
        now_s = time.monotonic() if job.end_s is None else job.end_s
        elapsed_s = 0.0 if job.clock is None else now_s - job.clock.start_s
        before = active[: ahead + 1] if job.state.active else []
        return JobStatus(
            task=job.task,
            state=job.state,
            epochs=job.epochs,
            total_epochs=job.total_epochs,
            elapsed_s=elapsed_s,
            share=0.0 if job.clock is None else job.clock.share(now_s),
            remaining_s=sum(map(self._remaining_s, before)),
            waiting_before=ahead,
            message=job.message,
            calibrated=job.calibrated,
            attempt=job.attempt,
            followed=job.followed,
            maps=job.maps,
        )

    def _remaining_s(self, job: _Job) -> float:
        if not job.state.active:
            return 0.0
        return job.expected.total_s if job.clock is None else job.clock.remaining_s(time.monotonic())

    def _run(self, job: _Job) -> None:
        message = "training stopped because of a fault in vaead; start it again"
        try:
            command = [*self._command(job.task, self._store_root), *_follow_option(job.followed)]
            message = run_child(command, job.read_line, job.ended, lambda: job.state is JobState.CANCELLED)
        except OSError as error:
            message = f"training could not be started ({error}); repair the installation, then start it again"
        finally:
            with self._lock:
                job.end(JobState.FAILED, message)
                if job.measured is not None:
                    self._durations.learn(recipe_of(job.task), job.windows, job.measured)
                del self._threads[job.task]
                self._start_waiting()


def _follow_option(followed: NDArray[np.uint8] | None) -> list[str]:
    """Option of the child for images to follow, in a file that goes with the server."""
    if followed is None:
        return []
    descriptor, file = tempfile.mkstemp(".npy", dir=temporary_folder().path)
    with os.fdopen(descriptor, "wb") as stream:
        np.save(stream, followed)
    return ["--follow", file]


@dataclass(eq=False)
class _Job:
    """A job as it changes, guarded by the lock of its TrainingJobs. Times are on the monotonic clock."""

    lock: threading.RLock
    task: Task
    windows: int
    expected: Durations
    total_epochs: int
    followed: NDArray[np.uint8] | None
    state: JobState = JobState.QUEUED
    epochs: tuple[EpochReport, ...] = ()
    maps: tuple[EpochMaps, ...] = ()
    message: str | None = None
    calibrated: float | None = None
    attempt: int = 1
    clock: JobClock | None = None
    end_s: float | None = None
    measured: Durations | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self.state = JobState.RUNNING
        networks = len(recipe_of(self.task).networks)
        self.clock = JobClock(self.expected, self.total_epochs, networks, time.monotonic())

    def end(self, state: JobState, message: str | None = None) -> None:
        if self.state.active:  # the first end counts
            self.state, self.message, self.end_s = state, message, time.monotonic()
            self.ended.set()

    def read_line(self, line: str) -> None:
        """Follow an event that the child printed; a line that is none, or comes too late, changes nothing."""
        with self.lock:
            clock, now_s = self.clock, time.monotonic()
            assert clock is not None
            match read_event(line) if self.state.active else None:
                case TrainingStarted(epochs=total):
                    self.total_epochs = clock.epochs = total
                case EpochReport(epoch=epoch, elapsed_s=elapsed_s) as report:
                    clock.epoch(epoch, elapsed_s, now_s)
                    self.epochs += (report,)
                    self.calibrated = None
                case EpochMaps() as maps:
                    self.maps += (maps,)
                case CalibrationReport(share=share):
                    clock.calibration(share, now_s)
                    self.calibrated = share
                case TrainingRestarted(attempt=attempt):
                    clock.restart(now_s)
                    self.attempt, self.epochs, self.calibrated = attempt, (), None
                case TrainingDone():
                    self.measured = clock.measured(now_s)
                    self.end(JobState.DONE)
                case TrainingFailed(message=message):
                    self.end(JobState.FAILED, message)
