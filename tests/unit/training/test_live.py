"""Terms of images that are followed while a network trains."""

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.errors import InvalidInputError
from vaead.model.events import EpochMaps, read_event, write_event
from vaead.model.model import Model
from vaead.scoring.loss_terms import TERMS
from vaead.training.live import terms_of
from vaead.training.network import Vae


def test_terms_are_those_of_the_model_that_is_stored(
    model: Model, vae: Vae, images: NDArray[np.uint8]
) -> None:
    event = terms_of(images[:2], model.card.recipe.networks[0])(vae, 3)
    assert read_event(write_event(event)) == event
    assert event.epoch == 3
    stored = model.term_maps(images[:2])
    for name, found in zip(TERMS, event.arrays(), strict=True):
        np.testing.assert_allclose(found, getattr(stored, name), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 28, 28), np.float32),
        np.zeros((28, 28), np.uint8),
        np.zeros((0, 28, 28), np.uint8),
        np.zeros((9, 28, 28), np.uint8),
    ],
    ids=["dtype", "one image", "none", "many"],
)
def test_other_arrays_are_refused(model: Model, images: NDArray[np.generic]) -> None:
    with pytest.raises(InvalidInputError, match="followed images must be 1 to 4 of uint8"):
        terms_of(images, model.card.recipe.networks[0])


def test_images_smaller_than_a_patch_are_refused(model: Model) -> None:
    with pytest.raises(InvalidInputError, match="patch"):
        terms_of(np.zeros((1, 4, 4), np.uint8), model.card.recipe.networks[0])


@pytest.mark.parametrize(
    "line",
    [
        '{"event":"maps","epoch":1,"shape":[1,1,1],"terms":"AAAA"}',
        '{"event":"maps","epoch":1,"shape":[0,1,1],"terms":""}',
    ],
)
def test_event_of_another_size_is_no_event(line: str) -> None:
    assert read_event(line) is None


def test_arrays_have_the_shape_of_the_windows() -> None:
    numbers = np.arange(3 * 2 * 2 * 3, dtype="<f4")
    assert EpochMaps(1, (2, 2, 3), numbers.tobytes()).arrays()[1, 1, 0, 2] == 12 + 6 + 2
