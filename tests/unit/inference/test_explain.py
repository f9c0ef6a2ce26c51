"""Why here: the window that a score points to, and what belongs to it."""

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from vaead import shipped
from vaead.errors import InvalidInputError
from vaead.ignored import IgnoredRegion
from vaead.inference.explain import explain, require_windows, window_value, worst_window
from vaead.inference.messages import Answer, Array, Explained, ExplainRequest, Refused, decode_answer, encode
from vaead.inference.photo_service import _explanation
from vaead.inference.photo_worker import answer
from vaead.model.folder import load_model, save_model
from vaead.model.model import Model
from vaead.scoring.loss_terms import TERMS
from vaead.scoring.patches import PatchGrid
from vaead.scoring.regions import Region
from vaead.scoring.term_maps import CalibratedScore, TermMaps
from vaead.zoo import screw_demo

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


def test_kept_window_finds_itself() -> None:
    model = load_model(shipped.MODELS / screw_demo.model_folder())
    assert model.windows is not None
    for number in range(0, len(model.windows.pictures), 300):
        picture = model.windows.pictures[number]
        found = explain(model, picture, (0, 0)).likeness  # this network is not told where a window lies
        assert found is not None
        np.testing.assert_array_equal(found.nearest[0].picture, picture)
        assert found.nearest[0].distance < 0.01 < found.nearest[1].distance
        assert found.share == 1


def test_nothing_kept_is_like_what_is_never_in_a_photo() -> None:
    model = load_model(shipped.MODELS / screw_demo.model_folder())
    stripes = np.full((32, 32), 255, np.uint8)
    stripes[:, ::2] = 0
    found = explain(model, stripes, (0, 0))
    assert found.likeness is not None
    assert (found.likeness.share, found.normal_below) == (0, 1)


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


def asked(folder: Path, photo: NDArray[np.uint8], place: tuple[int, int]) -> Answer:
    """What a process of the page answers."""
    return decode_answer(answer(encode(ExplainRequest(str(folder), Array.of(photo), place))))


def test_process_explains_as_python_does(
    photo_model: Model, spotted: NDArray[np.uint8], tmp_path: Path
) -> None:
    save_model(tmp_path / "model", photo_model)
    found = asked(tmp_path / "model", spotted, (2, 5))
    assert isinstance(found, Explained)
    told = _explanation(found, photo_model.card, (40, 48), (2, 5))
    here = explain(photo_model, spotted, (2, 5))
    assert (told.place, told.frame, told.normal_below) == (here.place, here.frame, here.normal_below)
    np.testing.assert_array_equal(told.window.decoded.errors, here.window.decoded.errors)
    assert told.likeness is not None
    assert here.likeness is not None
    assert told.likeness.share == here.likeness.share
    assert [near.distance for near in told.likeness.nearest] == [
        near.distance for near in here.likeness.nearest
    ]
    refused = asked(tmp_path / "model", spotted, (9, 9))
    assert isinstance(refused, Refused)
    assert "window must be a row from 0 to 6" in refused.rejected.reason


@pytest.mark.parametrize("broken", ["decoded", "z_mean", "nearest", "text"])
def test_answer_that_does_not_fit_the_model_is_refused(
    photo_model: Model, spotted: NDArray[np.uint8], tmp_path: Path, broken: str
) -> None:
    save_model(tmp_path / "model", photo_model)
    found = asked(tmp_path / "model", spotted, (2, 5))
    assert isinstance(found, Explained)
    small, text = Array.of(np.zeros(3, np.float32)), Array.of(np.full((16, 16), "x"))
    changed = {
        "decoded": replace(found, decoded=(small, *found.decoded[1:])),
        "z_mean": replace(found, z_mean=small),
        "nearest": replace(found, nearest=(replace(found.nearest[0], picture=small),)),
        "text": replace(found, decoded=(text, *found.decoded[1:])),
    }
    with pytest.raises(ValueError, match=r"reshape|convert"):
        _explanation(changed[broken], photo_model.card, (40, 48), (2, 5))
