import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.calibration.thresholds import NormalScores
from vaead.data.photos import Photo
from vaead.errors import InvalidInputError
from vaead.inference.prediction import Prediction, Thresholds, predict
from vaead.model.model import Model
from vaead.scoring.loss_terms import SCORES
from vaead.scoring.patches import PatchGrid
from vaead.scoring.term_maps import CalibratedScore, TermMaps, mean_map

COUNT = 200
PHOTO = Photo("a.png", "a.png")


def from_terms(terms: TermMaps, calibration: NormalScores, rate: float) -> Prediction:
    return Prediction.from_terms(PHOTO, np.zeros((10, 12)), terms, Thresholds.from_rate(calibration, rate))


def predicted(model: Model, photo: NDArray[np.uint8], rate: float) -> Prediction:
    return predict(model, PHOTO, photo, Thresholds.from_rate(model.card.normal_scores, rate))


@pytest.fixture(scope="module")
def normal() -> list[TermMaps]:
    """What a model might say of each of many normal photos."""
    grid = PatchGrid(10, 12, patch_size=8, stride=2)
    random = np.random.default_rng(0)
    terms = []
    for _ in range(COUNT):
        kl, log_variance, mahalanobis = random.gamma(2.0, 10.0, (3, 1, *grid.shape)).astype(np.float32)
        windows = random.gamma(2.0, 0.5, (1, *grid.shape)).astype(np.float32)
        # Its score is not the largest of its map.
        calibrated = CalibratedScore(
            windows.mean(axis=(1, 2)), mean_map(windows, grid), np.zeros(len(windows), np.bool_)
        )
        terms.append(TermMaps(kl, log_variance, mahalanobis, grid, calibrated))
    return terms


@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_so_many_normal_photos_are_flagged_and_so_many_have_a_mask(
    normal: list[TermMaps], rate: float
) -> None:
    calibration = NormalScores.fit(normal)
    predictions = [from_terms(terms, calibration, rate) for terms in normal]
    for score in SCORES:
        flagged = np.mean([prediction.flagged[score] for prediction in predictions])
        masked = np.mean([prediction.mask(score).any() for prediction in predictions])
        assert [flagged, masked] == pytest.approx([rate, rate], abs=1 / COUNT)


def test_scores_and_maps_are_those_of_the_terms(normal: list[TermMaps]) -> None:
    prediction = from_terms(normal[0], NormalScores.fit(normal), 0.05)
    assert tuple(prediction.scores) == tuple(prediction.flagged) == SCORES
    for score in SCORES:
        assert prediction.scores[score] == normal[0].image_scores(score)[0]
        np.testing.assert_array_equal(prediction.anomaly_map(score), normal[0].anomaly_maps(score)[0])


def test_mask_is_under_the_windows_above_the_threshold(normal: list[TermMaps]) -> None:
    calibration = NormalScores.fit(normal)
    windows = np.zeros((1, 2, 3), np.float32)
    windows[0, 1, 2] = 1e4
    odd = TermMaps(windows, windows, windows, normal[0].grid, normal[0].calibrated)
    prediction = from_terms(odd, calibration, 0.05)
    expected = np.zeros((10, 12), bool)
    expected[2:, 4:] = True
    for score in ("old", "new"):
        assert prediction.flagged[score]
        np.testing.assert_array_equal(prediction.mask(score), expected)


def test_photo_gets_the_scores_of_the_model(photo_model: Model, photos: list[NDArray[np.uint8]]) -> None:
    photo = photos[1].copy()
    photo[10:20, 20:30] = 255
    prediction = predicted(photo_model, photo, 0.1)
    for score in SCORES:
        assert prediction.scores[score] == photo_model.anomaly_score(photo[None], score)[0]
        threshold = photo_model.card.normal_scores.threshold_value(score, 0.1)
        assert prediction.flagged[score] == (prediction.scores[score] > threshold)
        assert prediction.anomaly_map(score).shape == prediction.mask(score).shape == photo.shape
    assert prediction.flagged["calibrated"]
    mask = prediction.mask("calibrated")
    np.testing.assert_array_equal(
        mask,
        prediction.anomaly_map("calibrated")
        > photo_model.card.normal_scores.threshold_value("calibrated", 0.1, "window"),
    )
    assert mask[10:20, 20:30].any()


def test_photo_that_cannot_be_calibrated_has_the_other_scores(multi_scale: Model) -> None:
    prediction = predicted(multi_scale, np.zeros((16, 41), np.uint8), 0.05)
    assert tuple(prediction.scores) == tuple(prediction.flagged) == ("old", "new")


def test_photo_with_colours_that_the_model_does_not_see_is_refused(photo_model: Model) -> None:
    with pytest.raises(
        InvalidInputError, match=r"images must be an array of shape \(N, H, W\), .* got \(1, 40"
    ):
        predicted(photo_model, np.zeros((40, 48, 3), np.uint8), 0.05)


@pytest.mark.parametrize("rate", [0, 1])
def test_rate_out_of_range_is_refused(
    photo_model: Model, photos: list[NDArray[np.uint8]], rate: float
) -> None:
    with pytest.raises(InvalidInputError, match=f"false_alarm_rate must be above 0 .* got {rate}; try 0.05"):
        predicted(photo_model, photos[0], rate)


def test_without_arrays_the_decision_stays(photo_model: Model, photos: list[NDArray[np.uint8]]) -> None:
    prediction = predicted(photo_model, photos[0], 0.1)
    small = prediction.without_arrays()
    assert (small.scores, small.flagged) == (prediction.scores, prediction.flagged)
    assert (small.image, small.terms, small.true_mask) == (None, None, None)
    assert prediction.n_bytes > small.n_bytes == 0


def test_scores_that_are_not_finite_are_refused(
    photo_model: Model, photos: list[NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TermMaps, "image_scores", lambda *_: np.array([np.nan]))
    with pytest.raises(InvalidInputError, match=r"image 'a\.png' must get finite scores, got"):
        predicted(photo_model, photos[0], 0.1)
