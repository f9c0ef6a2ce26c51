"""Why here: the window that a score points to, and what belongs to it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.errors import InvalidInputError
from vaead.ignored import IgnoredRegion
from vaead.inference.explain import explain, require_windows, window_value, worst_window
from vaead.model.model import Model
from vaead.scoring.loss_terms import TERMS
from vaead.scoring.patches import PatchGrid
from vaead.scoring.regions import Region
from vaead.scoring.term_maps import CalibratedScore, TermMaps

Photos = list[NDArray[np.uint8]]


@pytest.fixture(scope="module")
def spotted(photos: Photos) -> NDArray[np.uint8]:
    spotted = photos[0].copy()
    spotted[10:20, 20:30] = 255
    return spotted


def test_window_is_scanned_as_with_all_others(photo_model: Model, spotted: NDArray[np.uint8]) -> None:
    scorer = photo_model.networks[0].scorer
    scan, decoded = scorer.scan(spotted[None]), scorer.decode(spotted[None])
    found = explain(photo_model, spotted, (2, 5))
    assert found.frame == (8, 20, 16, 16)
    for name in TERMS:
        assert getattr(found.window, name) == pytest.approx(getattr(scan, name)[0, 2, 5], rel=1e-4)
    np.testing.assert_allclose(found.window.z_mean, scan.z_mean[0, 2, 5], atol=1e-4)
    of_all = decoded.window((0, 2, 5))
    for name in ("patch", "mu", "sigma2", "errors"):
        one, other = getattr(found.window.decoded, name), getattr(of_all, name)
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)
    ranks = photo_model.card.normal_scores.window_ranks("new", scan.mahalanobis[0, 2, 5])
    assert found.normal_below == pytest.approx(float(ranks), abs=1e-3)
    assert found.likeness is not None
    assert len(found.likeness.nearest) == 3


def test_training_window_finds_itself(photo_model: Model, photo_recipe: object, photos: Photos) -> None:
    from vaead.held_out.split import split_normal

    trained, _ = split_normal(photos, photo_model.card.recipe.train)
    windows = photo_model.windows
    assert windows is not None
    photo, row, column = map(int, windows.places[100])
    found = explain(photo_model, trained[photo], (row, column)).likeness
    assert found is not None
    assert (found.nearest[0].photo, found.nearest[0].place) == (photo, (row, column))
    assert found.nearest[0].distance < 0.01
    assert found.share == 1


def test_worst_window_of_old_and_new_makes_the_score(photo_model: Model, spotted: NDArray[np.uint8]) -> None:
    terms = photo_model.term_maps(spotted[None])
    for score in ("old", "new"):
        place = worst_window(terms, score)
        assert window_value(terms, score, place) == terms.image_scores(score)[0]


def test_worst_window_of_calibrated_is_around_the_largest_pixel(
    photo_model: Model, spotted: NDArray[np.uint8]
) -> None:
    terms = photo_model.term_maps(spotted[None])
    place = worst_window(terms, "calibrated")
    assert window_value(terms, "calibrated", place) == terms.window_max("calibrated")[0]
    top, left, height, width = terms.grid.frame(place)
    assert (top < 20, left < 30, top + height > 10, left + width > 20) == (True,) * 4


def region(left: float, top: float, width: float, height: float) -> Region:
    center = left + (width - 1) / 2, top + (height - 1) / 2
    return Region(left, top, width, height, width * height, center, 1, 1, 1)


@pytest.mark.parametrize("score", ["new", "calibrated"])
def test_worst_window_of_a_region_lies_there(score: str) -> None:
    grid = PatchGrid(40, 48, 16, 4)
    windows = np.zeros((1, *grid.shape), np.float32)
    windows[0, 1, 1], windows[0, 5, 7] = 9, 3
    pixels = np.zeros((1, 40, 48), np.float32)
    pixels[0, 12, 12], pixels[0, 28, 36] = 9, 3  # middles of these windows, rounded up
    calibrated = CalibratedScore(np.ones(1, np.float32), pixels, np.array([False]))
    terms = TermMaps(windows, windows, windows, grid, calibrated)
    assert worst_window(terms, score) == (1, 1)
    assert worst_window(terms, score, region(30, 22, 14, 14)) == (5, 7)
    assert worst_window(terms, score, region(0, 0, 2, 2)) == (0, 0)


@pytest.mark.parametrize("place", [(-1, 0), (7, 0), (0, 9), (0.5, 0), (1,), (1, 2, 3)])
def test_window_that_is_not_there_is_refused(
    photo_model: Model, photos: Photos, place: tuple[int, int]
) -> None:
    with pytest.raises(InvalidInputError, match="a row from 0 to 6 and a column from 0 to 8, got"):
        explain(photo_model, photos[0], place)


def test_image_smaller_than_a_window_is_refused(photo_model: Model, photos: Photos) -> None:
    with pytest.raises(InvalidInputError, match="at least 16x16 pixels"):
        explain(photo_model, photos[0][:15], (0, 0))


def test_region_that_is_left_out_has_no_window(photo_model: Model, spotted: NDArray[np.uint8]) -> None:
    left = np.zeros(spotted.shape, np.bool_)
    left[:32, 8:40] = True
    model = photo_model.leaving_out(IgnoredRegion.from_mask(left))
    assert model.windows is photo_model.windows
    with pytest.raises(InvalidInputError, match=r"must not lie in the region that is left out, got \(2, 5\)"):
        explain(model, spotted, (2, 5))
    terms = model.term_maps(spotted[None])
    for score in terms.scores:
        place = worst_window(terms, score)
        assert terms.grid.kept[place]
        explain(model, spotted, place)


def test_model_without_windows_shows_no_others(photo_model: Model, photos: Photos) -> None:
    older = Model(photo_model.card, photo_model.networks)
    assert explain(older, photos[0], (0, 0)).likeness is None
    with pytest.raises(InvalidInputError, match=r"must keep windows of normal photos .* train it again"):
        require_windows(older)
    require_windows(photo_model)
