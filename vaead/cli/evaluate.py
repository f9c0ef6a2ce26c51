"""The command `evaluate`."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from vaead.cli.inputs import Skipped
from vaead.cli.options import (
    DATASET_OPTIONS,
    DEFAULT_PRESET,
    FALSE_ALARM_RATE,
    WORKER_OPTIONS,
    PathType,
    dataset_options,
    require_alone,
    require_class,
    stored_model,
    worker_options,
)
from vaead.data.datasets import get_spec, load_dataset
from vaead.data.photos import Rejected, find_photos
from vaead.errors import InvalidInputError
from vaead.inference.batches import LocatedModel, current_folder, look_at_each
from vaead.paths import AnyPath
from vaead.processes.workers import Workers
from vaead.scoring.loss_terms import SCORES

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from vaead.inference.evaluate_photos import DefectMetrics


@click.command()
@dataset_options
@click.option(
    "--anomaly",
    default="all",
    show_default=True,
    help="The anomalous class: its number or its name; or all, for each other class and then all of them.",
)
@click.option("--model", "folder", type=PathType(), help="A model's folder or URL, with --images.")
@click.option("--images", help="Folder or URL of photos in the layout of MVTec AD, with --model.")
@click.option(
    "--false-alarm-rate",
    type=float,
    default=FALSE_ALARM_RATE,
    show_default=True,
    help="Of photos, also say which are flagged, with thresholds that this share of normal images passes.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@worker_options
def evaluate(
    dataset: str | None,
    normal: str | None,
    preset: str | None,
    store: AnyPath | None,
    anomaly: str,
    folder: AnyPath | None,
    images: str | None,
    false_alarm_rate: float,
    as_json: bool,
    workers: Workers,
) -> None:
    """Judge the scores on test images whose class or defect is known.

    Either on all test images of the normal class of a dataset and of others, or on a folder of photos: on
    those in test/good and each test/<defect>, and where there are masks in ground_truth/<defect>, on their
    pixels. A large folder is shared out to processes on this machine, or to the workers of a Dask scheduler.
    """
    if folder is not None or images is not None:
        require_alone("--model" if images is None else "--images", (*DATASET_OPTIONS, "anomaly"))
        if folder is None or images is None:
            got = "--images" if folder is None else "--model"
            raise InvalidInputError(
                f"--model and --images must be given together, got only {got}; add the other"
            )
        _evaluate_photos(folder, images, false_alarm_rate, as_json, workers)
    else:
        require_alone("--dataset", ("false_alarm_rate", *WORKER_OPTIONS))
        name, number = require_class(dataset, normal, "--model with --images")
        _evaluate_classes(name, number, preset or DEFAULT_PRESET, store, anomaly, as_json)


def _evaluate_photos(
    folder: AnyPath, images: str, false_alarm_rate: float, as_json: bool, workers: Workers
) -> None:
    from vaead.inference.evaluate_photos import (  # scikit-learn takes a second to import
        evaluate_labelled,
        label_each,
    )

    located = LocatedModel.load(folder)
    threshold = located.model.card.normal_scores.threshold_value
    thresholds = {name: threshold(name, false_alarm_rate) for name in SCORES}
    photos = find_photos(images)
    rejected: list[Rejected] = []
    if photos.unsorted:
        raise InvalidInputError(
            f"images must be a dataset with test/good and test/<defect>, got a plain folder {images!r}; sort "
            "its images into such folders"
        )
    with workers, contextlib.ExitStack() as shown:

        @functools.cache  # opened by the first image, so that an error stands alone on its line
        def bar(total: int) -> ProgressBar[int]:
            return shown.enter_context(click.progressbar(length=total, label="images", file=sys.stderr))

        labelled = look_at_each(label_each, current_folder, located, photos.test, workers)
        shown.enter_context(contextlib.closing(labelled))
        results = evaluate_labelled(
            photos.test, labelled, lambda _, total: bar(total).update(1), rejected.append, thresholds
        )
    for result in results:
        click.echo(json.dumps(dataclasses.asdict(result)) if as_json else _defect_line(result))
    skipped = Skipped()
    skipped.tell([*photos.rejected, *rejected])
    skipped.sum_up(results[-1].n_normal + results[-1].n_anomalous)
    if skipped.count:
        click.get_current_context().exit(1)


def _defect_line(result: DefectMetrics) -> str:
    metrics: dict[str, Mapping[str, float | None]] = {
        "auroc": result.auroc,
        "best f1": result.best_f1,
        "pixel auroc": result.pixel_auroc,
        "aupro": result.aupro,
        **_flagged(result),
    }
    counts = f"{result.n_normal} normal, {result.n_anomalous} anomalous"
    return f"{result.defect}\t{counts}\t{_figures(metrics)}"


def _flagged(result: DefectMetrics) -> dict[str, dict[str, int | None]]:
    """How many photos were found, missed and flagged although they are normal, by name of the score."""
    columns: dict[str, dict[str, int | None]] = {"found": {}, "missed": {}, "false alarms": {}}
    for name, flagged in result.flagged.items():
        counts: tuple[int | None, ...] = (None, None, None)
        if flagged is not None:
            counts = flagged.anomalous, result.n_anomalous - flagged.anomalous, flagged.normal
        for column, count in zip(columns.values(), counts, strict=True):
            column[name] = count
    return columns


def _evaluate_classes(
    dataset: str, normal: int, preset: str, store: AnyPath | None, anomaly: str, as_json: bool
) -> None:
    spec = get_spec(dataset)
    anomalies = _anomalies(
        len(spec.class_names), normal, anomaly if anomaly == "all" else spec.class_index(anomaly)
    )
    model = stored_model(dataset, normal, preset, store).model
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
    from vaead.metrics.image import METRICS, Metrics  # scikit-learn takes a second to import

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


def _figures(metrics: Mapping[str, Mapping[str, float | None]]) -> str:
    return "\t".join(
        f"{metric} " + " ".join(f"{name} {_figure(value)}" for name, value in values.items())
        for metric, values in metrics.items()
    )


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.3f}"
