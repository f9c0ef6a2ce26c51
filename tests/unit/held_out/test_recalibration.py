"""Calibrating anew with normal photos that were flagged."""

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from vaead.errors import InvalidInputError
from vaead.held_out import recalibration
from vaead.held_out.recalibration import digests_of, recalibrate, unusual
from vaead.held_out.split import split_normal
from vaead.model.files import pack_reference
from vaead.model.folder import load_model, save_calibrated, save_model
from vaead.model.model import Model
from vaead.recipe import PhotoSource, Recipe

Photos = list[NDArray[np.uint8]]


@pytest.fixture(scope="module")
def flagged(photos: Photos) -> NDArray[np.uint8]:
    """A photo like the others, but in more noise."""
    noise = np.random.default_rng(1).normal(0, 8, photos[0].shape)
    return np.clip(photos[0] + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def again(photo_model: Model, photos: Photos, flagged: NDArray[np.uint8]) -> Model:
    return recalibrate(photo_model, photos, {"noisy": flagged}, even_if_unusual=True)


def test_card_knows_the_photos_that_were_held_out(
    photo_model: Model, photo_recipe: Recipe, photos: Photos
) -> None:
    _, held_out = split_normal(photos, photo_recipe.train)
    assert photo_model.card.held_out == digests_of(held_out)
    assert digests_of([photo / np.float64(255) for photo in held_out]) == digests_of(held_out)


def test_calibration_without_a_new_photo_is_that_of_the_training(photo_model: Model, photos: Photos) -> None:
    held_out = recalibration._held_out(photo_model.card, photos[::-1])  # found in any order
    same = recalibration._calibrated(photo_model, held_out, [], None)
    assert same.card == photo_model.card
    for name, values in photo_model.networks[0].reference.arrays().items():
        np.testing.assert_array_equal(same.networks[0].reference.arrays()[name], values)


def test_flagged_photo_joins_the_calibration(
    photo_model: Model, again: Model, flagged: NDArray[np.uint8]
) -> None:
    before, after = photo_model.card, again.card
    limits = [card.normal_scores.threshold_value("new", 0.05) for card in (before, after)]
    score = photo_model.anomaly_score(flagged[None], "new")[0]
    assert limits[0] < score
    assert limits[0] < limits[1]
    assert again.anomaly_score(flagged[None])[0] < photo_model.anomaly_score(flagged[None])[0]
    assert (after.normal_scores.n_images, after.added) == (before.normal_scores.n_images + 1, 1)
    assert after.held_out == (*before.held_out, *digests_of([flagged]))
    assert after.networks == before.networks
    assert again.networks[0].program is photo_model.networks[0].program
    assert [trial.tried for trial in after.trials] == [trial.tried for trial in before.trials]


def test_second_calibration_needs_the_photo_of_the_first(
    again: Model, photos: Photos, flagged: NDArray[np.uint8]
) -> None:
    other = np.ascontiguousarray(flagged[::-1])
    with pytest.raises(InvalidInputError, match="hold all 7 that the model was calibrated with, got 6 of"):
        recalibrate(again, photos, {"other": other}, even_if_unusual=True)
    third = recalibrate(again, [*photos, flagged], {"other": other}, even_if_unusual=True)
    assert third.card.added == 2
    with pytest.raises(
        InvalidInputError, match="at least one that the model was not calibrated with, got no"
    ):
        recalibrate(again, [*photos, flagged], {"again": flagged})


def test_progress_ends_at_one(photo_model: Model, photos: Photos, flagged: NDArray[np.uint8]) -> None:
    shares: list[float] = []
    recalibrate(photo_model, photos, {"noisy": flagged}, even_if_unusual=True, on_share=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_photo_far_above_all_others_is_taken_on_purpose_alone(photo_model: Model, photos: Photos) -> None:
    spotted = photos[0].copy()
    spotted[10:20, 20:30] = 255
    named = {"normal": photos[1], "spotted": spotted}
    assert list(unusual(photo_model, named)) == ["spotted"]
    with pytest.raises(InvalidInputError, match=r"far above all others, got 1, such as 'spotted' with a cal"):
        recalibrate(photo_model, photos, {"spotted": spotted})
    assert recalibrate(photo_model, photos, {"spotted": spotted}, even_if_unusual=True).card.added == 1


def test_photo_of_the_training_is_refused(photo_model: Model, photo_recipe: Recipe, photos: Photos) -> None:
    trained, _ = split_normal(photos, photo_recipe.train)
    with pytest.raises(
        InvalidInputError,
        match="got 'a', which is among the photos before",
    ):
        recalibrate(photo_model, photos, {"a": trained[0]})


def test_no_photo_is_refused(photo_model: Model, photos: Photos) -> None:
    with pytest.raises(
        InvalidInputError, match="at least one that the model was not calibrated with, got no"
    ):
        recalibrate(photo_model, photos, {})


def test_photo_in_colours_is_refused(photo_model: Model, photos: Photos, flagged: NDArray[np.uint8]) -> None:
    with pytest.raises(InvalidInputError, match=r"images must be an array of shape \(N, H, W\)"):
        recalibrate(photo_model, photos, {"colours": np.stack([flagged] * 3, axis=-1)})


def test_photo_of_another_size_is_refused_by_an_aligned_model(
    photo_model: Model, photos: Photos, flagged: NDArray[np.uint8]
) -> None:
    recipe = replace(photo_model.card.recipe, source=PhotoSource(aligned=True))
    aligned = Model(replace(photo_model.card, recipe=recipe, image_shape=(48, 48)), photo_model.networks)
    with pytest.raises(InvalidInputError, match=r"'a' must be 48x48 px after scaling, .* got 48x40 px"):
        recalibrate(aligned, photos, {"a": flagged})


def test_model_that_does_not_tell_its_photos_is_refused(photo_model: Model, photos: Photos) -> None:
    older = Model(replace(photo_model.card, held_out=()), photo_model.networks)
    with pytest.raises(
        InvalidInputError, match="say which photos it was calibrated with, got one of an older"
    ):
        recalibrate(older, photos, {"a": photos[0]})


def test_model_of_a_class_is_refused(model: Model, images: NDArray[np.uint8]) -> None:
    with pytest.raises(InvalidInputError, match="model must be of photos, got one of a class"):
        recalibrate(model, [], {"a": images[0]})


def test_model_is_written_with_the_programs_of_another(
    tmp_path: Path, photo_model: Model, again: Model, flagged: NDArray[np.uint8]
) -> None:
    save_model(tmp_path / "old", photo_model)
    packed = [pack_reference(each.reference) for each in again.networks]
    save_calibrated(tmp_path / "new", tmp_path / "old", again.card, packed, {})
    loaded = load_model(tmp_path / "new")
    assert loaded.card == again.card
    assert loaded.windows is not None
    assert again.windows is photo_model.windows
    np.testing.assert_array_equal(loaded.anomaly_score(flagged[None]), again.anomaly_score(flagged[None]))
