"""The command line. Results go to standard output; an error is one line on standard error, exit code 2."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import numpy as np

from vaead.config import PRESETS, Recipe
from vaead.datasets import dataset_names, get_spec
from vaead.errors import InvalidInputError, VaeadError
from vaead.images import map_to_png, read_grey_image
from vaead.store import Model, ModelStore, load_model
from vaead.terms import SCORES

if TYPE_CHECKING:
    from vaead.training import EpochReport

Command = TypeVar("Command", bound=Callable[..., Any])


class _Group(click.Group):
    """Turns the errors a user can act on into one line and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except VaeadError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(2)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=None, version="0.1.0", prog_name="vaead")
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
                click.option("--preset", default="article", show_default=True, help=f"One of {', '.join(PRESETS)}."),
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
    seed: int | None,
    progress: str,
) -> None:
    """Train a model on one class and print its folder last."""
    report = _JsonProgress() if progress == "json" else _TextProgress()
    try:
        normal_class = get_spec(dataset).class_index(normal)
        recipe = Recipe.from_preset(
            dataset, normal_class, preset, epochs=epochs, crops=crops, latent=latent, seed=seed
        )
        report.start(recipe)
        from vaead.pipeline import train as train_recipe  # TensorFlow takes seconds to import

        models = ModelStore(store)
        model = train_recipe(recipe, models, report.epoch)
        report.done(models.folder(recipe), model.card.history[-1]["elapsed_s"])
    except VaeadError as error:
        report.error(error)
        raise


class _JsonProgress:
    """One JSON object a line, for the program that started the training."""

    def start(self, recipe: Recipe) -> None:
        self._write("start", epochs=recipe.train.epochs, crops=recipe.train.crops, path=str(recipe.path))

    def epoch(self, report: EpochReport) -> None:
        self._write("epoch", **dataclasses.asdict(report))

    def done(self, folder: Path, elapsed_s: float) -> None:
        self._write("done", elapsed_s=elapsed_s, model=str(folder))

    def error(self, error: VaeadError) -> None:
        self._write("error", message=str(error))

    def _write(self, event: str, **fields: object) -> None:
        click.echo(json.dumps({"event": event, **fields}))
        sys.stdout.flush()


class _TextProgress:
    """A progress bar for a person."""

    def start(self, recipe: Recipe) -> None:
        click.echo(f"Training {recipe.path}: {recipe.train.crops:,} crops, {recipe.train.epochs} epochs", err=True)
        self._bar = click.progressbar(length=recipe.train.epochs, label="epochs", file=sys.stderr)
        self._bar.render_progress()

    def epoch(self, report: EpochReport) -> None:
        self._bar.label = f"loss {report.loss:9.2f}"
        self._bar.update(1)

    def done(self, folder: Path, elapsed_s: float) -> None:
        self._bar.render_finish()
        click.echo(f"Trained in {elapsed_s:.1f} s", err=True)
        click.echo(str(folder))

    def error(self, error: VaeadError) -> None:
        """The group prints the error."""


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
    help="Folder for the anomaly maps: IMAGE.old.npy and IMAGE.old.png, and the same for new.",
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
    if folder is not None:
        model = load_model(folder)
    elif dataset is not None and normal is not None:
        normal_class = get_spec(dataset).class_index(normal)
        model = ModelStore(store).load(Recipe.from_preset(dataset, normal_class, preset))
    else:
        raise InvalidInputError("--model must be given, or --dataset and --normal, got neither; name a model")

    results = [_score_image(model, image, maps) for image in images]
    if as_json:
        click.echo(json.dumps(results))
        return
    for result in results:
        click.echo(f"{result['image']}\told {result['old']:.3f}\tnew {result['new']:.3f}")


def _score_image(model: Model, file: Path, maps: Path | None) -> dict[str, object]:
    image = read_grey_image(file)
    try:
        terms = model.term_maps(image[None])
    except InvalidInputError as error:
        raise InvalidInputError(f"{file}: {error}") from error
    result: dict[str, object] = {"image": str(file)}
    for name in SCORES:
        result[name] = float(terms.image_scores(name)[0])
        if maps is not None:
            maps.mkdir(parents=True, exist_ok=True)
            anomaly_map = terms.maps(name)[0]
            np.save(maps / f"{file.stem}.{name}.npy", anomaly_map)
            (maps / f"{file.stem}.{name}.png").write_bytes(map_to_png(anomaly_map))
    return result
