"""What all commands share: errors on one line, and the options that name a model."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

from vaead.datasets import dataset_names
from vaead.errors import VaeadError
from vaead.recipe import PRESETS

Command = TypeVar("Command", bound=Callable[..., Any])


class _OneLineError(click.ClickException):
    """What click prints as one line on standard error."""

    exit_code = 2


@contextlib.contextmanager
def _errors_on_one_line() -> Iterator[None]:
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except (VaeadError, click.ClickException) as error:
        message = error.format_message() if isinstance(error, click.ClickException) else str(error)
        if isinstance(error, click.UsageError) and error.ctx is not None:
            message += f" Try '{error.ctx.command_path} --help'."
        raise _OneLineError(" ".join(message.split())) from error


class Group(click.Group):
    """Turns the errors a user can act on into one line and exit code 2."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the arguments."""
        with _errors_on_one_line():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _errors_on_one_line():
            return super().invoke(ctx)


def model_options(required: bool) -> Callable[[Command], Command]:
    """The options that name a model in a store: dataset, normal class, preset, store."""

    def add(command: Command) -> Command:
        for option in reversed(
            (
                click.option("--dataset", required=required, help=f"One of {', '.join(dataset_names())}."),
                click.option("--normal", required=required, help="The normal class: its number or its name."),
                click.option(
                    "--preset", default="article", show_default=True, help=f"One of {', '.join(PRESETS)}."
                ),
                click.option(
                    "--store",
                    type=click.Path(path_type=Path, file_okay=False),
                    help="Folder of the models.  [default: $VAEAD_STORE, or models beside the package]",
                ),
            )
        ):
            command = option(command)
        return command

    return add
