"""Downloads of the page "Your images", each made only when asked for."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import streamlit as st

from vaead.data.photos import Photo
from vaead.i18n.texts import Texts
from vaead.inference.map_files import write_maps, write_masks, zip_sink
from vaead.inference.prediction import Prediction
from vaead.inference.tables import METRIC_COLUMNS, metric_rows, score_columns, score_row, to_csv
from vaead.model.files import SCRIPT
from vaead.session import pack_model
from vaead.ui.your_images.predictions import Results


def show(results: Results, score: str, rate: float, texts: Texts) -> None:
    """Offer scores, maps and masks, and the model, one button beside the other."""
    if results.scored:
        _button(texts("download.scores"), "scores.csv", "text/csv", lambda: scores_csv(results, rate))
        label = texts("own.download_maps", score=texts(f"score.{score}"))
        _button(label, f"maps_{score}.zip", "application/zip", lambda: maps_zip(results, score, rate))
        if any(photo.defect is not None for photo in results.scored):
            _button(texts("download.metrics"), "metrics.csv", "text/csv", lambda: metrics_csv(results))
        label = texts("own.download_report")
        _button(label, "report.html", "text/html", lambda: report_html(results, rate, texts))
    label = texts("own.download_model")
    # A model that was brought comes without them, until it is calibrated again.
    help = texts("own.download_model_help") if (results.folder / SCRIPT).exists() else None
    _button(label, "model.zip", "application/zip", lambda: model_zip(results), help)


def scores_csv(results: Results, rate: float) -> str:
    """The table of scores; see `vaead.inference.tables`."""
    rows = (score_row(each, with_flags=True) for each in results.predictions(rate).values())
    return to_csv([score_columns(with_flags=True), *rows])


def metrics_csv(results: Results) -> str:
    """The table of metrics; see `vaead.inference.tables`."""
    return to_csv([METRIC_COLUMNS, *metric_rows(results.metrics())])


def maps_zip(results: Results, score: str, rate: float) -> bytes:
    """For each image the map as numbers and as a picture, and the mask in the size of the image.

    The files have the names that `score --maps maps --masks masks` gives them; a name that another image
    has already begins with the number of the image.
    """
    buffer = io.BytesIO()
    used: set[str] = set()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (photo, scored) in enumerate(results.scored.items()):
            if score not in scored.scores:
                continue
            prediction = results.prediction(photo, rate)
            stem = str(PurePosixPath(photo.name).with_suffix(""))
            if stem in used:
                renamed = replace(prediction.photo, name=f"{number:04d}/{photo.name}")
                prediction = replace(prediction, photo=renamed)
            used.add(stem)
            write_maps(prediction, results.calibration, zip_sink(archive, "maps"), [score])
            write_masks(prediction, photo.size, zip_sink(archive, "masks"), [score])
    return buffer.getvalue()


def report_html(results: Results, rate: float, texts: Texts) -> str:
    """A page with all decisions and the pictures of the most anomalous images."""
    from vaead.inference.html_report import Report, draw, with_drawings  # imports Jinja2

    own = {str(photo.path): photo for photo in results.scored}

    def drawn(photos: Sequence[Photo]) -> Iterator[Prediction]:
        for photo in photos:
            prediction = results.prediction(own[photo.source], rate)
            yield replace(prediction, drawing=draw(prediction, results.calibration)).without_arrays()

    predictions = with_drawings(results.predictions(rate).values(), drawn)
    return Report(results.card, rate, texts).html(predictions)


def model_zip(results: Results) -> bytes:
    """The model's folder; the command line reads it after it was unpacked."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        pack_model(archive, results.folder, "model")
    return buffer.getvalue()


def _button(
    label: str, file: str, mime: str, make: Callable[[], str | bytes], help: str | None = None
) -> None:
    st.download_button(
        label,
        data=make,
        file_name=file,
        mime=mime,
        key=f"own_download_{file.partition('.')[0].partition('_')[0]}",
        icon=":material/download:",
        help=help,
        type="tertiary",
        on_click="ignore",
    )
