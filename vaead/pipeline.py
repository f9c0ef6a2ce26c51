"""From a recipe to a stored model: data, training, export, calibration, card."""

from __future__ import annotations

import dataclasses
import platform
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

import vaead
from vaead.calibrating import calibrate
from vaead.card import Companion, ModelCard
from vaead.config import ModelConfig, PatchGrid
from vaead.datasets import load_dataset
from vaead.export import to_litert
from vaead.health import Health
from vaead.litert import PatchScorer
from vaead.maps import Scan
from vaead.model import Vae, describe_layers
from vaead.recipe import Recipe
from vaead.scoring import ImageScorer
from vaead.store import Model, ModelPart, ModelStore
from vaead.training import EpochReport, OnEpoch, fit, split_normal, unit_crops

_JUDGED_CROPS = 4096


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
    images, held_out = split_normal(dataset.train_images(normal), recipe.train)

    start = time.monotonic()
    trained = [
        _train_network(images, held_out, recipe, index, _counted_on(on_epoch, recipe, index, start))
        for index in range(len(recipe.networks))
    ]
    deviations, calibration = calibrate([network.held_out for network in trained])
    main = trained[0]
    card = ModelCard(
        recipe=recipe,
        fingerprint=dataset.class_fingerprint(normal),
        image_shape=dataset.image_shape,
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
    )
    parts = [
        ModelPart(network.program, deviation) for network, deviation in zip(trained, deviations, strict=True)
    ]
    store.save(card, parts, [_keras_archive(network.vae) for network in trained])
    return store.load(recipe)


class _Trained(NamedTuple):
    """A trained network and what it says about held-out normal images."""

    vae: Vae
    program: bytes
    history: list[dict[str, float]]
    held_out: Scan
    health: Health


def _train_network(
    images: NDArray[np.uint8],
    held_out: NDArray[np.uint8],
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
        ImageScorer(scorer, model).scan(held_out),
        _judge(scorer, held_out, model, recipe.train.seed),
    )


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


def _judge(scorer: PatchScorer, held_out: NDArray[np.uint8], model: ModelConfig, seed: int) -> Health:
    rng = np.random.default_rng([seed, 2])
    pixels, positions = unit_crops(held_out, model.patch_size, _JUDGED_CROPS, rng)
    decoded = scorer.decode(pixels, positions)
    return Health.of(pixels.reshape(len(pixels), -1), decoded["mu"], decoded["sigma2"])


def _keras_archive(vae: Vae) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        vae.save(file)
        return file.read_bytes()
