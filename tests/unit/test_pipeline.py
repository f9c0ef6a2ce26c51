import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import vaead
from vaead.config import ModelConfig, Recipe
from vaead.datasets import Dataset
from vaead.errors import InvalidInputError, StoreError
from vaead.health import Health
from vaead.model import describe_layers
from vaead.patches import every_crop
from vaead.pipeline import train
from vaead.store import CARD, NETWORK, PROGRAM, Model, ModelStore
from vaead.terms import Array
from vaead.training import EpochReport, split_normal


def test_stored_folder_is_whole(store: ModelStore, recipe: Recipe) -> None:
    names = {path.name for path in store.folder(recipe).iterdir()}
    assert names == {CARD, NETWORK, PROGRAM}


def test_card_says_how_the_model_was_made(
    model: Model, recipe: Recipe, digits: Dataset, reports: list[EpochReport]
) -> None:
    card = model.card
    assert card.recipe == recipe
    assert card.fingerprint == digits.class_fingerprint(1)
    assert card.image_shape == (28, 28)
    assert card.history == [dataclasses.asdict(report) for report in reports]
    assert card.versions["vaead"] == vaead.__version__
    assert datetime.now(UTC) >= datetime.fromisoformat(card.created)


def test_card_lists_the_layers(model: Model, vae: Array) -> None:
    assert model.card.layers == describe_layers(vae)


def test_calibration_is_that_of_the_held_out_images(model: Model, digits: Dataset, recipe: Recipe) -> None:
    _, held_out = split_normal(digits.train_images(1), recipe.train)
    scores = model.anomaly_score(held_out)
    calibration = model.card.calibration
    assert calibration.images == len(held_out)
    assert calibration.image["new"][0] == pytest.approx(scores.min(), rel=1e-4)
    assert calibration.image["new"][-1] == pytest.approx(scores.max(), rel=1e-4)


def test_health_is_that_of_held_out_patches(
    model: Model, digits: Dataset, recipe: Recipe, vae: Array
) -> None:
    _, held_out = split_normal(digits.train_images(1), recipe.train)
    every = every_crop(held_out, 8).reshape(-1, 8, 8) / np.float32(255)
    decoded = vae(every)
    expected = Health.of(every.reshape(-1, 64), np.array(decoded.mu), np.exp(decoded.log_sigma2))
    # Some of the crops are judged, drawn at random.
    assert model.card.health.explained_variance == pytest.approx(expected.explained_variance, abs=0.05)
    assert model.card.health.error_per_pixel == pytest.approx(expected.error_per_pixel, rel=0.05)


def test_position_aware_model_learns(position_aware: Model) -> None:
    first, last = position_aware.card.history
    assert last["loss"] < first["loss"]
    assert last["held_out_loss"] < first["held_out_loss"]


def test_cancelled_training_stores_nothing(
    recipe: Recipe, tmp_path: Path, no_arithmetic: list[NDArray[np.float32]]
) -> None:
    def cancel(report: EpochReport) -> None:
        if report.epoch == 2:
            raise KeyboardInterrupt("cancelled")

    with pytest.raises(KeyboardInterrupt, match="cancelled"):
        train(recipe, ModelStore(tmp_path), cancel)
    assert len(no_arithmetic) == 2
    assert list(tmp_path.iterdir()) == []


def test_store_is_tried_before_anything_else(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    unknown = Recipe.from_preset("no such dataset", 1)
    with pytest.raises(StoreError, match="store must be a folder that can be written"):
        train(unknown, ModelStore(tmp_path / "file" / "models"))


def test_patch_larger_than_the_images_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    large = dataclasses.replace(recipe, model=ModelConfig(patch_size=32))
    with pytest.raises(InvalidInputError, match=r"at least 32x32 pixels .* got 28x28; use a larger image"):
        train(large, ModelStore(tmp_path))
