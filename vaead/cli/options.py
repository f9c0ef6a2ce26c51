"""Common parts of all commands: errors on one line, and the options that name a model."""

from __future__ import annotations

import contextlib
import errno
import functools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from vaead.data.datasets import dataset_names, get_spec
from vaead.errors import InvalidInputError, VaeadError
from vaead.inference.predict import LocatedModel
from vaead.inference.read_photos import read_region
from vaead.model.store import ModelStore
from vaead.paths import AnyPath, UrlPath, is_url
from vaead.presets import preset_names
from vaead.processes.workers import BACKENDS, Workers
from vaead.recipe import ClassSource, Recipe

Command = TypeVar("Command", bound=Callable[..., Any])

DEFAULT_PRESET = preset_names()[0]
FALSE_ALARM_RATE = 0.05
"""At which photos are flagged unless told otherwise."""


class _OneLineError(click.ClickException):
    """An error that click prints as one line on standard error."""

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
        raise _OneLineError(one_line(message)) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _OneLineError(
            f"output must have room to be written, got {error.strerror!r}; free some"
        ) from error


def one_line(message: str) -> str:
    """A message without its line breaks."""
    return " ".join(message.split())


class Group(click.Group):
    """Turns the errors a user can act on into one line and exit code 2."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the arguments."""
        with _errors_on_one_line():
            # An empty path would be the folder one is in.
            empty = next((each for each in args if not each or (each[:2] == "--" and each[-1] == "=")), None)
            if empty is not None:
                raise click.UsageError(
                    f"no argument may be empty, got {empty!r}; is a variable of your shell not set?"
                )
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _errors_on_one_line():
            return super().invoke(ctx)


class PathType(click.Path):
    """A path, or a URL that fsspec knows."""

    name = "path or url"

    def __init__(self, *, file_okay: bool = True, dir_okay: bool = True) -> None:
        super().__init__(file_okay=file_okay, dir_okay=dir_okay, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A `AnyPath`."""
        return UrlPath(value) if is_url(value) else super().convert(value, param, ctx)


def dataset_options(command: Command, presets: str | None = None) -> Command:
    """The options that name a model in a store: dataset, normal class, preset, store.

    Args:
        command: The command that gets them.
        presets: Help text of the presets; that of the datasets if not given.
    """
    presets = presets or f"One of {', '.join(preset_names())}.  [default: {DEFAULT_PRESET}]"
    for option in reversed(
        (
            click.option("--dataset", help=f"One of {', '.join(dataset_names())}."),
            click.option("--normal", help="The normal class: its number or its name."),
            click.option("--preset", help=presets),
            click.option(
                "--store",
                type=PathType(file_okay=False),
                help="Folder or URL of the models.  [default: $VAEAD_STORE, or those of vaead and your own]",
            ),
        )
    ):
        command = option(command)
    return command


def worker_options(command: Command) -> Command:
    """The options that say who does the work: backend, address, jobs; see `Workers`."""
    for option in reversed(
        (
            click.option(
                "--backend",
                default=BACKENDS[0],
                show_default=True,
                help="Who does the work: loky, processes on this machine; dask, the workers of a scheduler.",
            ),
            click.option("--address", help="Of the Dask scheduler, for example tcp://scheduler:8786."),
            click.option("--jobs", type=int, help="Processes of loky at a time.  [default: one a core]"),
        )
    ):
        command = option(command)

    @functools.wraps(command)
    def with_workers(*args: Any, backend: str, address: str | None, jobs: int | None, **options: Any) -> Any:
        return command(*args, workers=Workers(backend, address, jobs), **options)

    return with_workers  # type: ignore[return-value]


class _RegionType(click.Path):
    """A mask file, read as a region."""

    name = "mask file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A `IgnoredRegion`."""
        return read_region(str(value if is_url(value) else super().convert(value, param, ctx)))


def ignore_mask_option(command: Command) -> Command:
    """The option for a mask of what is left out."""
    return click.option(
        "--ignore-mask",
        "ignored",
        type=_RegionType(),
        help="Picture of a photo's size, white where photos are left out: no training, no score, no map.",
    )(command)


DATASET_OPTIONS = ("dataset", "normal", "preset", "store")
"""Names of the parameters that `dataset_options` adds."""
WORKER_OPTIONS = ("backend", "address", "jobs")
"""Names of those that `worker_options` adds."""


def require_alone(option: str, others: Iterable[str]) -> None:
    """Refuse parameters of this command that make no sense together with an option.

    Args:
        option: As it is written, for example "--images".
        others: Names of parameters.

    Raises:
        InvalidInputError: One of them was given.
    """
    context = click.get_current_context()
    written = {parameter.name: parameter.opts[0] for parameter in context.command.params}
    for name in others:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise InvalidInputError(
                f"{option} must stand without {written[name]}, got both; leave one of them out"
            )


def require_class(dataset: str | None, normal: str | None, instead: str) -> tuple[str, int]:
    """A dataset and the number of its normal class.

    Args:
        dataset: As given.
        normal: Its number or its name, as given.
        instead: The option that could be there in place of both.

    Raises:
        InvalidInputError: One of them is missing.
        UnknownNameError: One of them does not exist.
    """
    if dataset is None or normal is None:
        found = "neither" if dataset is None and normal is None else "only one of these two"
        raise InvalidInputError(
            f"{instead} must be given, or --dataset and --normal, got {found}; choose one way"
        )
    return dataset, get_spec(dataset).class_index(normal)


def stored_model(dataset: str, normal: int, preset: str | None, store: AnyPath | None) -> LocatedModel:
    """Read a model from a store.

    Raises:
        UnknownNameError: There is no such preset.
        ModelNotFoundError: It is not in the store.
        ModelFormatError: It is damaged, or of another recipe.
    """
    recipe = Recipe.from_preset(preset or DEFAULT_PRESET, ClassSource(dataset, normal))
    models = ModelStore(store)
    return LocatedModel(models.load(recipe), models.folder(recipe))
