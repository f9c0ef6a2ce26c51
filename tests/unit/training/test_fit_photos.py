"""Training on photos: lists of images of several sizes, and crops that need much memory."""

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from vaead.config import NetworkConfig, TrainConfig
from vaead.held_out.split import split_normal
from vaead.model.model import Model
from vaead.recipe import Recipe
from vaead.training import fit as training
from vaead.training.fit import fit, watched_crops

Crops = list[NDArray[np.float32]]


def test_list_of_images_is_split_as_an_array() -> None:
    images = np.arange(30, dtype=np.uint8).reshape(30, 1, 1)
    for part, expected in zip(
        split_normal(list(images), TrainConfig()), split_normal(images, TrainConfig()), strict=True
    ):
        assert isinstance(part, list)
        np.testing.assert_array_equal(np.stack(part), expected)


def test_crops_that_need_much_memory_come_in_several_calls(
    photos: list[NDArray[np.uint8]],
    photo_recipe: Recipe,
    no_arithmetic: Crops,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, (whole, *_) = fit(photos, photos, photo_recipe.networks[0], photo_recipe.train)
    expected, again = no_arithmetic
    no_arithmetic.clear()
    monkeypatch.setattr(training, "_CALL_VALUES", 800 * 16 * 16)
    _, (in_parts, *_) = fit(photos, photos, photo_recipe.networks[0], photo_recipe.train)

    assert [len(crops) for crops in no_arithmetic] == [683, 683, 682] * 2
    np.testing.assert_array_equal(np.concatenate(no_arithmetic[:3]), expected)
    np.testing.assert_array_equal(np.concatenate(no_arithmetic[3:]), again)
    assert in_parts.loss == pytest.approx(whole.loss)


def test_several_calls_learn_as_much_as_one(
    photos: list[NDArray[np.uint8]], photo_recipe: Recipe, photo_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "_CALL_VALUES", 1024 * 16 * 16)  # two calls of eight batches each
    parts = split_normal(photos, photo_recipe.train)
    vae, reports = fit(*parts, photo_recipe.networks[0], photo_recipe.train)
    assert all(np.isfinite(weight).all() for weight in vae.get_weights())
    # The same batches, and nothing else than other noise in the second call.
    for report, whole in zip(reports, photo_model.card.networks[0].history, strict=True):
        for term in ("log_variance", "mahalanobis"):
            assert getattr(report, term) == pytest.approx(getattr(whole, term), rel=0.05)


def test_no_call_is_smaller_than_a_batch(
    photos: list[NDArray[np.uint8]],
    photo_recipe: Recipe,
    no_arithmetic: Crops,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(training, "_CALL_VALUES", 16 * 16)
    fit(photos, photos, photo_recipe.networks[0], replace(photo_recipe.train, crops=300, epochs=1))
    assert [len(crops) for crops in no_arithmetic] == [150, 150]


@pytest.mark.parametrize(("size", "channels", "count"), [(8, 1, 4096), (128, 3, 85)])
def test_fewer_crops_are_watched_where_patches_are_large(size: int, channels: int, count: int) -> None:
    config = NetworkConfig(network="convolutional", patch_size=size, channels=channels)
    image = np.full((128, 130, 3)[: 2 if channels == 1 else 3], 51, np.uint8)
    crops, positions = watched_crops([image], config, np.random.default_rng(0))
    assert crops.shape == (count, *config.patch_shape)
    assert positions.shape == (count, 2)
    np.testing.assert_array_equal(np.unique(crops), np.float32([0.2]))
