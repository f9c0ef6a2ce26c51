import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.calibration.thresholds import NormalScores
from vaead.errors import InvalidInputError
from vaead.model.model import Model
from vaead.model.prediction import judge, judge_terms
from vaead.scoring.loss_terms import SCORES
from vaead.scoring.patches import PatchGrid
from vaead.scoring.term_maps import CalibratedScore, TermMaps, mean_map

COUNT = 200


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
        calibrated = CalibratedScore(windows.mean(axis=(1, 2)), mean_map(windows, grid))
        terms.append(TermMaps(kl, log_variance, mahalanobis, grid, calibrated))
    return terms


@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_so_many_normal_photos_are_flagged_and_so_many_have_a_mask(
    normal: list[TermMaps], rate: float
) -> None:
    calibration = NormalScores.fit(normal)
    judgements = [judge_terms(terms, calibration, rate) for terms in normal]
    for score in SCORES:
        flagged = np.mean([judgement.flagged[score] for judgement in judgements])
        masked = np.mean([judgement.masks[score].any() for judgement in judgements])
        assert [flagged, masked] == pytest.approx([rate, rate], abs=1 / COUNT)


def test_scores_and_maps_are_those_of_the_terms(normal: list[TermMaps]) -> None:
    judgement = judge_terms(normal[0], NormalScores.fit(normal), 0.05)
    for of_all_scores in (judgement.scores, judgement.flagged, judgement.maps, judgement.masks):
        assert tuple(of_all_scores) == SCORES
    for score in SCORES:
        assert judgement.scores[score] == normal[0].image_scores(score)[0]
        np.testing.assert_array_equal(judgement.maps[score], normal[0].anomaly_maps(score)[0])


def test_mask_is_under_the_windows_above_the_threshold(normal: list[TermMaps]) -> None:
    calibration = NormalScores.fit(normal)
    windows = np.zeros((1, 2, 3), np.float32)
    windows[0, 1, 2] = 1e4
    odd = TermMaps(windows, windows, windows, normal[0].grid, normal[0].calibrated)
    judgement = judge_terms(odd, calibration, 0.05)
    expected = np.zeros((10, 12), bool)
    expected[2:, 4:] = True
    for score in ("old", "new"):
        assert judgement.flagged[score]
        np.testing.assert_array_equal(judgement.masks[score], expected)


def test_photo_is_judged_as_by_the_model(photo_model: Model, photos: list[NDArray[np.uint8]]) -> None:
    photo = photos[1].copy()
    photo[10:20, 20:30] = 255
    judgement = judge(photo_model, photo, 0.1)
    for score in SCORES:
        assert judgement.scores[score] == photo_model.anomaly_score(photo[None], score)[0]
        threshold = photo_model.card.normal_scores.threshold_value(score, 0.1)
        assert judgement.flagged[score] == (judgement.scores[score] > threshold)
        assert judgement.maps[score].shape == judgement.masks[score].shape == photo.shape
    assert judgement.flagged["calibrated"]
    mask = judgement.masks["calibrated"]
    np.testing.assert_array_equal(
        mask, judgement.maps["calibrated"] > photo_model.card.normal_scores.threshold_value("calibrated", 0.1)
    )
    assert mask[10:20, 20:30].any()


def test_photo_that_cannot_be_calibrated_has_the_other_scores(multi_scale: Model) -> None:
    judgement = judge(multi_scale, np.zeros((16, 41), np.uint8), 0.05)
    assert tuple(judgement.scores) == tuple(judgement.masks) == ("old", "new")


def test_photo_with_colours_that_the_model_does_not_see_is_refused(photo_model: Model) -> None:
    with pytest.raises(
        InvalidInputError, match=r"images must be an array of shape \(N, H, W\), .* got \(1, 40"
    ):
        judge(photo_model, np.zeros((40, 48, 3), np.uint8), 0.05)


@pytest.mark.parametrize("rate", [0, 1])
def test_rate_out_of_range_is_refused(
    photo_model: Model, photos: list[NDArray[np.uint8]], rate: float
) -> None:
    with pytest.raises(InvalidInputError, match=f"false_alarm_rate must be above 0 .* got {rate}; try 0.05"):
        judge(photo_model, photos[0], rate)
