"""From a recipe to a stored model: data, training, export, calibration, card."""

from __future__ import annotations

import dataclasses
import platform
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

import vaead
from vaead.calibration import Calibration
from vaead.card import ModelCard
from vaead.config import PatchGrid, Recipe
from vaead.datasets import load_dataset
from vaead.export import to_litert
from vaead.health import Health
from vaead.model import Vae, describe_layers
from vaead.scoring import ImageScorer, PatchScorer
from vaead.store import Model, ModelStore
from vaead.training import OnEpoch, fit, split_normal, unit_crops

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
    PatchGrid(*dataset.image_shape, recipe.model.patch_size, recipe.model.stride)  # a patch must fit
    train_images, held_out_images = split_normal(dataset.train_images(normal), recipe.train)

    vae, history = fit(train_images, held_out_images, recipe, on_epoch)

    program = to_litert(vae)
    scorer = PatchScorer(program)
    held_out = ImageScorer(scorer, recipe.model).term_maps(held_out_images)
    card = ModelCard(
        recipe=recipe,
        fingerprint=dataset.class_fingerprint(normal),
        image_shape=dataset.image_shape,
        history=[dataclasses.asdict(report) for report in history],
        layers=describe_layers(vae),
        calibration=Calibration.of(held_out),
        health=_judge(scorer, held_out_images, recipe),
        versions={
            "vaead": vaead.__version__,
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
        },
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    store.save(card, program, _keras_archive(vae))
    return store.load(recipe)


def _judge(scorer: PatchScorer, held_out_images: NDArray[np.uint8], recipe: Recipe) -> Health:
    rng = np.random.default_rng([recipe.train.seed, 2])
    pixels, positions = unit_crops(held_out_images, recipe, _JUDGED_CROPS, rng)
    decoded = scorer.decode(pixels, positions)
    return Health.of(pixels.reshape(len(pixels), -1), decoded["mu"], decoded["sigma2"])


def _keras_archive(vae: Vae) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        vae.save(file)
        return file.read_bytes()
