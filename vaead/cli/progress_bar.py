"""A progress bar on standard error."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

Result = TypeVar("Result")


@contextlib.contextmanager
def progress_bar(label: str = "images") -> Iterator[Callable[[int, int], None]]:
    """A function to call after each step, with the numbers of steps done and in all."""
    with contextlib.ExitStack() as shown:
        bar: ProgressBar[int] | None = None

        def step(_done: int, total: int) -> None:
            nonlocal bar
            if bar is None:  # opened by the first step, so that an error stands alone on its line
                bar = shown.enter_context(click.progressbar(length=total, label=label, file=sys.stderr))
            bar.update(1)

        yield step


def with_bar(results: Iterable[Result], total: int, label: str = "images") -> Iterator[Result]:
    """The same results, with a progress bar on standard error."""
    with progress_bar(label) as step:
        for done, each in enumerate(results, start=1):
            step(done, total)
            yield each
