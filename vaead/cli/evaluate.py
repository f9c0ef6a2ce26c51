"""The command `evaluate`."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from vaead.cli.base import (
    DATASET_OPTIONS,
    DEFAULT_PRESET,
    dataset_options,
    require_alone,
    require_class,
    stored_model,
)
from vaead.cli.photos import Skipped
from vaead.datasets import get_spec, load_dataset
from vaead.errors import InvalidInputError
from vaead.photos import Rejected, find_photos
from vaead.store import load_model
from vaead.terms import SCORES

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from vaead.photo_evaluation import DefectMetrics


@click.command()
@dataset_options
@click.option(
    "--anomaly",
    default="all",
    show_default=True,
    help="The anomalous class: its number or its name; or all, for each other class and then all of them.",
)
@click.option("--model", "folder", type=click.Path(path_type=Path), help="A model's folder, with --images.")
@click.option("--images", help="Folder or URL of photos in the layout of MVTec AD, with --model.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def evaluate(
    dataset: str | None,
    normal: str | None,
    preset: str | None,
    store: Path | None,
    anomaly: str,
    folder: Path | None,
    images: str | None,
    as_json: bool,
) -> None:
    """Judge the scores on test images whose class or defect is known.

    Either on all test images of the normal class of a dataset and of others, or on a folder of photos: on
    those in test/good and each test/<defect>, and where there are masks in ground_truth/<defect>, on their
    pixels.
    """
    if folder is not None or images is not None:
        require_alone("--model" if images is None else "--images", (*DATASET_OPTIONS, "anomaly"))
        if folder is None or images is None:
            got = "--images" if folder is None else "--model"
            raise InvalidInputError(
                f"--model and --images must be given together, got only {got}; add the other"
            )
        _evaluate_photos(folder, images, as_json)
    else:
        name, number = require_class(dataset, normal, "--model with --images")
        _evaluate_classes(name, number, preset or DEFAULT_PRESET, store, anomaly, as_json)


def _evaluate_photos(folder: Path, images: str, as_json: bool) -> None:
    from vaead.photo_evaluation import evaluate_photos  # scikit-learn takes a second to import

    model, photos = load_model(folder), find_photos(images)
    rejected: list[Rejected] = []
    if photos.unsorted:
        raise InvalidInputError(
            f"images must be a dataset with test/good and test/<defect>, got a plain folder {images!r}; sort "
            "its images into such folders"
        )
    with contextlib.ExitStack() as shown:

        @functools.cache  # opened by the first image, so that an error stands alone on its line
        def bar(total: int) -> ProgressBar[int]:
            return shown.enter_context(click.progressbar(length=total, label="images", file=sys.stderr))

        results = evaluate_photos(model, photos.test, lambda _, total: bar(total).update(1), rejected.append)
    for result in results:
        click.echo(json.dumps(dataclasses.asdict(result)) if as_json else _defect_line(result))
    skipped = Skipped()
    skipped.tell([*photos.rejected, *rejected])
    skipped.sum_up(len(photos.test) - len(rejected))
    if skipped.count:
        click.get_current_context().exit(1)


def _defect_line(result: DefectMetrics) -> str:
    metrics = {"auroc": result.auroc, "pixel auroc": result.pixel_auroc, "aupro": result.aupro}
    counts = f"{result.n_normal} normal, {result.n_anomalous} anomalous"
    return f"{result.defect}\t{counts}\t{_figures(metrics)}"


def _evaluate_classes(
    dataset: str, normal: int, preset: str, store: Path | None, anomaly: str, as_json: bool
) -> None:
    spec = get_spec(dataset)
    anomalies = _anomalies(
        len(spec.class_names), normal, anomaly if anomaly == "all" else spec.class_index(anomaly)
    )
    model = stored_model(dataset, normal, preset, store)
    images = load_dataset(dataset)
    terms = model.term_maps(images.test.images)
    scores = {name: terms.image_scores(name) for name in SCORES}
    for which in anomalies:
        result = {
            "dataset": dataset,
            "normal": normal,
            "anomaly": which,
            "preset": preset,
            **_compare(scores, images.test.labels, normal, which),
        }
        click.echo(json.dumps(result) if as_json else _class_line(result))


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


def _class_line(result: dict[str, Any]) -> str:
    metrics = {metric: result[metric] for metric in ("auroc", "aupr", "fpr95")}
    return f"{result['normal']} against {result['anomaly']}\t{_figures(metrics)}"


def _figures(metrics: dict[str, dict[str, float | None]]) -> str:
    return "\t".join(
        f"{metric} "
        + " ".join(f"{name} {'-' if value is None else f'{value:.3f}'}" for name, value in values.items())
        for metric, values in metrics.items()
    )
