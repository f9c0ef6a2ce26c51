import queue
import threading

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.config import NetworkConfig
from vaead.errors import InvalidInputError
from vaead.model.model import Model
from vaead.scoring import patch_scorer
from vaead.scoring.image_scorer import ImageScorer
from vaead.scoring.loss_terms import TERMS
from vaead.scoring.patch_scorer import PatchScorer
from vaead.scoring.scan import Scan
from vaead.scoring.window_terms import window_terms

NOWHERE = np.zeros((1, 2), np.float32)
"""A position for the article's network, which does not ask for it."""


NAMES = (*TERMS, "signed_error", "z_mean")
"""What a scan holds."""


@pytest.fixture(scope="module")
def patches(model: Model) -> PatchScorer:
    """The model's own program, without what scans an image."""
    return PatchScorer(model.networks[0].program)


@pytest.fixture(scope="module")
def scorer(model: Model) -> ImageScorer:
    return model.networks[0].scorer


def assert_same(actual: Scan, expected: Scan) -> None:
    assert actual.grid == expected.grid
    for name in NAMES:
        np.testing.assert_allclose(getattr(actual, name), getattr(expected, name), rtol=1e-4, atol=1e-4)


def test_each_window_is_scanned_where_it_lies(scorer: ImageScorer, patches: PatchScorer) -> None:
    image = np.random.default_rng(0).random((1, 13, 21), np.float32)
    scan = scorer.scan(image)
    for row, top in enumerate((0, 2, 4, 5)):
        for col, left in enumerate((0, 2, 4, 6, 8, 10, 12, 13)):
            window = image[:, top : top + 8, left : left + 8]
            expected = window_terms(window, patches.decode(window, NOWHERE))
            for name in NAMES:
                actual = getattr(scan, name)[0, row, col]
                np.testing.assert_allclose(actual, expected[name][0], rtol=1e-4, atol=1e-5)
    assert (scan.kl.shape, scan.z_mean.shape) == ((1, 4, 8), (1, 4, 8, 2))


def test_position_aware_network_is_told_where_a_window_lies() -> None:
    from vaead.training.export import to_litert
    from vaead.training.network import Vae

    config = NetworkConfig(network="dense", patch_size=8, stride=6)
    scorer = PatchScorer(to_litert(Vae(config)))
    image = np.random.default_rng(0).random((1, 22, 14), np.float32)
    scan = ImageScorer(scorer, config).scan(image)
    for row, top in enumerate((0, 6, 12, 14)):
        for col, left in enumerate((0, 6)):
            position = np.array([[top / 14, left / 6]], np.float32)
            window = image[:, top : top + 8, left : left + 8]
            expected = window_terms(window, scorer.decode(window, position))["mahalanobis"]
            np.testing.assert_allclose(scan.mahalanobis[0, row, col], expected[0], rtol=1e-4)
    assert scan.mahalanobis.shape == (1, 4, 2)


def test_position_aware_model_scores_images_of_any_size(multi_scale: Model) -> None:
    image = np.full((1, 16, 41), 128, np.uint8)  # every patch is the same, only the columns differ
    terms = multi_scale.term_maps(image)
    assert terms.kl.shape == (1, 1, 8)
    for name in TERMS:
        assert len(set(terms.window_scores(name).ravel())) == 8
    assert multi_scale.anomaly_map(image, "new").shape == image.shape
    assert multi_scale.reconstruct(image).mu.shape == image.shape


def test_bytes_and_fractions_are_the_same_image(scorer: ImageScorer, images: NDArray[np.uint8]) -> None:
    fractions = images / 255
    assert fractions.dtype == np.float64
    assert_same(scorer.scan(fractions), scorer.scan(images))


@pytest.mark.parametrize("batch", [1, 7, 605])
def test_batches_do_not_change_the_result(
    scorer: ImageScorer, images: NDArray[np.uint8], batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, made = scorer.scan(images), scorer.decode(images).reconstruct()
    monkeypatch.setattr(patch_scorer, "_BATCH", batch)
    assert_same(scorer.scan(images), expected)
    np.testing.assert_allclose(scorer.decode(images).reconstruct().sigma2, made.sigma2, rtol=1e-4)


def test_large_patches_come_in_small_batches(
    multi_scale: Model, images: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patch_scorer, "_BATCH_VALUES", 10 * 16 * 16)
    heard: list[int] = []
    multi_scale.networks[0].scorer.scan(images[:1], lambda done, _: heard.append(done))
    assert heard == [10, 16]


@pytest.mark.parametrize(("count", "expected"), [(1, [(121, 121)]), (5, [(512, 605), (605, 605)])])
def test_progress_counts_the_windows(
    scorer: ImageScorer, images: NDArray[np.uint8], count: int, expected: list[tuple[int, int]]
) -> None:
    heard: list[tuple[int, int]] = []
    scorer.scan(images[:count], lambda done, total: heard.append((done, total)))
    assert heard == expected


def test_threads_get_what_one_thread_gets(model: Model, images: NDArray[np.uint8]) -> None:
    expected = [model.anomaly_map(image[None]) for image in images]
    results: queue.SimpleQueue[tuple[int, NDArray[np.float32]]] = queue.SimpleQueue()
    start = threading.Barrier(len(images))

    def work(number: int) -> None:
        start.wait()
        for _ in range(20):
            results.put((number, model.anomaly_map(images[number][None])))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(images))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(20 * len(images)):
        number, anomaly_map = results.get_nowait()
        np.testing.assert_array_equal(anomaly_map, expected[number])


def test_reconstruction_averages_what_the_windows_say(
    scorer: ImageScorer, patches: PatchScorer, images: NDArray[np.uint8]
) -> None:
    total = {"mu": np.zeros((28, 28)), "sigma2": np.zeros((28, 28))}
    count = np.zeros((28, 28))
    for top in range(0, 21, 2):
        for left in range(0, 21, 2):
            window = np.s_[top : top + 8, left : left + 8]
            decoded = patches.decode(images[0][window][None].astype(np.float32) / 255, NOWHERE)
            count[window] += 1
            for name, values in total.items():
                values[window] += decoded[name].reshape(8, 8)

    made = scorer.decode(images[:1]).reconstruct()
    np.testing.assert_allclose(made.mu[0], total["mu"] / count, rtol=1e-4)
    np.testing.assert_allclose(made.sigma2[0], total["sigma2"] / count, rtol=1e-4)


ONE = np.zeros((1, 28, 28), np.float32)
SHAPE = r"images must be an array of shape \(N, H, W\), each at least 1, got "


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (ONE[0], SHAPE + r"\(28, 28\); for one image pass image\[None\]"),
        (ONE[None], SHAPE + r"\(1, 1, 28, 28\)"),
        (ONE[:0], SHAPE + r"\(0, 28, 28\)"),
        (ONE[:, :0], SHAPE + r"\(1, 0, 28\)"),
        (ONE.tolist(), SHAPE + "'list'"),
        (ONE.astype(np.int64), "images must be uint8 or floating point, got 'int64'; convert"),
        (ONE.astype(bool), "images must be uint8 or floating point, got 'bool'; convert"),
        (np.full_like(ONE, np.nan), "images must hold values from 0 to 1 and no NaN, got nan to nan"),
        (np.where(np.arange(28) == 5, np.nan, ONE), "and no NaN, got nan to nan"),
        (ONE + 1.5, "images must hold values from 0 to 1 and no NaN, got 1.5 to 1.5; divide 8-bit"),
        (ONE - 0.5, "got -0.5 to -0.5; divide 8-bit"),
        (ONE[:, :7], "image must be at least 8x8 pixels .* got 7x28; use a larger image"),
    ],
    ids=[
        "(H, W)",
        "4 axes",
        "no image",
        "no row",
        "list",
        "int64",
        "bool",
        "NaN",
        "one NaN",
        "above 1",
        "below 0",
        "too small",
    ],
)
def test_bad_images_are_refused(model: Model, images: NDArray[np.float32], message: str) -> None:
    for use in (model.term_maps, model.reconstruct):
        with pytest.raises(InvalidInputError, match=message):
            use(images)


COLOURS = NetworkConfig(network="convolutional", patch_size=16, stride=12, channels=3)
COLOURED = np.random.default_rng(0).random((2, 28, 41, 3), np.float32)  # windows at 0, 12 and 0, 12, 24, 25


@pytest.fixture(scope="module")
def colour_patches() -> PatchScorer:
    from vaead.training.export import to_litert
    from vaead.training.network import Vae

    return PatchScorer(to_litert(Vae(COLOURS)))


def test_each_window_of_a_colour_image_is_scanned_where_it_lies(colour_patches: PatchScorer) -> None:
    scan = ImageScorer(colour_patches, COLOURS).scan(COLOURED)
    for row, top in enumerate((0, 12)):
        for col, left in enumerate((0, 12, 24, 25)):
            window = COLOURED[:, top : top + 16, left : left + 16]
            expected = window_terms(window, colour_patches.decode(window, NOWHERE))
            for name in NAMES:
                actual = getattr(scan, name)[:, row, col]
                np.testing.assert_allclose(actual, expected[name], rtol=1e-4, atol=1e-4)
    assert (scan.kl.shape, scan.z_mean.shape) == ((2, 2, 4), (2, 2, 4, 2))


def test_reconstruction_of_a_colour_image_has_its_colours(colour_patches: PatchScorer) -> None:
    made = ImageScorer(colour_patches, COLOURS).decode(COLOURED).reconstruct()
    assert made.mu.shape == made.sigma2.shape == COLOURED.shape
    corner = colour_patches.decode(COLOURED[:, :16, :16], NOWHERE)  # nothing else covers its first 12 pixels
    expected = corner["mu"].reshape(2, 16, 16, 3)[:, :12, :12]
    np.testing.assert_allclose(made.mu[:, :12, :12], expected, rtol=1e-4)


@pytest.mark.parametrize("images", [COLOURED[..., 0], COLOURED[..., :2]], ids=["grey", "two channels"])
def test_images_without_the_colours_of_a_network_are_refused(
    colour_patches: PatchScorer, images: NDArray[np.float32]
) -> None:
    with pytest.raises(InvalidInputError, match=r"array of shape \(N, H, W, 3\), each at least 1, got \(2"):
        ImageScorer(colour_patches, COLOURS).scan(images)
