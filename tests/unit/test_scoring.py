import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead import scoring
from vaead.config import ModelConfig, PatchGrid, Recipe
from vaead.errors import InvalidInputError, ModelFormatError, UnknownNameError
from vaead.scoring import ImageScorer, PatchScorer, TermMaps
from vaead.store import PROGRAM, Model, ModelStore
from vaead.terms import SCORES, TERMS

NOWHERE = np.zeros((1, 2), np.float32)
"""A position for the article's network, which does not ask for it."""


@pytest.fixture
def term_maps() -> TermMaps:
    """Two images with 1 x 2 windows: D is 1 to 4, A is 10 to 40, M is 400 down to 100."""
    values = np.arange(1.0, 5.0, dtype=np.float32).reshape(2, 1, 2)
    return TermMaps(values, 10 * values, 100 * (5 - values), PatchGrid(8, 10, patch_size=8, stride=2))


def test_old_is_the_sum_of_the_terms_and_new_is_the_last(term_maps: TermMaps) -> None:
    np.testing.assert_array_equal(term_maps.windows("old").ravel(), [411, 322, 233, 144])
    np.testing.assert_array_equal(term_maps.windows("new").ravel(), [400, 300, 200, 100])


def test_each_term_is_a_score_of_its_own(term_maps: TermMaps) -> None:
    corners = [term_maps.windows(name)[0, 0, 0] for name in TERMS]
    assert corners == [1, 10, 400]


def test_image_score_is_the_largest_window(term_maps: TermMaps) -> None:
    np.testing.assert_array_equal(term_maps.image_scores("log_variance"), [20, 40])


def test_map_adds_up_the_windows_over_a_pixel(term_maps: TermMaps) -> None:
    np.testing.assert_array_equal(term_maps.maps("kl")[1, 3], [3, 3, 7, 7, 7, 7, 7, 7, 4, 4])


def test_unknown_score_is_refused(term_maps: TermMaps) -> None:
    message = "score must be one of old, new, kl, log_variance, mahalanobis, got 'newer'; choose one"
    with pytest.raises(UnknownNameError, match=message):
        term_maps.windows("newer")


@pytest.mark.parametrize("score", SCORES)
def test_scores_and_maps_of_a_model_are_those_of_its_terms(
    model: Model, images: NDArray[np.uint8], score: str
) -> None:
    terms = model.term_maps(images)
    np.testing.assert_array_equal(model.anomaly_score(images, score), terms.image_scores(score))
    np.testing.assert_array_equal(model.anomaly_map(images, score), terms.maps(score))


def test_new_is_the_score_unless_another_is_asked_for(model: Model, images: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(model.anomaly_score(images), model.anomaly_score(images, "new"))
    np.testing.assert_array_equal(model.anomaly_map(images), model.anomaly_map(images, "new"))


@pytest.fixture(scope="module")
def scorer(store: ModelStore, recipe: Recipe) -> PatchScorer:
    """The model's own program, without what scans an image."""
    return PatchScorer((store.folder(recipe) / PROGRAM).read_bytes())


def test_each_window_is_scored_where_it_lies(model: Model, scorer: PatchScorer) -> None:
    image = np.random.default_rng(0).random((1, 13, 21), np.float32)
    terms = model.term_maps(image)
    for row, top in enumerate((0, 2, 4, 5)):
        for col, left in enumerate((0, 2, 4, 6, 8, 10, 12, 13)):
            expected = scorer.terms(image[:, top : top + 8, left : left + 8], NOWHERE)
            for name in TERMS:
                np.testing.assert_allclose(terms.windows(name)[0, row, col], expected[name][0], rtol=1e-4)
    assert terms.kl.shape == (1, 4, 8)


def test_position_aware_network_is_told_where_a_window_lies() -> None:
    from vaead.export import to_litert
    from vaead.model import Vae

    config = ModelConfig(network="dense", patch_size=8, stride=6)
    scorer = PatchScorer(to_litert(Vae(config)))
    image = np.random.default_rng(0).random((1, 22, 14), np.float32)
    terms = ImageScorer(scorer, config).term_maps(image)
    for row, top in enumerate((0, 6, 12, 14)):
        for col, left in enumerate((0, 6)):
            position = np.array([[top / 14, left / 6]], np.float32)
            expected = scorer.terms(image[:, top : top + 8, left : left + 8], position)["mahalanobis"]
            np.testing.assert_allclose(terms.mahalanobis[0, row, col], expected[0], rtol=1e-4)
    assert terms.mahalanobis.shape == (1, 4, 2)


def test_position_aware_model_scores_images_of_any_size(position_aware: Model) -> None:
    image = np.full((1, 16, 41), 128, np.uint8)  # every patch is the same, only the columns differ
    terms = position_aware.term_maps(image)
    assert terms.kl.shape == (1, 1, 14)
    for name in TERMS:
        assert len(set(terms.windows(name).ravel())) == 14
    assert position_aware.anomaly_map(image).shape == image.shape
    assert position_aware.reconstruct(image).mu.shape == image.shape


def test_bytes_and_fractions_are_the_same_image(model: Model, images: NDArray[np.uint8]) -> None:
    fractions = images / 255
    assert fractions.dtype == np.float64
    np.testing.assert_allclose(model.anomaly_score(fractions), model.anomaly_score(images), rtol=1e-5)


@pytest.mark.parametrize("batch", [1, 7, 605])
def test_batches_do_not_change_the_result(
    model: Model, images: NDArray[np.uint8], batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, made = model.term_maps(images), model.reconstruct(images)
    monkeypatch.setattr(scoring, "_BATCH", batch)
    for name in TERMS:
        actual = model.term_maps(images).windows(name)
        np.testing.assert_allclose(actual, expected.windows(name), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(model.reconstruct(images).sigma2, made.sigma2, rtol=1e-4)


def test_progress_counts_the_windows(model: Model, images: NDArray[np.uint8]) -> None:
    heard: list[tuple[int, int]] = []
    model.term_maps(images, lambda done, total: heard.append((done, total)))
    assert heard == [(512, 605), (605, 605)]


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


class FakeInterpreter:
    """Answers only when three threads are in it or in others like it at once."""

    meeting: threading.Barrier

    def __init__(self, **_: object) -> None:
        self.in_use = threading.Lock()

    def get_signature_list(self) -> dict[str, object]:
        return {name: {"inputs": ["patches"], "outputs": []} for name in ("terms", "decode")}

    def get_signature_runner(self, _name: str) -> Callable[..., dict[str, NDArray[np.float32]]]:
        def run(patches: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
            assert self.in_use.acquire(blocking=False), "two threads in one interpreter"
            self.meeting.wait(timeout=10)
            self.in_use.release()
            return {"kl": patches}

        return run


def test_threads_never_share_an_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeInterpreter, "meeting", threading.Barrier(3), raising=False)
    monkeypatch.setattr(scoring, "Interpreter", FakeInterpreter)
    scorer = PatchScorer(b"program")
    with ThreadPoolExecutor(3) as threads:
        inputs = [np.full(1, number, np.float32) for number in range(12)]
        results = list(threads.map(lambda patches: scorer.terms(patches, NOWHERE), inputs))
    assert [result["kl"][0] for result in results] == list(range(12))


def test_reconstruction_averages_what_the_windows_say(
    model: Model, scorer: PatchScorer, images: NDArray[np.uint8]
) -> None:
    total = {"mu": np.zeros((28, 28)), "sigma2": np.zeros((28, 28))}
    count = np.zeros((28, 28))
    for top in range(0, 21, 2):
        for left in range(0, 21, 2):
            window = np.s_[top : top + 8, left : left + 8]
            decoded = scorer.decode(images[0][window][None].astype(np.float32) / 255, NOWHERE)
            count[window] += 1
            for name, values in total.items():
                values[window] += decoded[name].reshape(8, 8)

    made = model.reconstruct(images[:1])
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
    with pytest.raises(InvalidInputError, match=message):
        model.term_maps(images)


@pytest.mark.parametrize("damage", ["empty", "truncated", "noise"])
def test_damaged_program_is_refused(store: ModelStore, recipe: Recipe, damage: str) -> None:
    program = (store.folder(recipe) / PROGRAM).read_bytes()
    damaged = {"empty": b"", "truncated": program[: len(program) // 2], "noise": bytes(range(256)) * 40}
    with pytest.raises(ModelFormatError, match=r"scorer\.tflite must be a LiteRT program, got a file that"):
        PatchScorer(damaged[damage])


def test_program_without_the_signatures_is_refused() -> None:
    import tensorflow as tf

    double = tf.function(lambda x: {"y": 2 * x}, input_signature=[tf.TensorSpec((1,), tf.float32, name="x")])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([double.get_concrete_function()])
    with pytest.raises(ModelFormatError, match="must have the signatures terms and decode, got"):
        PatchScorer(converter.convert())
