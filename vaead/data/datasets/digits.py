"""Handwritten digits that come with scikit-learn: no download, no file of the user.

Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
Repository, 1998, doi:10.24432/C50P49 (its test part, through `sklearn.datasets.load_digits`).
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaead.data.datasets.base import Dataset, DatasetSpec, Progress, build_dataset

SPLIT_SEED = 0
TEST_SHARE = 0.25

_LARGEST_VALUE = 16
_MARGIN_PX = 2


def load_digits(on_progress: Progress | None = None) -> Dataset:  # noqa: ARG001
    """Load 1,797 handwritten digits, three quarters of each class for training, the rest for testing.

    The digits come in the order of their source. Both parts hold digits of the same writers.

    Args:
        on_progress: Not used, because nothing is downloaded.

    Returns:
        The dataset, each 8x8 image enlarged to 28x28 pixels.
    """
    from sklearn.datasets import load_digits as load_bundled  # slow to import

    bundled = load_bundled()
    images = np.stack([_enlarge(image) for image in bundled.images])
    labels: NDArray[np.uint8] = bundled.target.astype(np.uint8)
    is_test = _choose_test(labels)
    arrays = {
        "x_train": images[~is_test],
        "y_train": labels[~is_test],
        "x_test": images[is_test],
        "y_test": labels[is_test],
    }
    return build_dataset(DIGITS, arrays, "scikit-learn")


DIGITS = DatasetSpec(
    name="digits",
    title="Digits (scikit-learn)",
    class_names=("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
    load=load_digits,
)


def _enlarge(image: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Enlarge a digit (8, 8), 0 to 16, to (28, 28), 0 to 255.

    The digits touch the border of their 8x8 pixels. A margin first lets strokes end smoothly and makes
    the digit 19 pixels high, about the size of one of MNIST.
    """
    levels = np.round(np.pad(image, _MARGIN_PX) * (255 / _LARGEST_VALUE)).astype(np.uint8)
    height, width = DIGITS.image_shape
    return np.asarray(Image.fromarray(levels).resize((width, height), Image.Resampling.BICUBIC))


def _choose_test(labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Choose the same share of each class (n,) for testing, always the same images.

    `RandomState` and not `default_rng`: NumPy promises that its numbers never change.
    """
    random = np.random.RandomState(SPLIT_SEED)
    is_test = np.zeros(labels.shape, dtype=np.bool_)
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        is_test[members[: round(TEST_SHARE * len(members))]] = True
    return is_test
