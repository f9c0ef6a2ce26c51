"""A region of photos that takes no part in training, scores, thresholds, maps and metrics."""

from dataclasses import replace as replaced
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from vaead.data.photos import Photo
from vaead.errors import InvalidInputError
from vaead.ignored import IgnoredRegion
from vaead.inference.prediction import Prediction, Thresholds
from vaead.model.folder import load_model, save_model
from vaead.model.model import Model
from vaead.recipe import PhotoSource, Recipe
from vaead.scoring.patches import PatchGrid, random_crops
from vaead.training.pipeline import train_photos

Photos = list[NDArray[np.uint8]]
SHARE = np.s_[:20, :20]
"""Half of the height and of the width of a photo of 40x40 pixels."""


@pytest.fixture(scope="module")
def region() -> IgnoredRegion:
    mask = np.zeros((40, 40), np.bool_)
    mask[SHARE] = True
    return IgnoredRegion.from_mask(mask)


def squares(photos: Photos, seed: int) -> Photos:
    """Photos of 40x40 pixels whose upper left quarter is noise, another in each."""
    random, found = np.random.default_rng(seed), []
    for photo in photos:
        square = photo[:40, :40].copy()
        square[SHARE] = random.integers(0, 256, (20, 20))
        found.append(square)
    return found


@pytest.fixture(scope="module", params=[False, True], ids=["free", "aligned"])
def trained(
    request: pytest.FixtureRequest, photos: Photos, photo_recipe: Recipe, region: IgnoredRegion
) -> Model:
    source = PhotoSource(aligned=request.param, ignored=region, even_light=True)
    train = replace(photo_recipe.train, epochs=1, crops=512)
    return train_photos(squares(photos, 0), replace(photo_recipe, source=source, train=train))


def test_windows_that_lie_mostly_inside_are_left_out(region: IgnoredRegion) -> None:
    grid = PatchGrid(40, 40, 16, 4, region)
    rows, cols = (np.minimum(16, 20 - starts).clip(0) for starts in (grid.row_starts, grid.col_starts))
    np.testing.assert_array_equal(grid.kept, np.multiply.outer(rows, cols) <= 128)
    assert grid.blank is not None
    assert grid.blank[SHARE].all()
    assert grid.blank.sum() == 400


def test_no_crop_lies_mostly_inside(region: IgnoredRegion) -> None:
    image = np.zeros((40, 40), np.uint8)
    image[SHARE] = 1
    crops, positions = random_crops([image, image], 16, 500, np.random.default_rng(0), region)
    assert crops.mean(axis=(1, 2)).max() <= 0.5
    assert crops.mean(axis=(1, 2)).max() > 0.4
    assert positions.min() == 0


def test_what_is_inside_changes_no_score_of_windows_outside(trained: Model, photos: Photos) -> None:
    before, after = (trained.term_maps(np.stack(squares(photos, seed))) for seed in (1, 2))
    outside = np.s_[:, 5:, :]  # rows of windows below the region
    for name in ("kl", "log_variance", "mahalanobis"):
        np.testing.assert_allclose(getattr(before, name)[outside], getattr(after, name)[outside], rtol=1e-3)
    for score in ("old", "new", "calibrated"):
        for maps in (before.anomaly_maps(score), before.sum_maps(score)):
            assert np.isnan(maps[:, :20, :20]).all()
            assert np.isfinite(maps[:, 20:]).all()
            assert np.isfinite(maps[:, :, 20:]).all()
        assert np.isfinite(before.image_scores(score)).all()
        assert not before.mask_above(score, -1e9)[:, :20, :20].any()


def test_anomaly_is_found_outside_and_not_inside(trained: Model, photos: Photos) -> None:
    usual, inside, outside = squares(photos[:1], 1) * 3
    inside, outside = inside.copy(), outside.copy()
    inside[2:10, 2:10] = 255
    outside[26:36, 26:36] = 255
    scores = trained.anomaly_score(np.stack([usual, inside, outside]))
    assert scores[2] > 2 * scores[:2].max()


def test_model_keeps_the_region(trained: Model, photos: Photos, tmp_path: Path) -> None:
    save_model(tmp_path / "model", trained)
    again, images = load_model(tmp_path / "model"), np.stack(squares(photos, 1))
    assert again.card == trained.card
    for score in ("old", "new", "calibrated"):
        np.testing.assert_array_equal(again.anomaly_map(images, score), trained.anomaly_map(images, score))


def test_pixels_inside_do_not_count(trained: Model, photos: Photos) -> None:
    image = squares(photos[:1], 1)[0]
    thresholds = Thresholds.from_rate(trained.card.normal_scores, 0.05)
    found = Prediction.from_terms(Photo("a", "a"), image, trained.term_maps(image[None]), thresholds)
    truth = np.zeros((40, 40), np.bool_)
    truth[SHARE] = truth[30:34, 30:34] = True
    counts = replaced(found, true_mask=truth).count_pixels()["new"]
    assert counts._counts[:2].sum(axis=1).tolist() == [1600 - 400 - 16, 16]


def test_another_region_can_be_left_out_later(
    photo_model: Model, photos: Photos, region: IgnoredRegion
) -> None:
    later, photo = photo_model.leaving_out(region), photos[0][None]
    assert np.isnan(later.anomaly_map(photo)[0, :18, :20]).all()
    assert later.anomaly_score(photo, "new")[0] <= photo_model.anomaly_score(photo, "new")[0]
    assert np.isfinite(photo_model.anomaly_map(photo)).all()
    assert photo_model.leaving_out(None) is photo_model


def test_bad_regions_are_refused(photo_recipe: Recipe, photos: Photos, region: IgnoredRegion) -> None:
    most = np.ones((40, 40), np.bool_)
    most[20, 20] = False
    source = PhotoSource(ignored=IgnoredRegion.from_mask(most))
    with pytest.raises(
        InvalidInputError, match="must leave a window of the image, got one that lies in the way"
    ):
        train_photos(photos, replace(photo_recipe, source=source))
    aligned = replace(photo_recipe, source=PhotoSource(aligned=True, ignored=region))
    with pytest.raises(
        InvalidInputError, match="as large as the aligned photos, 30x40 px, got 40x40; draw it"
    ):
        train_photos([photo[:40, :30] for photo in photos], aligned)
