from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

from vaead.detector import PatchVAEDetector
from vaead.errors import InvalidInputError, ModelNotFoundError, UnknownNameError

Images = list[NDArray[np.uint8]]
SETTINGS = {
    "patch_size": 16,
    "stride": 4,
    "score": "new",
    "aligned": False,
    "epochs": 1,
    "crops": 256,
    "false_alarm_rate": 0.2,
    "random_state": 5,
    "preset": "industrial",
    "ignored": None,
}


@pytest.fixture(scope="module")
def coloured(photos: Images) -> Images:
    """The photos in blue and yellow."""
    return [np.stack([photo, photo, 255 - photo], axis=-1) for photo in photos]


@pytest.fixture(scope="module")
def detector(coloured: Images) -> PatchVAEDetector:
    detector = PatchVAEDetector(**SETTINGS | {"score": "calibrated"})
    assert detector.fit(coloured) is detector
    return detector


@pytest.fixture(scope="module")
def mixed(coloured: Images) -> Images:
    """Normal and anomalous photos."""
    spotted = [photo.copy() for photo in coloured[:4]]
    for photo in spotted:
        photo[10:22, 18:30] = (255, 0, 0)
    return [*coloured, *spotted]


def test_settings_are_those_of_scikit_learn() -> None:
    detector = PatchVAEDetector(**SETTINGS)
    assert detector.get_params() == SETTINGS
    again = clone(detector)
    assert again is not detector
    assert again.get_params() == SETTINGS
    assert again.set_params(stride=8, score="old").get_params() == SETTINGS | {"stride": 8, "score": "old"}
    assert detector.stride == 4


def test_tags_say_that_it_takes_images_and_finds_outliers() -> None:
    tags = get_tags(PatchVAEDetector())
    assert tags.estimator_type == "outlier_detector"
    assert (tags.input_tags.three_d_array, tags.input_tags.two_d_array) == (True, False)


def test_worst_window_is_explained_or_any_other(detector: PatchVAEDetector, mixed: Images) -> None:
    found = detector.explain(mixed[-1])
    top, left, side, _ = found.frame
    assert (top < 22, left < 30, top + side > 10, left + side > 18) == (True,) * 4
    assert found.window.decoded.patch.shape == found.window.decoded.mu.shape == (16, 16, 3)
    assert found.window.decoded.errors.shape == found.window.decoded.variance.shape == (16, 16)
    assert found.likeness is not None
    assert found.likeness.nearest[0].picture.shape == (16, 16, 3)
    assert detector.explain(mixed[-1], (0, 2)).frame == (0, 8, 16, 16)
    with pytest.raises(InvalidInputError, match="window must be a row from 0 to"):
        detector.explain(mixed[-1], (0, 99))
    with pytest.raises(InvalidInputError, match=r"images must be an array of shape \(N, H, W, 3\)"):
        detector.explain(mixed[-1][..., 0], (0, 0))
    with pytest.raises(NotFittedError):
        PatchVAEDetector().explain(mixed[0])


def test_settings_reach_the_recipe(detector: PatchVAEDetector) -> None:
    recipe = detector.model_.card.recipe
    assert (recipe.networks[0].patch_size, recipe.networks[0].stride, recipe.networks[0].channels) == (
        16,
        4,
        3,
    )
    assert (recipe.train.epochs, recipe.train.crops, recipe.train.seed) == (1, 256, 5)
    calibration = detector.model_.card.normal_scores
    assert detector.threshold_ == calibration.threshold_value("calibrated", 0.2)


def test_threshold_follows_the_settings(detector: PatchVAEDetector, mixed: Images, tmp_path: Path) -> None:
    detector.save(tmp_path / "own")
    again = PatchVAEDetector.load(tmp_path / "own")
    calibration = detector.model_.card.normal_scores
    again.set_params(score="old", false_alarm_rate=0.3)
    assert again.threshold_ == calibration.threshold_value("old", 0.3)
    scores = [detector.model_.anomaly_score(image[None], "old")[0] for image in mixed]
    np.testing.assert_array_equal(again.predict(mixed) == -1, np.array(scores) > again.threshold_)
    again.set_params(score="newer")
    with pytest.raises(UnknownNameError, match="score must be one of old, new, calibrated, got 'newer'"):
        _ = again.threshold_


def test_threshold_is_not_there_before_fit() -> None:
    with pytest.raises(NotFittedError, match="This PatchVAEDetector instance is not fitted yet"):
        _ = PatchVAEDetector().threshold_


def test_prediction_is_the_sign_of_the_decision(detector: PatchVAEDetector, mixed: Images) -> None:
    decision, predicted = detector.decision_function(mixed), detector.predict(mixed)
    assert set(predicted) == {1, -1}
    np.testing.assert_array_equal(predicted == -1, decision < 0)
    np.testing.assert_allclose(decision, detector.score_samples(mixed) + detector.threshold_)
    scores = [detector.model_.anomaly_score(image[None], "calibrated")[0] for image in mixed]
    np.testing.assert_array_equal(detector.score_samples(mixed), -np.array(scores, np.float64))


def test_anomalous_images_are_predicted(detector: PatchVAEDetector, mixed: Images) -> None:
    assert detector.predict(mixed[12:]).tolist() == [-1] * 4
    assert detector.score_samples(mixed[:12]).min() > detector.score_samples(mixed[12:]).max()


def test_maps_are_as_large_as_their_images(detector: PatchVAEDetector, mixed: Images) -> None:
    maps = detector.anomaly_map(mixed)
    assert [anomaly_map.shape for anomaly_map in maps] == [image.shape[:2] for image in mixed]


def test_array_of_images_is_a_list_of_them(detector: PatchVAEDetector, coloured: Images) -> None:
    same = np.stack([image[:40, :40] for image in coloured[:3]])
    np.testing.assert_array_equal(detector.score_samples(same), detector.score_samples(list(same)))


def test_same_seed_gives_the_same_scores_also_with_numbers_of_numpy(
    detector: PatchVAEDetector, coloured: Images
) -> None:
    numbers = {name: np.int64(SETTINGS[name]) for name in ("patch_size", "stride", "epochs", "crops")}
    again = clone(detector).set_params(**numbers, random_state=np.int32(5))
    np.testing.assert_array_equal(again.fit_predict(coloured), detector.predict(coloured))
    np.testing.assert_array_equal(again.score_samples(coloured), detector.score_samples(coloured))
    assert again.threshold_ == detector.threshold_


def test_loaded_detector_gives_the_same_scores(
    detector: PatchVAEDetector, mixed: Images, tmp_path: Path
) -> None:
    detector.save(tmp_path / "own")
    again = PatchVAEDetector.load(tmp_path / "own", false_alarm_rate=0.2)
    assert again.get_params() == detector.get_params()
    np.testing.assert_array_equal(again.decision_function(mixed), detector.decision_function(mixed))


def test_loaded_detector_may_judge_by_another_score(
    detector: PatchVAEDetector, mixed: Images, tmp_path: Path
) -> None:
    detector.save(tmp_path / "own")
    again = PatchVAEDetector.load(tmp_path / "own", score="new", false_alarm_rate=0.5)
    calibration = detector.model_.card.normal_scores
    assert again.threshold_ == calibration.threshold_value("new", 0.5)
    expected = [-detector.model_.anomaly_score(image[None], "new")[0] for image in mixed]
    np.testing.assert_array_equal(again.score_samples(mixed), np.array(expected, np.float64))


@pytest.mark.parametrize("method", ["score_samples", "decision_function", "predict", "anomaly_map", "save"])
def test_detector_that_is_not_fitted_says_so(method: str, tmp_path: Path) -> None:
    argument = tmp_path / "own" if method == "save" else np.zeros((1, 40, 48), np.uint8)
    with pytest.raises(NotFittedError, match="This PatchVAEDetector instance is not fitted yet"):
        getattr(PatchVAEDetector(), method)(argument)


GREY, COLOUR = np.zeros((40, 48), np.uint8), np.zeros((40, 48, 3), np.uint8)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([GREY], "X must hold at least 2 normal images, got 1; add more"),
        ([GREY, COLOUR], "X must be all grey or all in colours, got both; convert"),
        ([COLOUR, COLOUR[..., :2]], r"array of shape \(N, H, W, 3\), .* got \(1, 40, 48, 2\)"),
        ([GREY, GREY[0]], r"array of shape \(N, H, W\), .* got \(1, 48\)"),
        ([GREY, GREY + 2.0], "images must hold values from 0 to 1 and no NaN, got 2 to 2; divide"),
        ([GREY, GREY[:20]], "image must be at least 24x24 pixels .* got 20x48; use a larger"),
    ],
    ids=["one", "mixed", "two channels", "row", "above 1", "too small"],
)
def test_bad_images_are_refused(images: Images, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        PatchVAEDetector().fit(images)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"patch_size": 10}, "patch_size must be a multiple of 4, got 10"),
        ({"stride": 0}, "stride must be a whole number from 1 to 24, got 0"),
        ({"random_state": -1}, "seed must be a whole number from 0 .* got -1"),
    ],
)
def test_bad_setting_is_refused_when_fitted(settings: dict[str, int], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        PatchVAEDetector(**settings).fit([GREY, GREY])


def test_rate_out_of_range_is_refused(detector: PatchVAEDetector, tmp_path: Path) -> None:
    detector.save(tmp_path / "own")
    with pytest.raises(InvalidInputError, match=r"false_alarm_rate must be above 0 and below 1, got 1\.5"):
        PatchVAEDetector.load(tmp_path / "own", false_alarm_rate=1.5)


def test_unknown_preset_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"preset must be one of industrial, got 'article'"):
        PatchVAEDetector(preset="article").fit([GREY, GREY])


def test_unknown_score_is_refused(tmp_path: Path) -> None:
    message = "score must be one of old, new, calibrated, got 'newer'"
    with pytest.raises(UnknownNameError, match=message):
        PatchVAEDetector(score="newer").fit([GREY, GREY])
    with pytest.raises(UnknownNameError, match=message):
        PatchVAEDetector.load(tmp_path, score="newer")


def test_absent_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"model must be a folder with a card\.json"):
        PatchVAEDetector.load(tmp_path / "absent")


@pytest.mark.parametrize("rate", [0, 1, float("nan"), "a", None])
def test_rate_is_refused_before_the_training(coloured: Images, rate: object) -> None:
    detector = PatchVAEDetector(**SETTINGS | {"false_alarm_rate": rate, "crops": 10**9})
    with pytest.raises(InvalidInputError, match="false_alarm_rate must be above 0 and below 1"):
        detector.fit(coloured)


def test_offset_is_the_threshold_of_score_samples(detector: PatchVAEDetector, coloured: Images) -> None:
    assert detector.offset_ == -detector.threshold_
    np.testing.assert_array_equal(
        detector.predict(coloured) == 1, detector.score_samples(coloured) >= detector.offset_
    )


def test_false_alarm_moves_the_threshold_without_a_training(
    detector: PatchVAEDetector, coloured: Images
) -> None:
    noise = np.random.default_rng(1).normal(0, 8, coloured[0].shape)
    noisy = np.clip(coloured[0] + noise, 0, 255).astype(np.uint8)
    again = PatchVAEDetector(score="new")
    with pytest.raises(NotFittedError):
        again.recalibrate(coloured, [noisy])
    again.model_ = detector.model_
    before = again.threshold_
    assert again.recalibrate(coloured, [noisy], even_if_unusual=True) is again
    assert again.threshold_ > before
    assert again.model_.card.networks == detector.model_.card.networks
    with pytest.raises(InvalidInputError, match="photos must hold all 7 that the model was calibrated with"):
        again.recalibrate(coloured, [noisy[::-1]])
