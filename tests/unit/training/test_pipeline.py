from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

import vaead
from vaead.calibration.class_images import ClassReference
from vaead.calibration.diagnostics import TrainingDiagnostics
from vaead.calibration.photo import AlignedPhotoReference, PhotoReference
from vaead.config import NetworkConfig
from vaead.data.datasets import Dataset
from vaead.errors import InvalidInputError, StoreError
from vaead.held_out.split import split_normal
from vaead.model.events import EpochReport
from vaead.model.model import Model
from vaead.model.store import ModelStore
from vaead.recipe import ClassSource, PhotoSource, Recipe
from vaead.scoring.loss_terms import Array
from vaead.scoring.patches import every_crop
from vaead.training import pipeline
from vaead.training.network import describe_layers
from vaead.training.pipeline import train, train_photos


def test_stored_folder_is_whole(store: ModelStore, recipe: Recipe) -> None:
    names = {path.name for path in store.folder(recipe).iterdir()}
    assert names == {"card.json", "network0.tflite.gz", "reference0.npz"}


def test_card_says_how_the_model_was_made(
    model: Model, recipe: Recipe, digits: Dataset, reports: list[EpochReport]
) -> None:
    card = model.card
    assert card.recipe == recipe
    assert card.fingerprint == digits.class_fingerprint(1)
    assert card.image_shape == (28, 28)
    assert [each.loss for each in card.networks[0].history] == [each.loss for each in reports]
    assert (len(card.networks), card.auroc) == (1, {})
    assert card.versions["vaead"] == vaead.__version__
    assert datetime.now(UTC) >= datetime.fromisoformat(card.created)


def test_card_lists_the_layers(model: Model, vae: Array) -> None:
    assert model.card.networks[0].layers == describe_layers(vae)


def test_calibration_is_that_of_the_held_out_images(model: Model, digits: Dataset, recipe: Recipe) -> None:
    _, held_out = split_normal(digits.train.of_class(1), recipe.train)
    terms, calibration = model.term_maps(held_out), model.card.normal_scores
    assert calibration.n_images == len(held_out)
    scores = terms.image_scores("new")
    assert calibration.image["new"][0] == pytest.approx(scores.min(), rel=1e-4)
    assert calibration.image["new"][-1] == pytest.approx(scores.max(), rel=1e-4)
    # Each of these images helped to learn what is normal, but not when it was judged.
    assert calibration.image["calibrated"][100] > np.median(terms.image_scores("calibrated"))


def test_calibrated_score_of_new_normal_images_is_as_calibrated(multi_scale: Model, digits: Dataset) -> None:
    scores = multi_scale.anomaly_score(digits.test.of_class(1), "calibrated")
    shares = [multi_scale.card.normal_scores.rank("calibrated", score) for score in scores]
    assert 0.2 < np.median(shares) < 0.9


def test_health_is_that_of_held_out_patches(
    model: Model, digits: Dataset, recipe: Recipe, vae: Array
) -> None:
    _, held_out = split_normal(digits.train.of_class(1), recipe.train)
    every = every_crop(held_out, 8).reshape(-1, 8, 8) / np.float32(255)
    decoded = vae(every)
    expected = TrainingDiagnostics.compute(
        every.reshape(-1, 64), np.array(decoded.mu), np.array(decoded.sigma2)
    )
    # Some of the crops are judged, drawn at random.
    assert model.card.networks[0].diagnostics.explained_variance == pytest.approx(
        expected.explained_variance, abs=0.05
    )
    assert model.card.networks[0].diagnostics.error_per_pixel == pytest.approx(
        expected.error_per_pixel, rel=0.05
    )


def test_both_networks_of_a_model_learn(multi_scale: Model) -> None:
    for network in multi_scale.card.networks:
        first, last = network.history
        assert last.loss < first.loss
        assert last.held_out_loss < first.held_out_loss


def test_networks_of_a_model_are_those_of_its_recipe(multi_scale: Model) -> None:
    references = [network.reference for network in multi_scale.networks]
    assert [each.place.median.shape for each in references if isinstance(each, ClassReference)] == [
        (4 * 4, 4 + 8),
        (6 * 6, 4 + 4),
    ]
    assert tuple(each.scorer.config for each in multi_scale.networks) == multi_scale.card.recipe.networks


def test_epochs_of_all_networks_follow_each_other(multi_scale_reports: list[EpochReport]) -> None:
    assert [(report.epoch, report.epochs) for report in multi_scale_reports] == [(n, 4) for n in range(1, 5)]
    elapsed_s = [report.elapsed_s for report in multi_scale_reports]
    assert elapsed_s == sorted(elapsed_s)
    remaining_s = [report.remaining_s for report in multi_scale_reports]
    assert min(remaining_s[:3]) > 0
    assert remaining_s[3] == 0


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
    unknown = Recipe.from_preset("article", ClassSource("no such dataset", 1))
    with pytest.raises(StoreError, match="store must be a folder that can be written"):
        train(unknown, ModelStore(tmp_path / "file" / "models"))


def test_patch_larger_than_the_images_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    large = NetworkConfig(patch_size=32)
    for networks in ((large,), (*recipe.networks, large)):
        with pytest.raises(InvalidInputError, match=r"at least 32x32 pixels .* got 28x28; use a larger"):
            train(replace(recipe, networks=networks), ModelStore(tmp_path))


Photos = list[NDArray[np.uint8]]


def aligned(recipe: Recipe) -> Recipe:
    return replace(recipe, source=PhotoSource(aligned=True))


def test_card_says_how_the_model_of_photos_was_made(photo_model: Model, photo_recipe: Recipe) -> None:
    card = photo_model.card
    assert card.recipe == photo_recipe
    assert card.image_shape is None
    assert len(card.networks[0].history) == 2
    assert card.networks[0].layers[0].layer == "conv1"
    assert type(photo_model.networks[0].reference) is PhotoReference
    assert card.kinds == photo_model.networks[0].reference.n_kinds == 1


def test_calibration_of_photos_is_that_of_the_held_out_ones(
    photo_model: Model, photo_recipe: Recipe, photos: Photos
) -> None:
    _, held_out = split_normal(photos, photo_recipe.train)
    calibration = photo_model.card.normal_scores
    assert calibration.n_images == len(held_out) == 6
    scores = [photo_model.anomaly_score(photo[None], "new")[0] for photo in held_out]
    assert calibration.image["new"][0] == pytest.approx(min(scores), rel=1e-4)
    assert calibration.image["new"][-1] == pytest.approx(max(scores), rel=1e-4)


def test_photos_with_a_spot_are_more_anomalous_than_all_others(photo_model: Model, photos: Photos) -> None:
    normal = [photo_model.anomaly_score(photo[None], "calibrated")[0] for photo in photos]
    for photo in photos[:3]:
        spotted = photo.copy()
        spotted[10:20, 20:30] = 255
        assert photo_model.anomaly_score(spotted[None], "calibrated")[0] > max(normal)
        row, col = np.unravel_index(
            photo_model.anomaly_map(spotted[None], "calibrated").argmax(), photo.shape
        )
        assert 0 <= row < 30
        assert 10 <= col < 40


def test_aligned_photos_make_a_model_of_their_size_with_those_for_validation(
    photo_recipe: Recipe, photos: Photos
) -> None:
    same = [photo[:40, :40] for photo in photos]
    small = replace(aligned(photo_recipe), train=replace(photo_recipe.train, epochs=1))
    model = train_photos(same[:8], small, None, same[8:])
    assert model.card.normal_scores.n_images == 4 + 4  # half of those for training, and all for validation
    reference = model.networks[0].reference
    assert model.card.image_shape == (40, 40)
    assert isinstance(reference, AlignedPhotoReference)
    assert reference.place is not None
    assert reference.place.median.shape == (7 * 7, 4 + 4)
    assert model.anomaly_score(np.stack(same)).shape == (12,)


@pytest.fixture
def _no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `train_photos` hands on, in place of a model."""
    monkeypatch.setattr(pipeline, "_train", lambda images, fingerprint, *_: (images, fingerprint))


@pytest.mark.usefixtures("_no_training")
def test_fingerprint_is_that_of_the_photos_in_any_order(photo_recipe: Recipe, photos: Photos) -> None:
    fingerprint, again, other = (
        train_photos(each, photo_recipe)[1] for each in (photos, photos[::-1], photos[:-1])
    )
    assert fingerprint == again != other


@pytest.mark.usefixtures("_no_training")
def test_bytes_and_fractions_may_be_mixed(photo_recipe: Recipe, photos: Photos) -> None:
    mixed = [photos[0], photos[1] / np.float64(255)]
    images, _ = train_photos(mixed, photo_recipe)
    for image, photo in zip(images, photos, strict=False):
        np.testing.assert_allclose(image, photo / 255, rtol=1e-6)


@pytest.mark.usefixtures("no_arithmetic")
def test_aligned_photos_of_several_sizes_are_refused(photo_recipe: Recipe, photos: Photos) -> None:
    with pytest.raises(InvalidInputError, match=r"aligned photos must have one size, got .* px; leave out"):
        train_photos(photos, aligned(photo_recipe))


@pytest.mark.usefixtures("no_arithmetic")
@pytest.mark.parametrize("size", [(15, 40), (40, 12)])
def test_photo_smaller_than_a_patch_is_refused(
    photo_recipe: Recipe, photos: Photos, size: tuple[int, int]
) -> None:
    small = np.zeros(size, np.uint8)
    with pytest.raises(InvalidInputError, match=f"at least 16x16 .* got {size[0]}x{size[1]}; use a larger"):
        train_photos([*photos, small], photo_recipe)


@pytest.mark.usefixtures("no_arithmetic")
@pytest.mark.parametrize("count", [0, 1])
@pytest.mark.parametrize("prepare", [aligned, lambda recipe: recipe], ids=["aligned", "pooled"])
def test_too_few_photos_are_refused(
    photo_recipe: Recipe, photos: Photos, count: int, prepare: Callable[[Recipe], Recipe]
) -> None:
    with pytest.raises(InvalidInputError, match=f"at least 2 normal images, got {count}; add more of them"):
        train_photos(photos[:count], prepare(photo_recipe))
