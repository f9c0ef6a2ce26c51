"""The command `score`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from vaead.cli.base import model_options
from vaead.datasets import get_spec
from vaead.errors import InvalidInputError
from vaead.images import map_to_png, read_grey_image
from vaead.recipe import Recipe
from vaead.store import Model, ModelStore, load_model
from vaead.terms import SCORES


@click.command()
@model_options(required=False)
@click.option(
    "--model",
    "folder",
    type=click.Path(path_type=Path),
    help="A model's folder, instead of --dataset, --normal and --preset.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@click.option(
    "--false-alarm-rate",
    type=float,
    help="Also say which scores flag the image, with thresholds that this share of normal images passes.",
)
@click.option(
    "--maps",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the anomaly maps: of a.jpg, a.old.npy and a.old.png, and the same for the other scores.",
)
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
def score(
    dataset: str | None,
    normal: str | None,
    preset: str,
    store: Path | None,
    folder: Path | None,
    as_json: bool,
    false_alarm_rate: float | None,
    maps: Path | None,
    images: tuple[Path, ...],
) -> None:
    """Score images: higher is more anomalous.

    old and new are in nats, calibrated is about 1 for normal images. calibrated is there for images as large
    as those the model was trained on.
    """
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

    thresholds = _thresholds(model, false_alarm_rate)
    if maps is not None:
        _require_own_map_files(images, maps)
    results = [_score_image(model, image, maps, thresholds) for image in images]
    click.echo(json.dumps(results) if as_json else "\n".join(_line(result) for result in results))


def _thresholds(model: Model, false_alarm_rate: float | None) -> dict[str, float]:
    if false_alarm_rate is None:
        return {}
    return {name: model.card.calibration.threshold_value(name, false_alarm_rate) for name in SCORES}


def _score_image(model: Model, file: Path, maps: Path | None, thresholds: dict[str, float]) -> dict[str, Any]:
    image = read_grey_image(file)
    try:
        terms = model.term_maps(image[None])
    except InvalidInputError as error:
        raise InvalidInputError(f"{click.format_filename(file)}: {error}") from error
    if maps is not None:
        _write_maps({name: terms.maps(name)[0] for name in terms.scores}, file, maps)
    scores = {name: float(terms.image_scores(name)[0]) for name in terms.scores}
    result: dict[str, Any] = {"image": str(file), **dict.fromkeys(SCORES), **scores}
    if thresholds:
        result["flagged"] = {
            name: scores[name] > thresholds[name] if name in scores else None for name in SCORES
        }
    return result


def _line(result: dict[str, Any]) -> str:
    parts = [click.format_filename(result["image"])]
    for name in SCORES:
        if result[name] is not None:
            flagged = " flagged" if result.get("flagged", {}).get(name) else ""
            parts.append(f"{name} {result[name]:.3f}{flagged}")
    return "\t".join(parts)


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
