import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead import training
from vaead.config import Recipe, TrainConfig
from vaead.datasets import Dataset
from vaead.errors import InvalidInputError, TrainingError
from vaead.model import Vae
from vaead.training import EpochReport, fit, split_normal

Crops = list[NDArray[np.float32]]


@pytest.mark.parametrize(("count", "held_out"), [(2, 1), (8, 1), (100, 12)])
def test_split_gives_every_image_to_one_part(count: int, held_out: int) -> None:
    images = np.repeat(np.arange(count, dtype=np.uint8), 4).reshape(count, 2, 2)
    kept, held = split_normal(images, TrainConfig(held_out=1 / 8))
    assert len(held) == held_out
    assert sorted([*kept[:, 0, 0], *held[:, 0, 0]]) == list(range(count))


def test_split_follows_the_seed() -> None:
    images = np.arange(100, dtype=np.uint8).reshape(100, 1, 1)
    first, again, other = (split_normal(images, TrainConfig(seed=seed))[1] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert set(first.ravel()) != set(other.ravel())


def test_one_image_is_too_few_to_split() -> None:
    with pytest.raises(InvalidInputError, match="at least 2 normal images, got 1; add more"):
        split_normal(np.zeros((1, 28, 28), np.uint8), TrainConfig())


def test_same_seed_gives_the_same_weights_bit_for_bit(digits: Dataset, recipe: Recipe, vae: Vae) -> None:
    again, _ = fit(split_normal(digits.train_images(1), recipe.train)[0], recipe)
    for weight, expected in zip(again.get_weights(), vae.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_epoch_takes_the_steps_of_a_plain_training_loop(
    digits: Dataset, recipe: Recipe, no_arithmetic: Crops, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras
    import tensorflow as tf

    settings = dataclasses.replace(recipe.train, crops=700, epochs=1, kl_weight=2.0)
    small = dataclasses.replace(recipe, train=settings)
    plain, _ = fit(digits.train_images(1), small)
    monkeypatch.undo()
    _, (report,) = fit(digits.train_images(1), small)

    optimizer = keras.optimizers.Adam(1e-3)
    draw = tf.function(tf.random.stateless_normal, jit_compile=True)  # XLA has a generator of its own
    noise = draw((5, 128, 2), tf.constant([settings.seed, 1]))
    terms = []
    for number in range(5):  # 700 crops are five full batches
        batch = no_arithmetic[0][number * 128 : (number + 1) * 128]
        with tf.GradientTape() as tape:
            kl, log_variance, mahalanobis = plain.terms(batch, noise[number], training=True)
            loss = tf.reduce_mean(log_variance + mahalanobis + 2.0 * kl)
        gradients = tape.gradient(loss, plain.trainable_variables)
        optimizer.apply_gradients(zip(gradients, plain.trainable_variables, strict=True))
        terms.append([float(tf.reduce_mean(term)) for term in (kl, log_variance, mahalanobis)])

    # Each step shows in the terms of the batches after it.
    actual = [report.kl, report.log_variance, report.mahalanobis]
    np.testing.assert_allclose(actual, np.mean(terms, axis=0), rtol=1e-4)


def test_another_seed_gives_other_weights_and_other_crops(
    digits: Dataset, recipe: Recipe, no_arithmetic: Crops
) -> None:
    other = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, seed=4, epochs=1))
    same = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, epochs=1))
    (first, _), (second, _) = (fit(digits.train_images(1), each) for each in (same, other))
    kernels = [vae.encoder.get_layer("conv1").get_weights()[0] for vae in (first, second)]
    assert not np.array_equal(*kernels)
    assert not np.array_equal(*(np.sort(crops, axis=0) for crops in no_arithmetic))


def test_each_epoch_takes_the_same_crops_in_another_order(
    digits: Dataset, recipe: Recipe, no_arithmetic: Crops
) -> None:
    fit(digits.train_images(1), recipe)
    first, second = (crops.reshape(len(crops), -1) for crops in no_arithmetic)
    assert first.shape == (recipe.train.crops, 64)
    assert (first.min(), first.max()) == (0.0, 1.0)
    assert not np.array_equal(first, second)
    assert sorted(map(bytes, first)) == sorted(map(bytes, second))


def test_loss_falls(reports: list[EpochReport]) -> None:
    assert reports[-1].loss < reports[0].loss


def test_loss_is_the_weighted_sum_of_the_terms(digits: Dataset, recipe: Recipe, no_arithmetic: Crops) -> None:
    weighted = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, kl_weight=0.25))
    _, history = fit(digits.train_images(1), weighted)
    (terms,) = {(report.kl, report.log_variance, report.mahalanobis) for report in history}
    assert terms == (8.0, 2.0, 1.0)
    assert history[0].loss == 2.0 + 1.0 + 0.25 * 8.0


def test_reports_count_epochs_and_seconds(reports: list[EpochReport]) -> None:
    first, last = reports
    assert [(report.epoch, report.epochs) for report in reports] == [(1, 2), (2, 2)]
    assert 0 < first.elapsed_s < last.elapsed_s
    assert first.remaining_s > 0
    assert last.remaining_s == 0


def test_what_on_epoch_raises_ends_training(digits: Dataset, recipe: Recipe, no_arithmetic: Crops) -> None:
    def stop(report: EpochReport) -> None:
        raise KeyboardInterrupt(report.epoch)

    with pytest.raises(KeyboardInterrupt, match="1"):
        fit(digits.train_images(1), recipe, stop)
    assert len(no_arithmetic) == 1


def test_loss_that_is_no_number_ends_training(
    digits: Dataset, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow as tf

    no_number = tf.constant([1.0, float("nan"), 1.0])
    monkeypatch.setattr(training, "_compile_epoch", lambda *_: lambda *_: no_number)
    heard: list[EpochReport] = []
    with pytest.raises(TrainingError, match="loss must be a number, got nan in epoch 1; try another seed"):
        fit(digits.train_images(1), recipe, heard.append)
    assert heard == []
