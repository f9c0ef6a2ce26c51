"""Predict many photos with a model, in this process or with workers, with equal results."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from vaead.data.photos import Limits, Photo, ReadOptions, Rejected, read_each, read_mask, read_photo
from vaead.data.photos.photo import NORMAL
from vaead.errors import ModelFormatError, VaeadError
from vaead.ignored import IgnoredRegion
from vaead.inference.map_files import folder_sink, require_short_name, write_maps, write_masks, write_why
from vaead.inference.prediction import Prediction, Thresholds, predict
from vaead.inference.read_photos import read_options
from vaead.metrics.baselines import Baselines
from vaead.model.card import ModelCard
from vaead.model.folder import load_model
from vaead.model.model import Model
from vaead.paths import AnyPath, absolute, is_url
from vaead.processes.workers import Workers
from vaead.scoring.image_scorer import on_one_core

FEW = 128
"""Below this number of photos, predict in this process (threads use all cores): starting worker processes
takes 1 to 2 s, longer than the work. Huge photos take longer, but threads are as fast with those."""
_BATCH = 16
"""Photos a task at most: about half a second of work where photos are small."""
_MODELS_IN_MEMORY = 2


@dataclass(frozen=True, eq=False)
class LocatedModel:
    """A model and the folder that it was loaded from, which all workers can read."""

    model: Model
    path: AnyPath

    @classmethod
    def load(cls, path: AnyPath) -> LocatedModel:
        """Load a model; see `load_model`."""
        return cls(load_model(path), path)

    def leaving_out(self, ignored: IgnoredRegion | None) -> LocatedModel:
        """The same with a model that leaves out another region, too; see `Model.leaving_out`."""
        return LocatedModel(self.model.leaving_out(ignored), self.path)


@dataclass(frozen=True)
class PredictSettings:
    """Thresholds, and the outputs for each photo.

    Attributes:
        thresholds: Thresholds of decisions and masks.
        true_masks: True to read true masks and to count the pixels of the maps.
        maps: Folder for anomaly maps, None for none.
        masks: Folder for masks, None for none.
        why: Folder for pictures of the worst window, None for none; the model must keep windows.
        draw: True to draw pictures for a report.
        regions: True to find the regions that stand out.
        base_dir: Folder in which relative sources begin; empty for the current folder.
        limits: Limits of photos.
        baselines: Simpler methods that score the photos, too; None for none.
        ignored: Region that workers leave out beside that of the model; None for none.
    """

    thresholds: Thresholds
    true_masks: bool = False
    maps: AnyPath | None = None
    masks: AnyPath | None = None
    why: AnyPath | None = None
    draw: bool = False
    regions: bool = False
    base_dir: str = ""
    limits: Limits = field(default_factory=Limits)
    baselines: Baselines | None = None
    ignored: IgnoredRegion | None = None


@dataclass(frozen=True)
class _Batch:
    """A task for a worker. Photos are not in it: each worker reads for itself."""

    model: AnyPath
    digest: str
    photos: tuple[Photo, ...]
    settings: PredictSettings


def predict_each(
    model: Model, photos: Iterable[Photo], settings: PredictSettings
) -> Generator[Prediction | Rejected]:
    """Predict photos one after another, the next being read meanwhile: two are in memory at most.

    Yields:
        For each photo the prediction with all arrays, or why it is left out.
    """
    options = read_options(model.card.recipe, settings.limits)
    located = (replace(each, source=_located(each.source, settings), title=each.label) for each in photos)
    for each in read_each(located, options):
        if isinstance(each, Rejected):
            yield each
            continue
        photo, image = each
        try:
            prediction = predict(model, photo, image, settings.thresholds)
        except VaeadError as error:
            yield Rejected.of(photo.name, error)
        else:
            if settings.baselines is not None:
                found = settings.baselines.scores([model.blanked(image)])
                prediction = replace(
                    prediction, baselines={name: float(values[0]) for name, values in found.items()}
                )
            yield _with_true_mask(prediction, settings, options) if settings.true_masks else prediction


def summarize_each(
    model: Model, photos: Iterable[Photo], settings: PredictSettings
) -> Iterator[Prediction | Rejected]:
    """As `predict_each`, but arrays are written, counted and drawn as the settings say, and then dropped.

    Raises:
        InvalidInputError: A map or a mask cannot be written.
    """
    for each in predict_each(model, photos, settings):
        yield _summary(model, each, settings) if isinstance(each, Prediction) else each


def predict_photos(
    located: LocatedModel, photos: Sequence[Photo], settings: PredictSettings, workers: Workers
) -> Generator[Prediction | Rejected]:
    """As `summarize_each`, here or with workers.

    Args:
        located: The model.
        photos: All photos.
        settings: Thresholds and outputs.
        workers: Processes, unless nobody has chosen them and the photos are few.

    Yields:
        In the order of the photos, for each the prediction without arrays, or why it is left out.

    Raises:
        WorkersError: The workers were lost.
        VaeadError: A worker could not load the model, or an output cannot be written.
    """
    few = len(photos) < FEW and not workers.chosen
    if few or (workers.count == 1 and not workers.remote):
        yield from summarize_each(located.model, photos, settings)
        return
    maps, masks, why = (path and absolute(path) for path in (settings.maps, settings.masks, settings.why))
    settings = replace(settings, maps=maps, masks=masks, why=why, base_dir=str(Path.cwd()))
    path, digest = absolute(located.path), _digest(located.model.card)
    size = min(_BATCH, max(1, len(photos) // (4 * workers.count)))
    batches = (tuple(photos[start : start + size]) for start in range(0, len(photos), size))
    # Each in a tuple: what is sent to Dask by itself, it would keep on one worker, and lose with it.
    tasks = ((_Batch(path, digest, batch, settings),) for batch in batches)
    for results in workers.map(_predict_batch, tasks):
        yield from results


def _with_true_mask(prediction: Prediction, settings: PredictSettings, options: ReadOptions) -> Prediction:
    """Add the true mask: no pixel of a normal photo, otherwise those in its files, if there are any."""
    photo = prediction.photo
    if photo.defect == NORMAL:
        return replace(prediction, true_mask=np.zeros(prediction.shape, np.bool_))
    if not photo.masks:
        return prediction
    masks = [(_located(mask, settings), mask) for mask in photo.masks]
    try:
        mask = read_mask(masks, (photo.source, photo.label), prediction.shape, options)
    except VaeadError as error:
        return replace(prediction, rejected_mask=Rejected.of(photo.masks[0], error))
    return replace(prediction, true_mask=mask.pixels, notes=mask.notes)


def _summary(model: Model, prediction: Prediction, settings: PredictSettings) -> Prediction | Rejected:
    normal_scores, photo = model.card.normal_scores, prediction.photo
    if any(folder is not None for folder in (settings.maps, settings.masks, settings.why)):
        try:
            require_short_name(photo.name)
        except VaeadError as error:
            return Rejected.of(photo.name, error)
    if settings.maps is not None:
        write_maps(prediction, normal_scores, folder_sink("--maps", settings.maps))
    if settings.masks is not None:
        same = read_options(model.card.recipe).scale == 1
        size = prediction.shape if same else read_photo(photo.source, photo.label).shape
        write_masks(prediction, (size[0], size[1]), folder_sink("--masks", settings.masks))
    if settings.why is not None:
        write_why(prediction, model, folder_sink("--why", settings.why))
    prediction = replace(prediction, pixel_counts=prediction.count_pixels())
    if settings.regions:
        found = prediction.find_regions(prediction.main_score, normal_scores)
        prediction = replace(prediction, regions=found)
    if settings.draw:
        from vaead.inference.html_report import draw  # imports SciPy and Jinja2

        prediction = replace(prediction, drawing=draw(prediction, normal_scores))
    return prediction.without_arrays()


def _located(source: str, settings: PredictSettings) -> str:
    """The path of a source for a process with another current folder."""
    return source if is_url(source) else os.path.join(settings.base_dir, source)  # noqa: PTH118 - as written


def _predict_batch(task: tuple[_Batch]) -> list[Prediction | Rejected]:
    (batch,) = task
    model = _load(batch.model, batch.digest).leaving_out(batch.settings.ignored)
    # Each task has a core of its own.
    with on_one_core():
        return list(summarize_each(model, batch.photos, batch.settings))


@lru_cache(_MODELS_IN_MEMORY)
def _load(path: AnyPath, digest: str) -> Model:
    model = load_model(path)
    if _digest(model.card) != digest:
        raise ModelFormatError(
            f"model must be the same for all workers, got another one in {str(path)!r}; start again, and "
            "name a folder that all workers share"
        )
    return model


def _digest(card: ModelCard) -> str:
    return hashlib.sha256(card.to_json({}).encode()).hexdigest()
