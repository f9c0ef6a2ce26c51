"""The command `score`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import click

from vaead.cli import outputs
from vaead.cli.base import DATASET_OPTIONS, dataset_options, require_alone, require_class, stored_model
from vaead.cli.photos import Skipped, list_photos
from vaead.judging import judge_terms
from vaead.model_photos import read_ahead, read_options, read_pixels
from vaead.photos import Photo, Rejected
from vaead.report import Report
from vaead.store import Model, load_model
from vaead.ui.texts import Texts

_FALSE_ALARM_RATE = 0.05


@click.command()
@dataset_options
@click.option(
    "--model",
    "folder",
    type=click.Path(path_type=Path),
    help="A model's folder, instead of --dataset, --normal and --preset.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@click.option(
    "--csv", type=click.Path(path_type=Path, dir_okay=False), help="File for a table of the scores."
)
@click.option(
    "--false-alarm-rate",
    type=float,
    help="Also say which scores flag the image, with thresholds that this share of normal images passes.  "
    f"[default for masks and report: {_FALSE_ALARM_RATE}]",
)
@click.option(
    "--maps",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the anomaly maps: of a.jpg, a.old.npy and a.old.png, and the same for the other scores.",
)
@click.option(
    "--masks",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for pictures of what stands out, white on black: of a.jpg, a.old.mask.png, and so on.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="HTML file with pictures of the most anomalous images, all in the one file.",
)
@click.argument("images", nargs=-1, required=True, type=click.Path())
def score(
    dataset: str | None,
    normal: str | None,
    preset: str | None,
    store: Path | None,
    folder: Path | None,
    as_json: bool,
    csv: Path | None,
    false_alarm_rate: float | None,
    maps: Path | None,
    masks: Path | None,
    report: Path | None,
    images: tuple[str, ...],
) -> None:
    """Score images, and all in folders: higher is more anomalous.

    old and new are in nats, calibrated is about 1 for normal images. Where it was learned for each place of
    an image, it is there for images as large as those the model was trained on. Images that cannot be read
    are named on standard error, and the exit code is 1 then.
    """
    if folder is not None:
        require_alone("--model", DATASET_OPTIONS)
        model = load_model(folder)
    else:
        model = stored_model(*require_class(dataset, normal, "--model"), preset, store)
    wanted = _Wanted(as_json, false_alarm_rate, csv, maps, masks, report)
    # Before anything is printed or written, since every image needs it.
    model.card.calibration.threshold_value("old", wanted.rate)
    photos, rejected = list_photos(images)
    places = [place for place in (maps, masks) if place is not None]
    outputs.require_own_files(photos, places, [file for file in (csv, report) if file is not None])
    skipped = Skipped()
    skipped.tell(rejected)
    _score_all(model, photos, wanted, skipped)
    skipped.sum_up(len(photos) + len(rejected) - skipped.count)
    if skipped.count:
        click.get_current_context().exit(1)


@dataclass(frozen=True)
class _Wanted:
    """What to do with the scores; see the options."""

    as_json: bool
    false_alarm_rate: float | None
    csv: Path | None
    maps: Path | None
    masks: Path | None
    report: Path | None

    @property
    def rate(self) -> float:
        return _FALSE_ALARM_RATE if self.false_alarm_rate is None else self.false_alarm_rate

    def outputs(self, model: Model) -> Iterator[AbstractContextManager[outputs.Add]]:
        with_flags = self.false_alarm_rate is not None
        if self.csv is not None:
            yield outputs.csv_file(self.csv, with_flags)
        if self.maps is not None:
            yield outputs.map_files(self.maps)
        if self.masks is not None:
            yield outputs.mask_files(self.masks, read_options(model.card.recipe).scale)
        if self.report is not None:
            yield outputs.report_file(self.report, Report(model.card, self.rate, Texts("en")))
        yield outputs.json_array(with_flags) if self.as_json else outputs.lines(with_flags)


def _score_all(model: Model, photos: list[Photo], wanted: _Wanted, skipped: Skipped) -> None:
    options, calibration = read_options(model.card.recipe), model.card.calibration
    with contextlib.ExitStack() as opened:
        adds = [opened.enter_context(output) for output in wanted.outputs(model)]
        for each in read_ahead(photos, lambda photo: read_pixels(photo, options)):
            if isinstance(each, Rejected):
                skipped.tell([each])
                continue
            photo, pixels = each
            terms = model.term_maps(pixels[None])
            scored = outputs.Scored(photo, pixels, terms, judge_terms(terms, calibration, wanted.rate))
            for add in adds:
                add(scored)
