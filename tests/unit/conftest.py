"""Two tiny models, of one and of two networks, trained once, that the tests of the engine share."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.datasets import Dataset, load_dataset
from vaead.recipe import Recipe
from vaead.store import NETWORK, Model, ModelStore
from vaead.terms import Array
from vaead.training import EpochReport


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return load_dataset("digits")


@pytest.fixture(scope="session")
def images(digits: Dataset) -> NDArray[np.uint8]:
    """Five test images of digit 9, (5, 28, 28): 605 windows of the article, more than one batch."""
    return digits.test_images(9)[:5]


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    return Recipe.from_preset("digits", 1, epochs=2, crops=2048, seed=3)


@pytest.fixture(scope="session")
def _trained(
    recipe: Recipe, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ModelStore, Model, list[EpochReport]]:
    from vaead import train

    store = ModelStore(tmp_path_factory.mktemp("models"))
    reports: list[EpochReport] = []
    return store, train(recipe, store, reports.append), reports


@pytest.fixture(scope="session")
def store(_trained: tuple[ModelStore, Model, list[EpochReport]]) -> ModelStore:
    """A store that holds the model; no test may change it."""
    return _trained[0]


@pytest.fixture(scope="session")
def model(_trained: tuple[ModelStore, Model, list[EpochReport]]) -> Model:
    return _trained[1]


@pytest.fixture(scope="session")
def _multi_scale(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelStore, Model, list[EpochReport]]:
    from vaead import train

    recipe = Recipe.from_preset("digits", 1, "multi-scale", epochs=2, crops=2048, seed=3)
    store = ModelStore(tmp_path_factory.mktemp("multi-scale"))
    reports: list[EpochReport] = []
    return store, train(recipe, store, reports.append), reports


@pytest.fixture(scope="session")
def multi_scale(_multi_scale: tuple[ModelStore, Model, list[EpochReport]]) -> Model:
    """A model of two networks that are told where a patch lies."""
    return _multi_scale[1]


@pytest.fixture(scope="session")
def multi_scale_reports(_multi_scale: tuple[ModelStore, Model, list[EpochReport]]) -> list[EpochReport]:
    """What `on_epoch` was called with when that model was trained."""
    return _multi_scale[2]


@pytest.fixture(scope="session")
def reports(_trained: tuple[ModelStore, Model, list[EpochReport]]) -> list[EpochReport]:
    """What `on_epoch` was called with."""
    return _trained[2]


@pytest.fixture(scope="session")
def vae(store: ModelStore, recipe: Recipe) -> Array:
    """The network of the model, as a user would load it."""
    import keras

    import vaead.model  # noqa: F401  # registers the layers

    return keras.models.load_model(store.folder(recipe) / NETWORK.format(""))


@pytest.fixture
def no_arithmetic(monkeypatch: pytest.MonkeyPatch) -> list[NDArray[np.float32]]:
    """Epochs that leave the weights as they are, which spares their compilation.

    D is 8, A is 2 and M is 1 in each of them, and the loss on held-out images is 5.

    Returns:
        The crops of each epoch, in the order in which the epoch got them.
    """
    import tensorflow as tf

    from vaead import training

    seen: list[NDArray[np.float32]] = []

    def compile_epoch(*_: object) -> Callable[[Array, Array, Array], Array]:
        def epoch(crops: Array, _positions: Array, _seed: Array) -> Array:
            seen.append(crops)
            return tf.constant([8.0, 2.0, 1.0])

        return epoch

    monkeypatch.setattr(training, "compile_epoch", compile_epoch)
    monkeypatch.setattr(training, "_held_out_loss", lambda *_: lambda: 5.0)
    return seen
