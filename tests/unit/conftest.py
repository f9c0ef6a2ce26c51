"""Tiny models of one network, of two and of photos, trained once, that the tests of the engine share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vaead.data.datasets import Dataset, load_dataset
from vaead.held_out.split import split_normal
from vaead.model.card import ModelCard
from vaead.model.events import CalibrationReport, EpochReport
from vaead.model.folder import load_model, save_model
from vaead.model.model import Model
from vaead.model.store import ModelStore
from vaead.recipe import ClassSource, PhotoSource, Recipe
from vaead.scoring.loss_terms import Array

if TYPE_CHECKING:
    from tests.conftest import Once

_REPORTS = "reports.json"


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return load_dataset("digits")


@pytest.fixture(scope="session")
def images(digits: Dataset) -> NDArray[np.uint8]:
    """Five test images of digit 9, (5, 28, 28): 605 windows of the article, more than one batch."""
    return digits.test.of_class(9)[:5]


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    return Recipe.from_preset("article", ClassSource("digits", 1), epochs=2, crops=2048, seed=3)


class Trained(NamedTuple):
    """A model, the store that holds it, and the reports of its epochs."""

    store: ModelStore
    model: Model
    reports: list[EpochReport]


def _trained_once(recipe: Recipe, make_once: Once, name: str) -> Trained:
    def make(folder: Path) -> None:
        from vaead.training.pipeline import train

        reports: list[EpochReport | CalibrationReport] = []
        train(recipe, ModelStore(folder), reports.append)
        of_epochs = [each for each in reports if isinstance(each, EpochReport)]
        (folder / _REPORTS).write_bytes(msgspec.json.encode(of_epochs))

    store = ModelStore(make_once(name, make))
    reports = msgspec.json.decode((store.root / _REPORTS).read_bytes(), type=list[EpochReport])
    return Trained(store, store.load(recipe), reports)


@pytest.fixture(scope="session")
def _trained(recipe: Recipe, make_once: Once) -> Trained:
    return _trained_once(recipe, make_once, "article")


@pytest.fixture(scope="session")
def store(_trained: Trained) -> ModelStore:
    """A store that holds the model; no test may change it."""
    return _trained.store


@pytest.fixture(scope="session")
def model(_trained: Trained) -> Model:
    return _trained.model


@pytest.fixture
def folder(store: ModelStore, recipe: Recipe) -> Path:
    """Where the model lies."""
    return store.folder(recipe)


@pytest.fixture
def image(tmp_path: Path, images: NDArray[np.uint8]) -> Path:
    """The first of the images as a file with an unusual name."""
    Image.fromarray(images[0]).save(tmp_path / "画像 é.png")
    return tmp_path / "画像 é.png"


@pytest.fixture(scope="session")
def reports(_trained: Trained) -> list[EpochReport]:
    """What `on_report` was called with after epochs."""
    return _trained.reports


@pytest.fixture(scope="session")
def _multi_scale(make_once: Once) -> Trained:
    recipe = Recipe.from_preset("multi-scale", ClassSource("digits", 1), epochs=2, crops=2048, seed=3)
    return _trained_once(recipe, make_once, "multi-scale")


@pytest.fixture(scope="session")
def multi_scale(_multi_scale: Trained) -> Model:
    """A model of two networks that are told where a patch lies."""
    return _multi_scale.model


@pytest.fixture(scope="session")
def multi_scale_reports(_multi_scale: Trained) -> list[EpochReport]:
    """What `on_report` was called with when that model was trained."""
    return _multi_scale.reports


@pytest.fixture(scope="session")
def photos() -> list[NDArray[np.uint8]]:
    """Twelve grey photos of soft diagonal stripes with some noise, of three sizes."""
    random = np.random.default_rng(0)
    found = []
    for number in range(12):
        height, width = ((40, 48), (48, 40), (41, 45))[number % 3]
        along = np.add.outer(np.arange(height), np.arange(width)) + random.integers(16)
        noise = random.normal(0, 4, (height, width))
        found.append((128 + 60 * np.sin(along * np.pi / 8) + noise).astype(np.uint8))
    return found


@pytest.fixture(scope="session")
def photo_recipe() -> Recipe:
    """Grey photos that are not aligned, 63 windows in one of 40x48 pixels."""
    return Recipe.from_preset(
        "industrial", PhotoSource(), patch_size=16, stride=4, latent_dim=4, epochs=2, crops=2048, seed=3
    )


@pytest.fixture(scope="session")
def photo_model(photos: list[NDArray[np.uint8]], photo_recipe: Recipe, make_once: Once) -> Model:
    """A model of these photos, whose calibration is pooled."""

    def make(folder: Path) -> None:
        from vaead.training.pipeline import train_photos

        save_model(folder, train_photos(photos, photo_recipe))

    return load_model(make_once("photos", make))


@pytest.fixture(scope="session")
def vae(recipe: Recipe, digits: Dataset) -> Array:
    """The network of the model in Keras, trained again in this process."""
    from vaead.training.fit import fit

    images, held_out = split_normal(digits.train.of_class(1), recipe.train)
    return fit(images, held_out, recipe.networks[0], recipe.train)[0]


@pytest.fixture
def no_arithmetic(monkeypatch: pytest.MonkeyPatch) -> list[NDArray[np.float32]]:
    """Epochs that leave the weights as they are, which spares their compilation.

    D is 8, A is 2 and M is 1 in each of them, and the loss on held-out images is 5. Nothing is trained again.

    Returns:
        The crops of each epoch, in the order in which the epoch got them.
    """
    import tensorflow as tf

    from vaead.training import fit as training

    seen: list[NDArray[np.float32]] = []

    def compile_epoch(*_: object) -> Callable[[Array, Array, Array], Array]:
        def epoch(crops: Array, _positions: Array, _seed: Array) -> Array:
            seen.append(crops)
            return tf.constant([8.0, 2.0, 1.0])

        return epoch

    monkeypatch.setattr(training, "compile_epoch", compile_epoch)
    monkeypatch.setattr(ModelCard, "is_dead", False)
    monkeypatch.setattr(training, "_held_out_loss", lambda *_: lambda: 5.0)
    return seen
