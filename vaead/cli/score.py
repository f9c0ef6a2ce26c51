"""The command `score`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial

import click

from vaead.cli import outputs
from vaead.cli.cautions import AllFlagged, OtherResolution, Stretched, leaving_out
from vaead.cli.inputs import Skipped, list_photos
from vaead.cli.options import (
    DATASET_OPTIONS,
    FALSE_ALARM_RATE,
    PathType,
    dataset_options,
    ignore_mask_option,
    require_alone,
    require_class,
    stored_model,
    worker_options,
)
from vaead.cli.session import model_of
from vaead.data.photos import Photo, Rejected
from vaead.ignored import IgnoredRegion
from vaead.inference import tables
from vaead.inference.explain import require_windows
from vaead.inference.predict import LocatedModel, PredictSettings, predict_photos
from vaead.inference.prediction import Thresholds
from vaead.model.card import ModelCard
from vaead.paths import AnyPath
from vaead.processes.workers import Workers

FLAGGED = 3
"""Exit code of `--fail-if-flagged`; 1 is for images that cannot be read, 2 for other errors."""


@click.command()
@dataset_options
@click.option(
    "--model",
    "folder",
    type=PathType(),
    help="A model's folder, or a session with its model and its false-alarm rate; instead of --dataset, "
    "--normal and --preset.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@click.option("--csv", type=PathType(dir_okay=False), help="File for a table of the scores.")
@click.option(
    "--regions",
    type=PathType(dir_okay=False),
    help="File for a table of the regions that stand out, one a line, in pixels of the images.",
)
@click.option(
    "--false-alarm-rate",
    type=float,
    help="Also say which scores flag the image, with thresholds that this share of normal images passes.  "
    f"[default for masks, regions and report: {FALSE_ALARM_RATE}]",
)
@click.option(
    "--maps",
    type=PathType(file_okay=False),
    help="Folder for the anomaly maps: of a.jpg, a.old.npy and a.old.png, and the same for the other scores.",
)
@click.option(
    "--masks",
    type=PathType(file_okay=False),
    help="Folder for pictures of what stands out, white on black: of a.jpg, a.old.mask.png, and so on.",
)
@click.option(
    "--why",
    type=PathType(file_okay=False),
    help="Folder for one picture an image: its worst window by calibrated, or by new without such a score, "
    "what the network expected there, and the windows of normal training photos that are most similar.",
)
@click.option(
    "--report",
    type=PathType(dir_okay=False),
    help="HTML file with pictures of the most anomalous images, all in the one file.",
)
@click.option(
    "--fail-if-flagged",
    is_flag=True,
    help=f"End with exit code {FLAGGED} if calibrated flags an image, or new one without such a score.",
)
@ignore_mask_option
@worker_options
@click.argument("images", nargs=-1, required=True, type=click.Path())
def score(
    dataset: str | None,
    normal: str | None,
    preset: str | None,
    store: AnyPath | None,
    folder: AnyPath | None,
    as_json: bool,
    csv: AnyPath | None,
    regions: AnyPath | None,
    false_alarm_rate: float | None,
    maps: AnyPath | None,
    masks: AnyPath | None,
    why: AnyPath | None,
    report: AnyPath | None,
    fail_if_flagged: bool,
    ignored: IgnoredRegion | None,
    images: tuple[str, ...],
    workers: Workers,
) -> None:
    """Score images, and all in folders: higher is more anomalous.

    Images, the model and all outputs are paths or URLs, such as s3://bucket/folder. Large folders are shared
    out to processes on this machine, or to the workers of a Dask scheduler, and come out in their order.

    old and new are in nats, calibrated is about 1 for normal images. Where it was learned for each place of
    an image, it is there for images as large as those the model was trained on. Images that cannot be read
    are named on standard error, and the exit code is 1 then.
    """
    if folder is not None:
        require_alone("--model", DATASET_OPTIONS)
        folder, rate = click.get_current_context().with_resource(model_of(folder))
        false_alarm_rate = rate if false_alarm_rate is None else false_alarm_rate
        located = LocatedModel.load(folder)
    else:
        located = stored_model(*require_class(dataset, normal, "--model"), preset, store)
    wanted = _Wanted(as_json, false_alarm_rate, csv, regions, maps, masks, why, report)
    if why is not None:
        require_windows(located.model)
    located = leaving_out(located, ignored)
    # Before anything is printed or written, since every image needs it.
    thresholds = Thresholds.from_rate(located.model.card.normal_scores, wanted.rate)
    photos, rejected = list_photos(images)
    folders = [path for path in (maps, masks, why) if path is not None]
    files = [path for path in (csv, regions, report) if path is not None]
    outputs.require_own_files(photos, located.path, folders, files)
    skipped = Skipped()
    skipped.show(rejected)
    with workers:
        settings = replace(wanted.settings(thresholds, len(photos)), ignored=ignored)
        flagged = _score_all(located, photos, settings, wanted, workers, skipped)
    skipped.sum_up(len(photos) + len(rejected) - skipped.count)
    if skipped.count:
        click.get_current_context().exit(1)
    if flagged and fail_if_flagged:
        click.get_current_context().exit(FLAGGED)


@dataclass(frozen=True)
class _Wanted:
    """The outputs; see the options."""

    as_json: bool
    false_alarm_rate: float | None
    csv: AnyPath | None
    regions: AnyPath | None
    maps: AnyPath | None
    masks: AnyPath | None
    why: AnyPath | None
    report: AnyPath | None

    @property
    def rate(self) -> float:
        return FALSE_ALARM_RATE if self.false_alarm_rate is None else self.false_alarm_rate

    def settings(self, thresholds: Thresholds, n_photos: int) -> PredictSettings:
        """Settings for every image."""
        draw = False
        if self.report is not None:
            from vaead.inference.html_report import SHOWN  # imports Jinja2 and SciPy

            draw = n_photos <= SHOWN  # of more, the most anomalous are known at the end
        regions = self.as_json or self.regions is not None
        return PredictSettings(
            thresholds, maps=self.maps, masks=self.masks, why=self.why, draw=draw, regions=regions
        )

    def open(self, card: ModelCard, draw: outputs.Draw) -> Iterator[AbstractContextManager[outputs.Add]]:
        """The outputs of this process."""
        with_flags, scale = self.false_alarm_rate is not None, card.recipe.source.scale
        # The table comes after all that can be refused, since it replaces an older one at once.
        for option, folder in (("--maps", self.maps), ("--masks", self.masks), ("--why", self.why)):
            if folder is not None:
                outputs.make_folder(option, folder)
        if self.report is not None:
            yield outputs.report_file(self.report, card, self.rate, draw)
        if self.csv is not None:
            columns = tables.score_columns(with_flags)
            yield outputs.csv_file(
                "--csv", self.csv, columns, lambda each: [tables.score_row(each, with_flags)]
            )
        if self.regions is not None:
            yield outputs.csv_file(
                "--regions", self.regions, tables.REGION_COLUMNS, lambda each: tables.region_rows(each, scale)
            )
        yield outputs.json_array(with_flags, scale) if self.as_json else outputs.lines(with_flags)


def _score_all(
    located: LocatedModel,
    photos: list[Photo],
    settings: PredictSettings,
    wanted: _Wanted,
    workers: Workers,
    skipped: Skipped,
) -> bool:
    """Write all outputs; returns whether any image is flagged by its main score."""
    card = located.model.card
    cautions = OtherResolution(card.longer_side_px), Stretched(located.model.ignored), AllFlagged()
    flagged = False
    to_draw = replace(settings, maps=None, masks=None, why=None, draw=True, regions=False)
    with contextlib.ExitStack() as opened:
        draw = partial(predict_photos, located, settings=to_draw, workers=workers)
        adds = [opened.enter_context(output) for output in wanted.open(card, draw)]
        adds += [caution.add for caution in cautions]
        predictions = predict_photos(located, photos, settings, workers)
        for each in opened.enter_context(contextlib.closing(predictions)):
            if isinstance(each, Rejected):
                skipped.show([each])
                continue
            for add in adds:
                add(each)
            flagged = flagged or each.flagged[each.main_score]
    for caution in cautions:
        caution.warn()
    return flagged
