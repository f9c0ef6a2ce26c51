"""The command `evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from vaead.cli.base import model_options
from vaead.datasets import get_spec, load_dataset
from vaead.errors import InvalidInputError
from vaead.recipe import Recipe
from vaead.store import ModelStore
from vaead.terms import SCORES


@click.command()
@model_options(required=True)
@click.option(
    "--anomaly",
    default="all",
    show_default=True,
    help="The anomalous class: its number or its name; or all, for each other class and then all of them.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def evaluate(dataset: str, normal: str, preset: str, store: Path | None, anomaly: str, as_json: bool) -> None:
    """Judge the scores on all test images of the normal class and of others."""
    spec = get_spec(dataset)
    recipe = Recipe.from_preset(dataset, spec.class_index(normal), preset)
    anomalies = _anomalies(
        len(spec.class_names), recipe.normal, anomaly if anomaly == "all" else spec.class_index(anomaly)
    )
    model = ModelStore(store).load(recipe)
    images = load_dataset(dataset)
    terms = model.term_maps(images.test.images)
    scores = {name: terms.image_scores(name) for name in SCORES}
    for which in anomalies:
        result = {
            "dataset": dataset,
            "normal": recipe.normal,
            "anomaly": which,
            "preset": preset,
            **_compare(scores, images.test.labels, recipe.normal, which),
        }
        click.echo(json.dumps(result) if as_json else _lines(result))


def _anomalies(classes: int, normal: int, anomaly: int | str) -> list[int | str]:
    if anomaly == normal:
        raise InvalidInputError(
            f"anomaly must be another class than the normal one, got {anomaly} for both; choose another class"
        )
    return [*(label for label in range(classes) if label != normal), "all"] if anomaly == "all" else [anomaly]


def _compare(
    scores: dict[str, NDArray[np.float32]], labels: NDArray[np.uint8], normal: int, anomaly: int | str
) -> dict[str, Any]:
    from vaead.evaluation import METRICS, Metrics  # scikit-learn takes a second to import

    inside = labels == normal
    outside = ~inside if anomaly == "all" else labels == anomaly
    metrics = {name: Metrics.of(values[inside], values[outside]) for name, values in scores.items()}
    return {
        "n_normal": int(inside.sum()),
        "n_anomalous": int(outside.sum()),
        **{metric: {name: getattr(found, metric) for name, found in metrics.items()} for metric in METRICS},
    }


def _lines(result: dict[str, Any]) -> str:
    figures = "\t".join(
        f"{metric} " + " ".join(f"{name} {value:.3f}" for name, value in result[metric].items())
        for metric in ("auroc", "aupr", "fpr95")
    )
    return f"{result['normal']} against {result['anomaly']}\t{figures}"
