"""What other processes are asked to do; they find it by its name."""

import os
import signal

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
