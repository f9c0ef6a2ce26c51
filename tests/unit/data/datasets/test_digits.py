import numpy as np
import pytest

from vaead.data.datasets.base import Dataset
from vaead.data.datasets.digits import _enlarge, load_digits


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_digits()


def test_quarter_of_each_class_is_for_testing(digits: Dataset) -> None:
    for label in range(10):
        n_train, n_test = len(digits.train.of_class(label)), len(digits.test.of_class(label))
        assert n_test == round(0.25 * (n_train + n_test))


def test_no_digit_is_lost(digits: Dataset) -> None:
    assert len(digits.train.images) + len(digits.test.images) == 1797


def test_digits_have_a_black_margin_and_white_strokes(digits: Dataset) -> None:
    inside = np.zeros((28, 28), dtype=bool)
    inside[3:-3, 3:-3] = True
    assert digits.train.images[:, ~inside].max() == 0
    assert np.median(digits.train.images.max(axis=(1, 2))) == 255


def test_enlarging_keeps_every_pixel_in_its_place() -> None:
    image = np.zeros((8, 8))
    image[1, 6] = 16
    brightest = np.argwhere(_enlarge(image) == _enlarge(image).max())
    # The centre of pixel i lies at (i + 2.5) * 28 / 12 - 0.5 of the enlarged image.
    assert brightest.tolist() == [[8, 19]]
