"""The command `evaluate`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from vaead.cli.cautions import AllFlagged, Stretched, leaving_out, warn_of_shift
from vaead.cli.inputs import Skipped
from vaead.cli.options import (
    DATASET_OPTIONS,
    DEFAULT_PRESET,
    FALSE_ALARM_RATE,
    WORKER_OPTIONS,
    PathType,
    dataset_options,
    ignore_mask_option,
    one_line,
    require_alone,
    require_class,
    stored_model,
    worker_options,
)
from vaead.cli.progress_bar import with_bar
from vaead.data.datasets import get_spec, load_dataset
from vaead.data.photos import Limits, Photo, find_photos
from vaead.data.photos.photo import NORMAL
from vaead.data.photos.reasons import Reason
from vaead.errors import InvalidInputError
from vaead.ignored import IgnoredRegion
from vaead.inference.fit_baselines import fit_baselines
from vaead.inference.predict import LocatedModel, PredictSettings, predict_photos
from vaead.inference.prediction import Prediction, Thresholds
from vaead.metrics.baselines import MOST, Baselines
from vaead.metrics.groups import ALL, MEASURES, GroupEvaluator, GroupMetrics
from vaead.paths import AnyPath
from vaead.processes.workers import Workers

_COUNTS = {"found": "true_positives", "missed": "false_negatives", "false alarms": "false_positives"}
"""Columns of decisions, and the counts of `Confusion` in them."""


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
@ignore_mask_option
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
    ignored: IgnoredRegion | None,
    workers: Workers,
) -> None:
    """Evaluate the scores on test images whose class or defect is known.

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
        located = leaving_out(LocatedModel.load(folder), ignored)
        _evaluate_photos(located, ignored, images, false_alarm_rate, as_json, workers)
    else:
        require_alone("--dataset", ("false_alarm_rate", "ignored", *WORKER_OPTIONS))
        name, number = require_class(dataset, normal, "--model with --images")
        _evaluate_classes(name, number, preset or DEFAULT_PRESET, store, anomaly, as_json)


def _evaluate_photos(
    located: LocatedModel,
    ignored: IgnoredRegion | None,
    images: str,
    false_alarm_rate: float,
    as_json: bool,
    workers: Workers,
) -> None:
    thresholds = Thresholds.from_rate(located.model.card.normal_scores, false_alarm_rate)
    photos = find_photos(images)
    if photos.unsorted:
        raise InvalidInputError(
            f"images must be a dataset with test/good and test/<defect>, got a plain folder {images!r}; sort "
            "its images into such folders"
        )
    to_score = [photo for photo in photos.to_score if photo.defect is not None]
    if not photos.has_split:
        click.echo(
            "Note: no folder holds normal photos for testing alone, so all normal photos are scored; if the "
            "model has learned from them, it looks better than it is",
            err=True,
        )
    evaluator = GroupEvaluator(NORMAL, _defects(to_score))
    rejected = list(photos.rejected)
    notes: list[Reason] = []
    cautions = Stretched(located.model.ignored), AllFlagged()
    # Without a split, the photos to train on are those to score.
    learned = photos.to_train if photos.has_split else []
    baselines = fit_baselines(located.model, learned, Limits())
    settings = PredictSettings(thresholds, true_masks=True, baselines=baselines, ignored=ignored)
    with workers, contextlib.closing(predict_photos(located, to_score, settings, workers)) as predictions:
        for each in with_bar(predictions, len(to_score)):
            if isinstance(each, Prediction):
                evaluator.add(str(each.photo.defect), each.scores | each.baselines, each.pixel_counts)
                rejected += [each.rejected_mask] if each.rejected_mask else []
                notes += each.notes
                for caution in cautions:
                    caution.add(each)
            else:
                rejected.append(each)
    results = evaluator.evaluate(thresholds.image)
    for result in results:
        counts = f"{result.n_normal} normal, {result.n_anomalous} anomalous"
        title = f"{result.group}\t{counts}"
        click.echo(_record({"defect": result.group}, result) if as_json else _line(title, result))
    for note in notes:
        click.echo(f"Note: {one_line(str(note))}", err=True)
    warn_of_shift(located.model.card.normal_scores, evaluator)
    for caution in cautions:
        caution.warn()
    skipped = Skipped()
    skipped.show(rejected)
    skipped.sum_up(results[-1].n_normal + results[-1].n_anomalous)
    if skipped.count:
        click.get_current_context().exit(1)


def _defects(photos: Sequence[Photo]) -> list[str]:
    """The kinds of defects in photos, in their order.

    Raises:
        InvalidInputError: There is no normal photo, or no other.
    """
    names = dict.fromkeys(photo.defect for photo in photos if photo.defect is not None)
    defects = [name for name in names if name != NORMAL]
    if NORMAL not in names or not defects:
        missing = "test/<defect>" if NORMAL in names else f"test/{NORMAL}"
        raise InvalidInputError(
            f"dataset must hold images in test/{NORMAL} and in test/<defect>, got none in {missing}; add some"
        )
    return defects


def _evaluate_classes(
    dataset: str, normal: int, preset: str, store: AnyPath | None, anomaly: str, as_json: bool
) -> None:
    spec = get_spec(dataset)
    wanted = ALL if anomaly == ALL else str(spec.class_index(anomaly))
    if wanted == str(normal):
        raise InvalidInputError(
            f"anomaly must be another class than the normal one, got {normal} for both; choose another class"
        )
    model, images = stored_model(dataset, normal, preset, store).model, load_dataset(dataset)
    learned, test = images.train.of_class(normal), images.test
    scores = model.image_scores(test.images)
    scores |= Baselines.fit(learned[:MOST]).scores(test.images)
    evaluator = GroupEvaluator(str(normal), map(str, range(len(spec.class_names))))
    for index, label in enumerate(map(str, test.labels)):
        if wanted in (ALL, label) or label == str(normal):
            evaluator.add(label, {name: float(values[index]) for name, values in scores.items()})
    for result in evaluator.evaluate():
        if wanted in (ALL, result.group):
            fixed = {"dataset": dataset, "normal": normal, "anomaly": _number(result.group), "preset": preset}
            click.echo(
                _record(fixed, result) if as_json else _line(f"{normal} against {result.group}", result)
            )


def _number(group: str) -> int | str:
    return group if group == ALL else int(group)


def _record(fixed: Mapping[str, object], result: GroupMetrics) -> str:
    """JSON with the same measures for photos and classes."""
    record: dict[str, Any] = {**fixed, "n_normal": result.n_normal, "n_anomalous": result.n_anomalous}
    record |= {name: result.measure(name) for name in MEASURES}
    if result.confusion:
        record["flagged"] = {
            name: counts and {"normal": counts.false_positives, "anomalous": counts.true_positives}
            for name, counts in result.confusion.items()
        }
    return json.dumps(record)


def _line(title: str, result: GroupMetrics) -> str:
    """A line with the same measures for photos and classes; those that no score has are left out."""
    columns = {name.replace("_", " "): result.measure(name) for name in MEASURES}
    columns = {name: values for name, values in columns.items() if set(values.values()) != {None}}
    for column, count in _COUNTS.items() if result.confusion else ():
        columns[column] = {
            name: None if each is None else getattr(each, count) for name, each in result.confusion.items()
        }
    return "\t".join([title, *(f"{name} {_values(values)}" for name, values in columns.items())])


def _values(values: Mapping[str, float | None]) -> str:
    return " ".join(f"{name} {_value(value)}" for name, value in values.items())


def _value(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.3f}"
