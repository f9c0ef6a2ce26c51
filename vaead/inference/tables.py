"""Tables of scores and of metrics, the same for the page and the command line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from vaead.inference.prediction import Prediction
from vaead.metrics.groups import MEASURES, GroupMetrics
from vaead.scoring.loss_terms import SCORES

METRIC_COLUMNS = ("group", "n_normal", "n_anomalous", "score", *MEASURES)


def score_columns(with_flags: bool) -> list[str]:
    """Titles of the columns of `score_row`."""
    return ["image", *SCORES, *(f"flagged_{name}" for name in SCORES if with_flags), "label"]


def score_row(prediction: Prediction, with_flags: bool) -> list[object]:
    """One photo: name, scores, 1 or 0 for flagged or not, label; what is not known is empty."""
    flagged = prediction.flagged if with_flags else {}
    flags = [int(flagged[name]) if name in flagged else "" for name in SCORES if with_flags]
    scores = [prediction.scores.get(name, "") for name in SCORES]
    return [prediction.photo.label, *scores, *flags, prediction.photo.defect or ""]


def score_record(prediction: Prediction, with_flags: bool) -> dict[str, Any]:
    """One photo as JSON; None where the model has no such score for an image of its size."""
    record: dict[str, Any] = {"image": prediction.photo.label}
    record |= {name: prediction.scores.get(name) for name in SCORES}
    if with_flags:
        record["flagged"] = {name: prediction.flagged.get(name) for name in SCORES}
    return record


def metric_rows(groups: Iterable[GroupMetrics]) -> list[list[object]]:
    """One row a group and score, under `METRIC_COLUMNS`; what is not known is empty."""
    rows: list[list[object]] = []
    for each in groups:
        for score in SCORES:
            values = [each.measure(name)[score] for name in MEASURES]
            cells = ["" if value is None else value for value in values]
            rows.append([each.group, each.n_normal, each.n_anomalous, score, *cells])
    return rows


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as the content of a CSV file."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return buffer.getvalue()
