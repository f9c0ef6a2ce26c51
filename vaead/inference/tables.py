"""Tables of scores and of metrics, the same for the page and the command line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from typing import IO, Any

from vaead.inference.prediction import Prediction
from vaead.metrics.groups import MEASURES, GroupMetrics
from vaead.scoring.loss_terms import SCORES

_UTF_8 = "\ufeff"
_FORMULA = re.compile(r"'*[=+\-@\t\r](?!\d+(\.\d*)?(e[+-]?\d+)?$)")
"""Text that Excel takes for a formula, and no number; also behind apostrophes, as those are taken away."""

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


def score_record(prediction: Prediction, with_flags: bool, scale: float) -> dict[str, Any]:
    """One photo as JSON; None where the model has no such score for an image of its size.

    Regions are as in `region_records`. `by_whole` is True where calibrated comes from the photo as a whole,
    and the map may show little.
    """
    record: dict[str, Any] = {"image": prediction.photo.label}
    record |= {name: prediction.scores.get(name) for name in SCORES}
    record["by_whole"] = prediction.by_whole
    if with_flags:
        record["flagged"] = {name: prediction.flagged.get(name) for name in SCORES}
    record["regions"] = region_records(prediction, scale)
    return record


REGION_COLUMNS = (
    *("image", "region", "score", "left", "top", "width", "height", "area", "center_x", "center_y"),
    *("largest", "mean", "normal_below"),
)


def region_records(prediction: Prediction, scale: float) -> list[dict[str, Any]]:
    """The regions of one photo, one an entry, the most anomalous first.

    Args:
        prediction: With its regions.
        scale: The factor by which the photo was resized; lengths are in pixels of the photo before that.
    """
    return [
        {
            "region": number,
            "score": prediction.main_score,
            **{name: round(getattr(region, name), 1) for name in ("left", "top", "width", "height", "area")},
            "center_x": round(region.center[0], 1),
            "center_y": round(region.center[1], 1),
            **{name: _digits(getattr(region, name)) for name in ("largest", "mean", "normal_below")},
        }
        for number, region in enumerate((each.enlarged(1 / scale) for each in prediction.regions or ()), 1)
    ]


def _digits(value: float) -> float:
    return float(f"{value:.6g}")


def region_rows(prediction: Prediction, scale: float) -> list[list[object]]:
    """The same under `REGION_COLUMNS`."""
    return [[prediction.photo.label, *record.values()] for record in region_records(prediction, scale)]


def metric_rows(groups: Iterable[GroupMetrics]) -> list[list[object]]:
    """One row a group and score or baseline, under `METRIC_COLUMNS`; what is not known is empty."""
    rows: list[list[object]] = []
    for each in groups:
        for score in each.auroc:
            values = [each.measure(name)[score] for name in MEASURES]
            cells = ["" if value is None else value for value in values]
            rows.append([each.group, each.n_normal, each.n_anomalous, score, *cells])
    return rows


def csv_writer(stream: IO[str]) -> Callable[[Sequence[object]], None]:
    """Begin a CSV file in UTF-8; returns a function that writes a row. `from_csv` reads it back.

    It begins with the mark that tells Excel that it is UTF-8. Text that Excel would run as a formula gets an
    apostrophe in front.
    """
    stream.write(_UTF_8)
    writer = csv.writer(stream, lineterminator="\n")
    return lambda row: writer.writerow([_defused(cell) for cell in row])


def csv_line(row: Sequence[object]) -> str:
    """One row as `csv_writer` writes it."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow([_defused(cell) for cell in row])
    return buffer.getvalue()


def to_csv(rows: Iterable[Sequence[object]]) -> str:
    """A table, its titles first, as the content of a CSV file; see `csv_writer`."""
    buffer = io.StringIO()
    write_row = csv_writer(buffer)
    for row in rows:
        write_row(row)
    return buffer.getvalue()


def from_csv(text: str) -> list[dict[str, str]]:
    """The rows of a table of `to_csv`, each by the titles of its columns."""
    titles, *rows = csv.reader(io.StringIO(text.removeprefix(_UTF_8)))
    return [dict(zip(titles, map(_fused, row), strict=True)) for row in rows]


def _defused(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def _fused(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell
