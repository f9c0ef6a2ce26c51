"""A progress bar around results that come one by one."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

Result = TypeVar("Result")


def with_bar(results: Iterable[Result], total: int, label: str = "images") -> Iterator[Result]:
    """The same results, with a progress bar on standard error."""
    bar: ProgressBar[int] | None = None
    with contextlib.ExitStack() as shown:
        for each in results:
            # Opened by the first result, so that an error stands alone on its line.
            bar = bar or shown.enter_context(click.progressbar(length=total, label=label, file=sys.stderr))
            bar.update(1)
            yield each
