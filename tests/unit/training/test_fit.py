from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf
from msgspec.structs import replace
from numpy.typing import NDArray

from vaead.config import TrainConfig
from vaead.data.datasets import Dataset
from vaead.errors import InvalidInputError, TrainingError
from vaead.held_out.split import split_normal
from vaead.model.events import EpochReport
from vaead.recipe import Recipe
from vaead.scoring.loss_terms import Array
from vaead.scoring.patches import every_crop
from vaead.training import fit as training
from vaead.training.fit import OnEpoch, fit
from vaead.training.network import Vae

Crops = list[NDArray[np.float32]]
Parts = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@pytest.fixture(scope="module")
def parts(digits: Dataset, recipe: Recipe) -> Parts:
    """The images that `fit` trains on, and those that only watch."""
    return split_normal(digits.train.of_class(1), recipe.train)


def fit_with(parts: Parts, recipe: Recipe, on_epoch: OnEpoch | None = None) -> tuple[Vae, list[EpochReport]]:
    return fit(*parts, recipe.networks[0], recipe.train, on_epoch)


def with_train(recipe: Recipe, **settings: float) -> Recipe:
    return replace(recipe, train=replace(recipe.train, **settings))


@pytest.mark.parametrize(
    ("count", "share", "held_out"), [(2, 1 / 8, 1), (8, 1 / 8, 1), (100, 1 / 8, 12), (101, 1 / 2, 50)]
)
def test_split_gives_every_image_to_one_part(count: int, share: float, held_out: int) -> None:
    images = np.repeat(np.arange(count, dtype=np.uint8), 4).reshape(count, 2, 2)
    kept, held = split_normal(images, TrainConfig(held_out=share))
    assert len(held) == held_out
    assert sorted([*kept[:, 0, 0], *held[:, 0, 0]]) == list(range(count))


def test_split_leaves_an_image_to_train_on() -> None:
    kept, held = split_normal(np.zeros((3, 2, 2), np.uint8), TrainConfig(held_out=0.9))
    assert (len(kept), len(held)) == (1, 2)


def test_split_follows_the_seed() -> None:
    images = np.arange(100, dtype=np.uint8).reshape(100, 1, 1)
    first, again, other = (split_normal(images, TrainConfig(seed=seed))[1] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert set(first.ravel()) != set(other.ravel())


def test_one_image_is_too_few_to_split() -> None:
    with pytest.raises(InvalidInputError, match="at least 2 normal images, got 1; add more"):
        split_normal(np.zeros((1, 28, 28), np.uint8), TrainConfig())


def test_same_seed_gives_the_same_weights_bit_for_bit(parts: Parts, recipe: Recipe, vae: Vae) -> None:
    again, _ = fit_with(parts, recipe)
    for weight, expected in zip(again.get_weights(), vae.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_epoch_takes_the_steps_of_a_plain_training_loop(
    parts: Parts, recipe: Recipe, no_arithmetic: Crops, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = with_train(recipe, crops=700, epochs=1, kl_weight=2.0)
    plain, _ = fit_with(parts, small)
    monkeypatch.undo()
    _, (report,) = fit_with(parts, small)

    optimizer = keras.optimizers.Adam(1e-3)
    draw = tf.function(tf.random.stateless_normal, jit_compile=True)  # XLA has a generator of its own
    noise = draw((5, 128, 2), tf.constant([small.train.seed, 1]))
    terms = []
    for number in range(5):  # 700 crops are five full batches
        batch = no_arithmetic[0][number * 128 : (number + 1) * 128]
        with tf.GradientTape() as tape:
            kl, log_variance, mahalanobis = plain.terms(batch, noise=noise[number], training=True)
            loss = tf.reduce_mean(log_variance + mahalanobis + 2.0 * kl)
        gradients = tape.gradient(loss, plain.trainable_variables)
        optimizer.apply_gradients(zip(gradients, plain.trainable_variables, strict=True))
        terms.append([float(tf.reduce_mean(term)) for term in (kl, log_variance, mahalanobis)])

    # Each step shows in the terms of the batches after it.
    actual = [report.kl, report.log_variance, report.mahalanobis]
    np.testing.assert_allclose(actual, np.mean(terms, axis=0), rtol=1e-4)


def test_another_seed_gives_other_weights_and_other_crops(
    parts: Parts, recipe: Recipe, no_arithmetic: Crops
) -> None:
    kernels = []
    for seed in (3, 4):
        network, _ = fit_with(parts, with_train(recipe, seed=seed, epochs=1))
        kernels.append(network.encoder.get_layer("conv1").get_weights()[0])
    first, second = no_arithmetic
    assert not np.array_equal(*kernels)
    assert not np.array_equal(np.sort(first, axis=0), np.sort(second, axis=0))


def test_each_epoch_takes_the_same_crops_in_another_order(
    parts: Parts, recipe: Recipe, no_arithmetic: Crops
) -> None:
    fit_with(parts, recipe)
    first, second = (crops.reshape(len(crops), -1) for crops in no_arithmetic)
    assert first.shape == (recipe.train.crops, 64)
    assert (first.min(), first.max()) == (0.0, 1.0)
    assert not np.array_equal(first, second)
    assert sorted(map(bytes, first)) == sorted(map(bytes, second))


def test_tensorflow_rewrites_no_graph_of_a_training_and_those_of_others_as_before(
    parts: Parts, recipe: Recipe, no_arithmetic: Crops, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, compile_epoch = [], training.compile_epoch

    def watched(vae: Vae, config: TrainConfig) -> Callable[..., Array]:
        run_epoch = compile_epoch(vae, config)

        def run(*parts: Array) -> Array:
            seen.append(rewrites_graphs())
            return run_epoch(*parts)

        return run

    monkeypatch.setattr(training, "compile_epoch", watched)
    fit_with(parts, with_train(recipe, epochs=1), lambda *_: seen.append(rewrites_graphs()))
    assert seen == [False, True]


def rewrites_graphs() -> bool:
    return not tf.config.optimizer.get_experimental_options().get("disable_meta_optimizer", False)


def test_loss_falls(reports: list[EpochReport]) -> None:
    assert reports[-1].loss < reports[0].loss


def test_loss_is_the_weighted_sum_of_the_terms(parts: Parts, recipe: Recipe, no_arithmetic: Crops) -> None:
    _, history = fit_with(parts, with_train(recipe, kl_weight=0.25))
    (terms,) = {(report.kl, report.log_variance, report.mahalanobis) for report in history}
    assert terms == (8.0, 2.0, 1.0)
    assert history[0].loss == 2.0 + 1.0 + 0.25 * 8.0


def test_held_out_loss_is_that_of_the_trained_network(
    parts: Parts, recipe: Recipe, vae: Vae, reports: list[EpochReport]
) -> None:
    every = every_crop(parts[1], 8).reshape(-1, 8, 8) / np.float32(255)
    kl, log_variance, mahalanobis = (np.mean(term) for term in vae.terms(every))
    expected = log_variance + mahalanobis + recipe.train.kl_weight * kl
    assert reports[-1].held_out_loss == pytest.approx(expected, rel=0.05)  # of some of the crops, at random


def test_held_out_images_only_watch(
    recipe: Recipe, no_arithmetic: Crops, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched: Crops = []

    def held_out_loss(_vae: Vae, _config: TrainConfig, crops: tuple[Array, Array]) -> Callable[[], float]:
        watched.append(crops[0])
        return lambda: 5.0

    monkeypatch.setattr(training, "_held_out_loss", held_out_loss)
    fit(
        np.zeros((3, 28, 28), np.uint8), np.full((2, 28, 28), 255, np.uint8), recipe.networks[0], recipe.train
    )
    assert {float(crops.min()) for crops in watched} == {1.0}
    assert {float(crops.max()) for crops in no_arithmetic} == {0.0}


def test_reports_count_epochs_and_seconds(reports: list[EpochReport]) -> None:
    first, last = reports
    assert [(report.epoch, report.epochs) for report in reports] == [(1, 2), (2, 2)]
    assert 0 < first.elapsed_s < last.elapsed_s
    assert first.remaining_s > 0
    assert last.remaining_s == 0


@pytest.fixture
def numbered_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Epochs that write their number into a weight, and a held-out loss that is lowest after the second."""

    def compile_epoch(vae: Vae, _: TrainConfig) -> Callable[..., Array]:
        def epoch(_crops: Array, _positions: Array, seed: Array) -> Array:
            vae.encoder.get_layer("z_mean").bias.assign([float(seed[1]), 0.0])
            return tf.constant([8.0, 2.0, 1.0])

        return epoch

    held_out_losses = iter([6.0, 4.0, 5.0, 4.0, 3.0])
    monkeypatch.setattr(training, "compile_epoch", compile_epoch)
    monkeypatch.setattr(training, "_held_out_loss", lambda *_: lambda: next(held_out_losses))


def number_of(vae: Vae) -> int:
    return int(vae.encoder.get_layer("z_mean").bias[0])


@pytest.mark.usefixtures("numbered_epochs")
def test_weights_are_those_of_the_last_epoch(parts: Parts, recipe: Recipe) -> None:
    vae, history = fit_with(parts, with_train(recipe, epochs=5))
    assert len(history) == 5
    assert number_of(vae) == 5


def test_what_on_epoch_raises_ends_training(parts: Parts, recipe: Recipe, no_arithmetic: Crops) -> None:
    def stop(report: EpochReport, vae: Vae) -> None:
        raise KeyboardInterrupt(report.epoch)

    with pytest.raises(KeyboardInterrupt, match="1"):
        fit_with(parts, recipe, stop)
    assert len(no_arithmetic) == 1


@pytest.mark.usefixtures("no_arithmetic")
def test_loss_that_is_no_number_ends_training(
    parts: Parts, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_number = tf.constant([1.0, float("nan"), 1.0])
    monkeypatch.setattr(training, "compile_epoch", lambda *_: lambda *_: no_number)
    heard: list[EpochReport] = []
    with pytest.raises(TrainingError, match=r"^loss must be a number, got nan in epoch 1; try"):
        fit_with(parts, recipe, lambda report, _: heard.append(report))
    assert heard == []


@pytest.mark.usefixtures("no_arithmetic")
def test_held_out_loss_that_is_no_number_ends_training(
    parts: Parts, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([5.0, float("inf")])
    monkeypatch.setattr(training, "_held_out_loss", lambda *_: lambda: next(losses))
    with pytest.raises(TrainingError, match="held_out_loss must be a number, got inf in epoch 2; try"):
        fit_with(parts, recipe)


@pytest.mark.usefixtures("no_arithmetic")
def test_weight_that_is_no_number_ends_training(
    parts: Parts, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compile_epoch(vae: Vae, _: TrainConfig) -> Callable[..., Array]:
        def epoch(*_: Array) -> Array:
            vae.encoder.get_layer("conv2_norm").moving_variance.assign([np.inf] * 32)
            return tf.constant([8.0, 2.0, 1.0])

        return epoch

    monkeypatch.setattr(training, "compile_epoch", compile_epoch)
    with pytest.raises(TrainingError, match="largest weight must be a number, got inf in epoch 1; try"):
        fit_with(parts, recipe)
