"""Which windows of training photos a model keeps."""

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from vaead.held_out.split import split_normal
from vaead.ignored import IgnoredRegion
from vaead.model.kept_windows import KeptWindows
from vaead.model.model import Model
from vaead.recipe import PhotoSource, Recipe
from vaead.training import kept_windows
from vaead.training.kept_windows import keep_windows

Photos = list[NDArray[np.uint8]]


def test_kept_windows_are_those_of_training_photos_with_their_z(
    photo_model: Model, photo_recipe: Recipe, photos: Photos
) -> None:
    trained, _ = split_normal(photos, photo_recipe.train)
    found = photo_model.windows
    assert found is not None
    assert set(found.places[:, 0]) == set(range(len(trained)))
    for index in range(0, len(found.places), 40):
        photo, row, column = map(int, found.places[index])
        grid = photo_model.grid(trained[photo][None])
        top, left, height, width = grid.frame((row, column))
        np.testing.assert_array_equal(
            found.pictures[index], trained[photo][top : top + height, left : left + width]
        )
        z_mean = photo_model.networks[0].scorer.scan_window(trained[photo], (row, column)).z_mean
        np.testing.assert_allclose(found.z_mean[index], z_mean, atol=2e-3, rtol=2e-3)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_windows, "_MOST", 126)


@pytest.mark.usefixtures("few")
def test_photos_and_places_are_taken_evenly(photo_model: Model, photo_recipe: Recipe, photos: Photos) -> None:
    same = np.stack([photos[0]] * 10)  # 7 x 9 windows each
    found = keep_windows(same, photo_model.networks[0].program, photo_recipe)
    _, by_photo = np.unique(found.places[:, 0], return_counts=True)
    _, by_place = np.unique(found.places[:, 1:], axis=0, return_counts=True)
    assert sorted(by_photo) == [12] * 4 + [13] * 6
    assert by_place.tolist() == [2] * 63
    again = keep_windows(same, photo_model.networks[0].program, photo_recipe)
    np.testing.assert_array_equal(found.places, again.places)


@pytest.mark.usefixtures("few")
def test_region_that_is_left_out_is_not_kept(
    photo_model: Model, photo_recipe: Recipe, photos: Photos
) -> None:
    left = np.zeros(photos[0].shape, np.bool_)
    left[:, :24] = True
    recipe = replace(photo_recipe, source=PhotoSource(ignored=IgnoredRegion.from_mask(left)))
    found = keep_windows([photos[0]], photo_model.networks[0].program, recipe)
    assert set(found.places[:, 2]) == {4, 5, 6, 7, 8}  # windows from column 16 on lie half outside
    assert len(found.places) == 5 * 7


def test_pictures_of_large_or_coloured_windows_stay_small(
    photo_model: Model, photo_recipe: Recipe, photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_windows, "_MOST_PICTURE_BYTES", 16 * 16 * 9 + 1)
    found: KeptWindows = keep_windows(
        [photo / np.float32(255) for photo in photos[:2]], photo_model.networks[0].program, photo_recipe
    )
    assert found.pictures.shape == (9, 16, 16)
    assert found.pictures.dtype == np.uint8
