import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.errors import InvalidInputError, UnknownNameError
from vaead.model import model as module
from vaead.model.model import Model
from vaead.scoring.loss_terms import SCORES, TERMS

Images = NDArray[np.uint8]
SMALL = np.full((2, 16, 41), 128, np.uint8)
"""Images of another size than those of the training."""


@pytest.mark.parametrize("score", SCORES)
def test_scores_and_maps_of_a_model_are_those_of_its_terms(
    multi_scale: Model, images: Images, score: str
) -> None:
    terms = multi_scale.term_maps(images)
    np.testing.assert_array_equal(multi_scale.anomaly_score(images, score), terms.image_scores(score))
    np.testing.assert_array_equal(multi_scale.anomaly_map(images, score), terms.anomaly_maps(score))
    np.testing.assert_array_equal(multi_scale.sum_map(images, score), terms.sum_maps(score))


def test_calibrated_is_the_score_unless_another_is_asked_for(model: Model, images: Images) -> None:
    np.testing.assert_array_equal(model.anomaly_score(images), model.anomaly_score(images, "calibrated"))
    for ask in (model.anomaly_map, model.sum_map):
        np.testing.assert_array_equal(ask(images), ask(images, "calibrated"))


def test_old_and_new_are_those_of_the_first_network(multi_scale: Model, images: Images) -> None:
    scan = multi_scale.networks[0].scorer.scan(images)
    terms = multi_scale.term_maps(images)
    assert terms.grid == scan.grid == multi_scale.grid(images)
    for name in TERMS:
        np.testing.assert_array_equal(terms.window_scores(name), getattr(scan, name))


def test_calibrated_is_that_of_both_networks(multi_scale: Model, images: Images) -> None:
    scores, maps = [], []
    for network in multi_scale.networks:
        calibrated = network.calibrated(network.scorer.scan(images, shares=True))
        scores.append(calibrated.image)
        maps.append(calibrated.map)
    assert [network.scorer.config.patch_size for network in multi_scale.networks] == [16, 8]
    terms = multi_scale.term_maps(images)
    np.testing.assert_allclose(terms.image_scores("calibrated"), np.mean(scores, axis=0), rtol=1e-5)
    np.testing.assert_allclose(terms.anomaly_maps("calibrated"), np.mean(maps, axis=0), rtol=1e-4, atol=1e-5)


def test_calibrated_tells_other_digits_from_normal_ones(multi_scale: Model, images: Images) -> None:
    from vaead import load_dataset

    normal = multi_scale.anomaly_score(load_dataset("digits").test.of_class(1), "calibrated")
    assert np.median(normal) < multi_scale.anomaly_score(images, "calibrated").min()


@pytest.mark.parametrize("windows", [1, 64, 4 * 64])
def test_chunks_do_not_change_the_result(
    multi_scale: Model, images: Images, windows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = multi_scale.term_maps(images)
    monkeypatch.setattr(module, "_CHUNK_WINDOWS", windows)
    actual = multi_scale.term_maps(images)
    assert len(actual.kl) == len(images)
    for name in (*SCORES, *TERMS):
        np.testing.assert_allclose(
            actual.window_scores(name), expected.window_scores(name), rtol=1e-3, atol=1e-3
        )
        np.testing.assert_allclose(actual.image_scores(name), expected.image_scores(name), rtol=1e-3)


@pytest.mark.parametrize("chunk", [1, 2**15])
def test_progress_ends_at_all_windows_of_all_networks(
    multi_scale: Model, images: Images, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CHUNK_WINDOWS", chunk)
    heard: list[tuple[int, int]] = []
    multi_scale.term_maps(images, lambda done, total: heard.append((done, total)))
    total = len(images) * (4 * 4 + 6 * 6)
    assert heard[-1] == (total, total)
    assert [done for done, _ in heard] == sorted({done for done, _ in heard})
    assert {of for _, of in heard} == {total}


def test_progress_ends_where_the_last_chunk_is_small(model: Model, images: Images) -> None:
    many = np.tile(images, (55, 1, 1))[:271]  # one image more than a chunk of 270 holds
    heard: list[tuple[int, int]] = []
    model.term_maps(many, lambda done, total: heard.append((done, total)))
    assert heard[-1] == (271 * 121, 271 * 121)


def test_progress_of_images_of_another_size_counts_the_first_network_alone(multi_scale: Model) -> None:
    heard: list[tuple[int, int]] = []
    multi_scale.term_maps(SMALL, lambda done, total: heard.append((done, total)))
    assert heard[-1] == (2 * 8, 2 * 8)


def test_images_of_another_size_have_no_calibrated_score(multi_scale: Model) -> None:
    terms = multi_scale.term_maps(SMALL)
    assert terms.calibrated is None
    assert terms.scores == ("old", "new")
    assert multi_scale.anomaly_map(SMALL, "old").shape == SMALL.shape
    message = "images must be as large as the training images .* got 16x41; use old or new, or images of"
    with pytest.raises(InvalidInputError, match=message):
        multi_scale.anomaly_score(SMALL, "calibrated")


def test_images_smaller_than_patches_of_the_second_network_are_scored_by_the_first(
    multi_scale: Model,
) -> None:
    small_patches_first = Model(multi_scale.card, multi_scale.networks[::-1])
    assert small_patches_first.anomaly_map(np.zeros((1, 8, 12), np.uint8), "new").shape == (1, 8, 12)


def test_unknown_score_is_refused(model: Model, images: Images) -> None:
    with pytest.raises(UnknownNameError, match=r"score must be one of old, new, calibrated, .*, got 'newer'"):
        model.anomaly_score(images, "newer")


def test_reconstruction_is_that_of_the_first_network(multi_scale: Model, images: Images) -> None:
    expected = multi_scale.networks[0].scorer.decode(images).reconstruct()
    np.testing.assert_array_equal(multi_scale.reconstruct(images).mu, expected.mu)


@pytest.mark.parametrize("size", [(16, 16), (16, 41), (61, 40)])
def test_pooled_model_judges_images_of_any_size(photo_model: Model, size: tuple[int, int]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, *size), np.uint8)
    terms = photo_model.term_maps(images)
    assert terms.scores == SCORES
    assert terms.sum_maps("calibrated").shape == images.shape
    assert (terms.image_scores("calibrated") > 0).all()


def test_pooled_score_does_not_depend_on_the_place(photo_model: Model) -> None:
    image = np.full((1, 72, 96), 128, np.uint8)
    image[0, 24:34, 24:44] = 255
    moved = np.roll(image, (8, 20), axis=(1, 2))  # by two and by five windows
    first, second = (photo_model.term_maps(each) for each in (image, moved))
    expected = np.roll(first.sum_maps("calibrated"), (8, 20), axis=(1, 2))
    assert np.ptp(expected) > 1
    inside = (slice(None), slice(24, 56), slice(36, 80))  # at the border fewer windows lie over a pixel
    np.testing.assert_allclose(second.sum_maps("calibrated")[inside], expected[inside], rtol=1e-3, atol=1e-3)
