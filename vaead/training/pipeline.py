"""From a recipe to a stored model: data, training, export, calibration, card."""

from __future__ import annotations

import dataclasses
import hashlib
import platform
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

import vaead
from vaead.calibration.clusters import ClusterReference
from vaead.calibration.diagnostics import TrainingDiagnostics
from vaead.calibration.fitting import calibrate, calibrate_pooled
from vaead.calibration.gaussian import GaussianReference
from vaead.calibration.thresholds import NormalScores
from vaead.config import NetworkConfig
from vaead.data.datasets import load_dataset
from vaead.errors import InvalidInputError
from vaead.model.card import Companion, ModelCard
from vaead.model.store import Model, ModelPart, ModelStore
from vaead.recipe import Recipe
from vaead.scoring.image_scorer import ImageScorer
from vaead.scoring.patch_scorer import PatchScorer
from vaead.scoring.patches import PatchGrid, unit
from vaead.scoring.term_maps import Scan
from vaead.training.export import to_litert
from vaead.training.fit import EpochReport, Images, OnEpoch, fit, split_normal, watched_crops
from vaead.training.network import Vae, describe_layers


def train(recipe: Recipe, store: ModelStore | None = None, on_epoch: OnEpoch | None = None) -> Model:
    """Train the model of a recipe and put it into a store.

    Args:
        recipe: What to train, on what, with which seed.
        store: Where to; the default store if not given.
        on_epoch: Called after each epoch; what it raises ends the training and nothing is stored.

    Returns:
        The model, loaded.

    Raises:
        UnknownNameError: The dataset or the class does not exist.
        InvalidInputError: The images are smaller than a patch.
        DataUnavailableError: The dataset cannot be read or downloaded.
        TrainingError: Training did not reach its end.
        StoreError: The store cannot be written.
    """
    store = store or ModelStore()
    store.check_writable()
    dataset = load_dataset(recipe.dataset)
    normal = dataset.class_index(recipe.normal)
    for network in recipe.networks:
        PatchGrid(*dataset.image_shape, network.patch_size, network.stride)  # a patch must fit
    images, fingerprint = dataset.train_images(normal), dataset.class_fingerprint(normal)
    store.save(*_train(images, fingerprint, recipe, on_epoch))
    return store.load(recipe)


def train_photos(
    photos: Sequence[NDArray[np.generic]], recipe: Recipe, on_epoch: OnEpoch | None = None
) -> tuple[ModelCard, list[ModelPart], list[bytes]]:
    """Train a model on the user's own normal photos.

    Args:
        photos: (H, W), or (H, W, 3) for a recipe with colours; already scaled; uint8, or 0 to 1.
        recipe: See `Recipe.from_photos`.
        on_epoch: As in `train`.

    Returns:
        What `vaead.model.store.save_model` writes.

    Raises:
        InvalidInputError: There are too few photos, one is smaller than a patch, or they differ in size but
            are said to be aligned.
        TrainingError: Training did not reach its end.
    """
    shapes = {photo.shape for photo in photos}
    for height, width, *_ in shapes:
        PatchGrid(height, width, recipe.model.patch_size, recipe.model.stride)  # a patch must fit
    aligned = recipe.photos is not None and recipe.photos.aligned
    if aligned and len(shapes) > 1:
        raise InvalidInputError(
            f"aligned photos must have one size, got {len(shapes)} sizes; leave out --aligned or crop them"
        )
    if len({photo.dtype for photo in photos}) > 1:  # bytes among fractions would be taken for fractions
        photos = [unit(photo) for photo in photos]
    images = np.stack(photos) if aligned and photos else list(photos)
    return _train(images, _fingerprint(photos), recipe, on_epoch)


def _fingerprint(photos: Sequence[NDArray[np.generic]]) -> str:
    digests = sorted(
        hashlib.sha256(f"{photo.shape}".encode() + photo.tobytes()).hexdigest() for photo in photos
    )
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _train(
    normal: Images, fingerprint: str, recipe: Recipe, on_epoch: OnEpoch | None
) -> tuple[ModelCard, list[ModelPart], list[bytes]]:
    """Train every network of a recipe: what `vaead.model.store.save_model` writes."""
    images, held_out = split_normal(normal, recipe.train)
    start = time.monotonic()
    trained = [
        _train_network(images, held_out, recipe, index, _counted_on(on_epoch, recipe, index, start))
        for index in range(len(recipe.networks))
    ]
    main = trained[0]
    found: tuple[Sequence[GaussianReference | ClusterReference], NormalScores] = (
        calibrate([network.held_out[0] for network in trained])
        if isinstance(normal, np.ndarray)
        else calibrate_pooled([network.held_out for network in trained])
    )
    deviations, calibration = found
    sides = [max(image.shape[:2]) for image in normal]
    card = ModelCard(
        recipe=recipe,
        fingerprint=fingerprint,
        image_shape=(normal.shape[1], normal.shape[2]) if isinstance(normal, np.ndarray) else None,
        history=main.history,
        layers=describe_layers(main.vae),
        calibration=calibration,
        health=main.health,
        companions=[Companion(network.history, network.health) for network in trained[1:]],
        versions={
            "vaead": vaead.__version__,
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
        },
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        longer_side_px=(min(sides), max(sides)) if recipe.photos else None,
    )
    parts = [
        ModelPart(network.program, deviation) for network, deviation in zip(trained, deviations, strict=True)
    ]
    return card, parts, [_keras_archive(network.vae) for network in trained]


class _Trained(NamedTuple):
    """A trained network and what it says about held-out normal images: of all, or one scan an image."""

    vae: Vae
    program: bytes
    history: list[dict[str, float]]
    held_out: list[Scan]
    health: TrainingDiagnostics


def _train_network(
    images: Images,
    held_out: Images,
    recipe: Recipe,
    index: int,
    on_epoch: OnEpoch | None,
) -> _Trained:
    model = recipe.networks[index]
    vae, history = fit(images, held_out, model, recipe.train, on_epoch)
    program = to_litert(vae)
    scorer = PatchScorer(program)
    return _Trained(
        vae,
        program,
        [dataclasses.asdict(report) for report in history],
        _scan(ImageScorer(scorer, model), held_out),
        _judge(scorer, held_out, model, recipe.train.seed),
    )


def _scan(scorer: ImageScorer, images: Images) -> list[Scan]:
    if isinstance(images, np.ndarray):
        return [scorer.scan(images)]
    return [scorer.scan(image[None]) for image in images]


def _counted_on(on_epoch: OnEpoch | None, recipe: Recipe, index: int, start: float) -> OnEpoch | None:
    """Report the epochs of a network as those that follow the networks before it, all since `start`."""
    if on_epoch is None or len(recipe.networks) == 1:
        return on_epoch
    before, total = index * recipe.train.epochs, recipe.total_epochs

    def report(epoch: EpochReport) -> None:
        done = before + epoch.epoch
        times = {
            "elapsed_s": time.monotonic() - start,
            "remaining_s": epoch.elapsed_s / epoch.epoch * (total - done),
        }
        on_epoch(dataclasses.replace(epoch, epoch=done, epochs=total, **times))

    return report


def _judge(scorer: PatchScorer, held_out: Images, model: NetworkConfig, seed: int) -> TrainingDiagnostics:
    rng = np.random.default_rng([seed, 2])
    pixels, positions = watched_crops(held_out, model, rng)
    decoded = scorer.decode(pixels, positions)
    return TrainingDiagnostics.of(pixels.reshape(len(pixels), -1), decoded["mu"], decoded["sigma2"])


def _keras_archive(vae: Vae) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        vae.save(file)
        return file.read_bytes()
