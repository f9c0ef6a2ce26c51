"""The command line. Results go to standard output; an error is one line on standard error, exit code 2."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import numpy as np
from numpy.typing import NDArray

from vaead import __version__
from vaead.config import PRESETS, Recipe
from vaead.datasets import dataset_names, get_spec
from vaead.errors import InvalidInputError, VaeadError
from vaead.images import map_to_png, read_grey_image
from vaead.store import Model, ModelStore, load_model
from vaead.terms import SCORES

if TYPE_CHECKING:
    from vaead.training import EpochReport

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


class _Group(click.Group):
    """Turns the errors a user can act on into one line and exit code 2."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        with _errors_on_one_line():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _errors_on_one_line():
            return super().invoke(ctx)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=None, version=__version__, prog_name="vaead")
def main() -> None:
    """Find out where a variational autoencoder finds an image anomalous."""


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def datasets(as_json: bool) -> None:
    """List the datasets and their classes."""
    specs = [get_spec(name) for name in dataset_names()]
    if as_json:
        entries = [{"name": s.name, "title": s.title, "classes": list(s.class_names)} for s in specs]
        click.echo(json.dumps(entries))
        return
    for spec in specs:
        classes = ", ".join(f"{number} {name}" for number, name in enumerate(spec.class_names))
        click.echo(f"{spec.name}\t{spec.title}\t{classes}")


def _model_options(required: bool) -> Callable[[Command], Command]:
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


@main.command()
@_model_options(required=True)
@click.option("--epochs", type=int, help="Passes over the crops.  [default: the preset's]")
@click.option("--crops", type=int, help="Random patches to train on.  [default: the preset's]")
@click.option("--latent", type=int, help="Dimensions of the latent variable.  [default: the preset's]")
@click.option(
    "--patience",
    type=int,
    help="Stop after so many epochs without a lower held-out loss; 0: never.  [default: the preset's]",
)
@click.option("--seed", type=int, help="Of everything random.  [default: the preset's]")
@click.option(
    "--progress",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A progress bar on standard error, or one JSON object a line on standard output.",
)
def train(
    dataset: str,
    normal: str,
    preset: str,
    store: Path | None,
    epochs: int | None,
    crops: int | None,
    latent: int | None,
    patience: int | None,
    seed: int | None,
    progress: str,
) -> None:
    """Train a model on one class and print its folder last."""
    report = _JsonProgress() if progress == "json" else _TextProgress()
    try:
        normal_class = get_spec(dataset).class_index(normal)
        recipe = Recipe.from_preset(
            dataset,
            normal_class,
            preset,
            epochs=epochs,
            crops=crops,
            latent=latent,
            patience=patience,
            seed=seed,
        )
        models = ModelStore(store)
        models.check_writable()
        report.start(recipe)
        from vaead.pipeline import train as train_recipe  # TensorFlow takes seconds to import

        model = train_recipe(recipe, models, report.epoch)
        report.done(models.folder(recipe), model.card.history[-1]["elapsed_s"])
    except BaseException as error:
        report.stop(error)
        raise


class _JsonProgress:
    """One JSON object a line, for the program that started the training."""

    def start(self, recipe: Recipe) -> None:
        self._write("start", epochs=recipe.train.epochs, crops=recipe.train.crops, path=str(recipe.path))

    def epoch(self, report: EpochReport) -> None:
        self._write("epoch", **dataclasses.asdict(report))

    def done(self, folder: Path, elapsed_s: float) -> None:
        self._write("done", elapsed_s=elapsed_s, model=str(folder))

    def stop(self, error: BaseException) -> None:
        if isinstance(error, VaeadError):
            self._write("error", message=str(error))

    def _write(self, event: str, **fields: object) -> None:
        click.echo(json.dumps({"event": event, **fields}))  # which flushes


class _TextProgress:
    """A progress bar for a person."""

    def __init__(self) -> None:
        self._shown = contextlib.ExitStack()

    def start(self, recipe: Recipe) -> None:
        click.echo(
            f"Training {recipe.path}: {recipe.train.crops:,} crops, {recipe.train.epochs} epochs", err=True
        )
        bar = click.progressbar(length=recipe.train.epochs, label="epochs", file=sys.stderr)
        self._bar = self._shown.enter_context(bar)

    def epoch(self, report: EpochReport) -> None:
        self._bar.label = f"loss {report.loss:9.2f}"
        self._bar.update(1)

    def done(self, folder: Path, elapsed_s: float) -> None:
        self._shown.close()
        click.echo(f"Trained in {elapsed_s:.1f} s", err=True)
        click.echo(str(folder))

    def stop(self, _error: BaseException) -> None:
        self._shown.close()  # the group prints the error


@main.command()
@_model_options(required=False)
@click.option(
    "--model",
    "folder",
    type=click.Path(path_type=Path),
    help="A model's folder, instead of --dataset, --normal and --preset.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@click.option(
    "--maps",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the anomaly maps: of a.jpg, a.old.npy and a.old.png, and the same for new.",
)
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
def score(
    dataset: str | None,
    normal: str | None,
    preset: str,
    store: Path | None,
    folder: Path | None,
    as_json: bool,
    maps: Path | None,
    images: tuple[Path, ...],
) -> None:
    """Score images: higher is more anomalous, in nats."""
    if folder is not None and (dataset is not None or normal is not None):
        raise InvalidInputError(
            "--model must stand without --dataset and --normal, got both; name one model, in one way"
        )
    if folder is not None:
        model = load_model(folder)
    elif dataset is not None and normal is not None:
        normal_class = get_spec(dataset).class_index(normal)
        model = ModelStore(store).load(Recipe.from_preset(dataset, normal_class, preset))
    else:
        raise InvalidInputError("--model must be given, or --dataset and --normal, got neither; name a model")

    if maps is not None:
        _require_own_map_files(images, maps)
    results = [_score_image(model, image, maps) for image in images]
    if as_json:
        click.echo(json.dumps(results))
        return
    for result in results:
        click.echo(
            f"{click.format_filename(str(result['image']))}\told {result['old']:.3f}\tnew {result['new']:.3f}"
        )


def _score_image(model: Model, file: Path, maps: Path | None) -> dict[str, object]:
    image = read_grey_image(file)
    try:
        terms = model.term_maps(image[None])
    except InvalidInputError as error:
        raise InvalidInputError(f"{click.format_filename(file)}: {error}") from error
    if maps is not None:
        _write_maps({name: terms.maps(name)[0] for name in SCORES}, file, maps)
    return {"image": str(file), **{name: float(terms.image_scores(name)[0]) for name in SCORES}}


def _map_file(image: Path, maps: Path, score_name: str, ending: str) -> Path:
    return maps / f"{image.stem}.{score_name}.{ending}"


def _require_own_map_files(images: tuple[Path, ...], maps: Path) -> None:
    """Refuse to write the maps of two images to the same files, or over one of the images."""
    owners = {image.resolve(): image for image in images}
    for image in images:
        for name in SCORES:
            for ending in ("npy", "png"):
                file = _map_file(image, maps, name, ending)
                owner = owners.setdefault(file.resolve(), image)
                if owner.resolve() != image.resolve():
                    raise InvalidInputError(
                        f"images must not share the names of their maps, got {str(owner)!r} and "
                        f"{str(image)!r} for {file.name!r}; rename one, or use another folder for its maps"
                    )


def _write_maps(anomaly_maps: dict[str, NDArray[np.float32]], image: Path, maps: Path) -> None:
    try:
        maps.mkdir(parents=True, exist_ok=True)
        for name, anomaly_map in anomaly_maps.items():
            np.save(_map_file(image, maps, name, "npy"), anomaly_map)
            _map_file(image, maps, name, "png").write_bytes(map_to_png(anomaly_map))
    except OSError as error:
        raise InvalidInputError(
            f"maps must be a folder that can be written, got {str(maps)!r} ({error.strerror or error}); "
            "free some space, change its permissions, or name another folder"
        ) from error
