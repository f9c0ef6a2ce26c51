"""From a recipe to a trained model, in four steps: split, fit, export, calibrate."""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from msgspec.structs import replace
from numpy.typing import NDArray

from vaead.calibration.diagnostics import TrainingDiagnostics
from vaead.calibration.fitting import calibrate, reference_kind
from vaead.config import NetworkConfig
from vaead.data.datasets import load_dataset
from vaead.held_out.defect_trial import MadePhoto, judge
from vaead.held_out.recalibration import digests_of
from vaead.held_out.scanning import HeldOutScans, photos_with_defects, scan_held_out
from vaead.held_out.split import Images, joined, split_normal
from vaead.ignored import IgnoredRegion
from vaead.model.card import ModelCard, NetworkCard
from vaead.model.events import CalibrationReport, EpochMaps, EpochReport, TrainingReport
from vaead.model.model import Model, TrainedNetwork
from vaead.model.store import ModelStore
from vaead.recipe import Recipe
from vaead.scoring.image_scorer import ImageScorer, Progress
from vaead.scoring.light import Light
from vaead.scoring.patch_scorer import PatchScorer
from vaead.scoring.patches import PatchGrid, unit
from vaead.training.export import to_litert
from vaead.training.fit import fit, watched_crops
from vaead.training.kept_windows import keep_windows
from vaead.training.live import terms_of
from vaead.training.network import Vae, describe_layers
from vaead.version import __version__

OnReport = Callable[[TrainingReport], None]
"""Called after each epoch, and now and then while held-out images are scored."""

_STEP = 0.01
"""Least progress of which is told."""


def train(
    recipe: Recipe,
    store: ModelStore | None = None,
    on_report: OnReport | None = None,
    followed: NDArray[np.uint8] | None = None,
) -> Model:
    """Train the model of a class of a dataset and put it into a store.

    Args:
        recipe: A recipe whose source is a class of a dataset.
        store: Store of the model; the default store if not given.
        on_report: See `OnReport`; an exception of it ends the training and nothing is stored.
        followed: A few images (N, H, W) whose terms are reported after each epoch of the first network.

    Returns:
        The model, loaded from the store.

    Raises:
        UnknownNameError: The dataset or the class does not exist.
        InvalidInputError: The recipe is of photos, or images are smaller than a patch.
        DataUnavailableError: The dataset cannot be read or downloaded.
        TrainingError: Training did not reach its end.
        StoreError: The store cannot be written.
    """
    source = recipe.class_source
    store = store or ModelStore()
    store.check_writable()
    dataset = load_dataset(source.dataset)
    normal = dataset.class_index(source.normal)
    _require_fit([dataset.image_shape], recipe.networks)
    images = dataset.train.of_class(normal)
    after = None if followed is None else terms_of(followed, recipe.networks[0])
    store.save(_train(images, dataset.class_fingerprint(normal), recipe, on_report, after=after))
    return store.load(recipe)


def train_photos(
    photos: Sequence[NDArray[np.generic]],
    recipe: Recipe,
    on_report: OnReport | None = None,
    validation: Sequence[NDArray[np.generic]] = (),
) -> Model:
    """Train a model on the user's own normal photos.

    Args:
        photos: (H, W), or (H, W, 3) for a recipe with colours; already scaled; uint8, or 0 to 1.
        recipe: A recipe whose source is photos.
        on_report: As in `train`.
        validation: Normal photos to calibrate with, besides those that are held out.

    Returns:
        The model, not yet stored.

    Raises:
        InvalidInputError: There are too few photos, one is smaller than a patch, or they differ in size but
            the recipe calls them aligned; or a region to ignore does not fit them.
        TrainingError: Training did not reach its end.
    """
    both = [*photos, *validation]
    shapes = {photo.shape for photo in both}
    _require_fit([shape[:2] for shape in shapes], recipe.networks, recipe.source.ignored)
    recipe.require_shapes(shapes, recipe.source.scale)
    fingerprint = _fingerprint(photos)
    if len({photo.dtype for photo in both}) > 1:  # bytes among fractions would be taken for fractions
        both = [unit(photo) for photo in both]
    images: Images = np.stack(both) if recipe.source.aligned and both else both
    return _train(images[: len(photos)], fingerprint, recipe, on_report, images[len(photos) :])


def _require_fit(
    shapes: Sequence[tuple[int, ...]],
    networks: Sequence[NetworkConfig],
    ignored: IgnoredRegion | None = None,
) -> None:
    """Raise InvalidInputError unless a patch of each network fits into what counts of such images."""
    for height, width in shapes:
        for network in networks:
            PatchGrid(height, width, network.patch_size, network.stride, ignored)


def _fingerprint(photos: Sequence[NDArray[np.generic]]) -> str:
    digests = sorted(
        hashlib.sha256(f"{photo.shape}".encode() + photo.tobytes()).hexdigest() for photo in photos
    )
    return hashlib.sha256("".join(digests).encode()).hexdigest()


class _Fitted(NamedTuple):
    """A trained and exported network, its card, and its outputs for held-out images."""

    program: bytes
    card: NetworkCard
    scans: HeldOutScans


def _train(
    normal: Images,
    fingerprint: str,
    recipe: Recipe,
    on_report: OnReport | None,
    validation: Images | None = None,
    after: Callable[[Vae, int], EpochMaps] | None = None,
) -> Model:
    images, held_out = split_normal(normal, recipe.train)
    if validation is not None:
        held_out = joined(held_out, validation)
    start = time.monotonic()
    light = Light.usual(list(images), recipe.source.ignored) if recipe.source.even_light else None
    images = _evened(images, light, recipe)
    made = photos_with_defects(held_out, recipe)
    fitted = [
        _fit(images, held_out, made, recipe, index, light, _Reporter(on_report, recipe, index, start, after))
        for index in range(len(recipe.networks))
    ]
    kind = reference_kind(recipe.for_photos, recipe.source.aligned)
    scans = [each.scans for each in fitted]
    calibration = calibrate(kind, [each.normal for each in scans], [each.made for each in scans])
    sides = [max(image.shape[:2]) for image in normal]
    height, width = normal[0].shape[:2]
    card = ModelCard(
        recipe=recipe,
        fingerprint=fingerprint,
        image_shape=(height, width) if recipe.source.aligned else None,
        networks=tuple(each.card for each in fitted),
        normal_scores=calibration.normal_scores,
        versions={
            "vaead": __version__,
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
        },
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        longer_side_px=(min(sides), max(sides)) if recipe.for_photos else None,
        light=light,
        trials=judge(made, calibration.changed_scores, calibration.normal_scores),
        elapsed_s=round(time.monotonic() - start, 3),
        held_out=digests_of(held_out) if recipe.for_photos else (),
        kinds=calibration.references[0].n_kinds,
    )
    networks = [
        TrainedNetwork(config, each.program, reference, light, recipe.source.ignored)
        for config, each, reference in zip(recipe.networks, fitted, calibration.references, strict=True)
    ]
    windows = keep_windows(images, fitted[0].program, recipe) if recipe.for_photos else None
    return Model(card, networks, windows)


def _evened(images: Images, light: Light | None, recipe: Recipe) -> Images:
    if light is None:
        return images
    return [light.even(image[None], recipe.source.ignored)[0] for image in images]


def _fit(
    images: Images,
    held_out: Images,
    made: Sequence[MadePhoto],
    recipe: Recipe,
    index: int,
    light: Light | None,
    report: _Reporter,
) -> _Fitted:
    """Train a network on images whose light is evened already; that of the held-out ones is not."""
    config = recipe.networks[index]
    watched, ignored = _evened(held_out, light, recipe), recipe.source.ignored
    vae, history = fit(images, watched, config, recipe.train, report.epoch, ignored)
    program = to_litert(vae)
    patches = PatchScorer(program)
    scorer = ImageScorer(patches, config, light, ignored)
    scans = scan_held_out(scorer, held_out, made, report.of_scan)
    diagnostics = _diagnose(patches, watched, config, recipe)
    card = NetworkCard(tuple(history), diagnostics, describe_layers(vae))
    return _Fitted(program, card, scans)


class _Reporter:
    """Reports of one network, whose epochs follow those of the networks before it, all since `start`."""

    def __init__(
        self,
        on_report: OnReport | None,
        recipe: Recipe,
        index: int,
        start: float,
        after: Callable[[Vae, int], EpochMaps] | None,
    ) -> None:
        self._on_report = on_report
        self._recipe = recipe
        self._before = index * recipe.train.epochs
        self._start = start
        self._after = after if index == 0 else None
        self._told = 0.0

    def epoch(self, report: EpochReport, vae: Vae) -> None:
        if self._on_report is None:
            return
        done, total = self._before + report.epoch, self._recipe.total_epochs
        remaining_s = report.elapsed_s / report.epoch * (total - done)
        elapsed_s = time.monotonic() - self._start
        self._on_report(
            replace(report, epoch=done, epochs=total, elapsed_s=elapsed_s, remaining_s=remaining_s)
        )
        if self._after is not None:
            self._on_report(self._after(vae, done))

    def of_scan(self, number: int, count: int) -> Progress:
        """Reports for one scan of so many."""

        def report(done: int, total: int) -> None:
            share = (number + done / total) / count
            if self._on_report is not None and (share >= self._told + _STEP or share == 1):
                self._told = share
                self._on_report(CalibrationReport(round(share, 3)))

        return report


def _diagnose(
    scorer: PatchScorer, held_out: Images, config: NetworkConfig, recipe: Recipe
) -> TrainingDiagnostics:
    rng = np.random.default_rng([recipe.train.seed, 2])
    pixels, positions = watched_crops(held_out, config, rng, recipe.source.ignored)
    decoded = scorer.decode(pixels, positions)
    return TrainingDiagnostics.compute(pixels.reshape(len(pixels), -1), decoded["mu"], decoded["sigma2"])
