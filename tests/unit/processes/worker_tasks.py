"""What other processes are asked to do; they find it by its name."""

import os
import signal
import time
from pathlib import Path

Task = tuple[int]


def square(task: Task) -> int:
    (number,) = task
    return number * number


def process(_task: Task) -> int:
    return os.getpid()


def refuse(task: Task) -> int:
    (number,) = task
    if number == 5:
        raise LookupError("five is refused")
    return number


def die(_task: Task) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def variable(task: tuple[str]) -> str | None:
    """The value of an environment variable."""
    return os.environ.get(*task)


def wait(task: tuple[str, int]) -> None:
    """Leave a sign in a folder, and take long."""
    folder, number = task
    Path(folder, f"{number}.began").touch()
    time.sleep(60)
