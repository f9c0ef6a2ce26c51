import copy
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.errors import ModelFormatError
from vaead.model.model import Model
from vaead.scoring import patch_scorer
from vaead.scoring.patch_scorer import PatchScorer

NOWHERE = np.zeros((1, 2), np.float32)
"""A position for the article's network, which does not ask for it."""


@pytest.fixture(scope="module")
def scorer(model: Model) -> PatchScorer:
    return PatchScorer(model.networks[0].program)


def test_decode_names_what_it_gives(scorer: PatchScorer) -> None:
    patches = np.random.default_rng(0).random((7, 8, 8), np.float32)
    shapes = {name: values.shape for name, values in scorer.decode(patches, NOWHERE).items()}
    assert shapes == {"mu": (7, 64), "sigma2": (7, 64), "z_mean": (7, 2), "z_log_var": (7, 2)}


def test_patches_are_judged_one_by_one(scorer: PatchScorer) -> None:
    patches = np.random.default_rng(0).random((7, 8, 8), np.float32)
    together = scorer.decode(patches, NOWHERE)
    alone = scorer.decode(patches[3:4], NOWHERE)
    for name, values in together.items():
        np.testing.assert_allclose(values[3:4], alone[name], rtol=1e-4, atol=1e-4)


class FakeInterpreter:
    """Answers only when three threads are in it or in others like it at once."""

    meeting: threading.Barrier

    def __init__(self, **_: object) -> None:
        self.in_use = threading.Lock()

    def get_signature_list(self) -> dict[str, object]:
        return {"decode": {"inputs": ["patches"], "outputs": []}}

    def get_signature_runner(self, _name: str) -> Callable[..., dict[str, NDArray[np.float32]]]:
        def run(patches: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
            assert self.in_use.acquire(blocking=False), "two threads in one interpreter"
            self.meeting.wait(timeout=10)
            self.in_use.release()
            return {"mu": patches}

        return run


def test_threads_never_share_an_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeInterpreter, "meeting", threading.Barrier(3), raising=False)
    monkeypatch.setattr(patch_scorer, "require_bounded", lambda *_: None)
    monkeypatch.setattr(patch_scorer, "Interpreter", FakeInterpreter)
    scorer = PatchScorer(b"program")
    with ThreadPoolExecutor(3) as threads:
        inputs = [np.full(1, number, np.float32) for number in range(12)]
        results = list(threads.map(lambda patches: scorer.decode(patches, NOWHERE), inputs))
    assert [result["mu"][0] for result in results] == list(range(12))


@pytest.mark.parametrize("damage", ["empty", "truncated", "noise"])
def test_damaged_program_is_refused(model: Model, damage: str) -> None:
    program = model.networks[0].program
    damaged = {"empty": b"", "truncated": program[: len(program) // 2], "noise": bytes(range(256)) * 40}
    with pytest.raises(ModelFormatError, match="scorer must be a LiteRT program, got a file that cannot be"):
        PatchScorer(damaged[damage])


def test_program_without_the_signature_is_refused() -> None:
    import tensorflow as tf

    double = tf.function(lambda x: {"y": 2 * x}, input_signature=[tf.TensorSpec((1,), tf.float32, name="x")])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([double.get_concrete_function()])
    with pytest.raises(ModelFormatError, match="scorer must have the signature decode alone, got"):
        PatchScorer(converter.convert())


def test_model_can_be_pickled_and_copied(model: Model, images: NDArray[np.uint8]) -> None:
    expected = model.anomaly_score(images, "calibrated")
    for again in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(again.anomaly_score(images, "calibrated"), expected)
