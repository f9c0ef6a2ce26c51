"""Downloads of the page "Your images", each made only when asked for."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import PurePosixPath

import numpy as np
import streamlit as st

from vaead.i18n.texts import Texts
from vaead.model.prediction import judge_terms
from vaead.plots.png import map_to_png, mask_to_png
from vaead.scoring.loss_terms import SCORES
from vaead.ui.your_images.metrics import metrics_csv
from vaead.ui.your_images.predictions import Results


def show(results: Results, score: str, rate: float, texts: Texts) -> None:
    """Offer scores, maps and masks, and the model."""
    with st.container(horizontal=True):
        if results.scored:
            _button(texts("download.scores"), "scores.csv", "text/csv", lambda: scores_csv(results, rate))
            label = texts("own.download_maps", score=texts(f"score.{score}"))
            _button(label, f"maps_{score}.zip", "application/zip", lambda: maps_zip(results, score, rate))
            if any(scored.photo.defect is not None for scored in results.scored):
                _button(texts("download.metrics"), "metrics.csv", "text/csv", lambda: _metrics_csv(results))
            label = texts("own.download_report")
            _button(label, "report.html", "text/html", lambda: report_html(results, rate, texts))
        _button(texts("own.download_model"), "model.zip", "application/zip", lambda: model_zip(results))


def scores_csv(results: Results, rate: float) -> str:
    """One row an image: name, each score, whether it flags the image, and the label."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["image", *SCORES, *(f"flagged_{name}" for name in SCORES), "label"])
    limits = results.thresholds(rate)
    for scored in results.scored:
        values = [scored.scores.get(name) for name in SCORES]
        shown = ["" if value is None else f"{value:.6g}" for value in values]
        flagged = [
            "" if value is None else str(int(value > limits[name]))
            for name, value in zip(SCORES, values, strict=True)
        ]
        writer.writerow([scored.photo.name, *shown, *flagged, scored.photo.defect or ""])
    return buffer.getvalue()


def _metrics_csv(results: Results) -> str:
    return metrics_csv(results.metrics())


def maps_zip(results: Results, score: str, rate: float) -> bytes:
    """Of each image the map as numbers and as a picture, and the mask in the size of the image.

    A map is the mean of the windows over each pixel, so it can be compared with the threshold of windows, and
    pixels at the border with all others.
    """
    limits = results.calibration.color_range(score)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, scored in enumerate(results.scored):
            if score not in scored.scores:
                continue
            # Numbered, as images of two uploads may have the same name.
            name = f"{number:04d}_{PurePosixPath(scored.photo.name).stem}.{score}"
            values = results.terms(scored.photo).anomaly_maps(score)[0]
            numbers = io.BytesIO()
            np.save(numbers, values, allow_pickle=False)
            archive.writestr(f"maps/{name}.npy", numbers.getvalue())
            archive.writestr(f"maps/{name}.png", map_to_png(values, limits))
            mask = results.mask_above(scored.photo, score, rate)
            archive.writestr(f"masks/{name}.png", mask_to_png(mask, scored.photo.size))
    return buffer.getvalue()


def report_html(results: Results, rate: float, texts: Texts) -> str:
    """A page with all decisions and the pictures of the most anomalous images."""
    from vaead.inference.html_report import Report  # its template engine is needed by nobody else

    report = Report(results.model.card, rate, texts)
    for scored in results.scored:
        photo = scored.photo
        judgement = judge_terms(results.terms(photo), results.calibration, rate)
        report.add(photo.name, results.pixels(photo), judgement)
    return report.html()


def model_zip(results: Results) -> bytes:
    """The model's folder; the command line reads it after it was unpacked."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(results.folder.iterdir()):
            archive.write(file, f"model/{file.name}")
    return buffer.getvalue()


def _button(label: str, file: str, mime: str, make: Callable[[], str | bytes]) -> None:
    st.download_button(
        label,
        data=make,
        file_name=file,
        mime=mime,
        key=f"own_download_{file.partition('.')[0].partition('_')[0]}",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )
