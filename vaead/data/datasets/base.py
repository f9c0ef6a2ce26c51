"""A dataset: its description, its images, and the checks that both must pass.

Nothing here reads a file or the network, so the names of datasets and classes cost nothing to list.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaead.errors import DataUnavailableError, UnknownNameError

Progress = Callable[[int, int], None]
"""Called as `on_progress(received_bytes, total_bytes)` during a download, in the loading thread."""

ARRAY_NAMES = ("x_train", "y_train", "x_test", "y_test")


@dataclass(frozen=True)
class DatasetSpec:
    """Description of a dataset, known before its images are loaded.

    Attributes:
        name: Short name, as in the command line and in URLs.
        title: Name as people write it.
        class_names: One name for each label 0, 1, 2, ...
        load: Reads the images; see `Progress` for its argument. It keeps nothing in memory itself.
        image_shape: Height and width of every image, in pixels.
    """

    name: str
    title: str
    class_names: tuple[str, ...]
    load: "Callable[[Progress | None], Dataset]"
    image_shape: tuple[int, int] = (28, 28)

    def class_index(self, value: int | str) -> int:
        """Label of a class; see `resolve_class`."""
        return resolve_class(self.class_names, value)


class Split(NamedTuple):
    """One part of a dataset.

    Attributes:
        images: (n, height, width), 0 (black) to 255 (white).
        labels: (n,).
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def of_class(self, label: int) -> NDArray[np.uint8]:
        """A new array (n, height, width) of the images of one class, in the order of the dataset."""
        images: NDArray[np.uint8] = self.images[self.labels == label]
        return images


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled grey images, split into a training part and a test part.

    The arrays are shared by everything that uses the dataset, so they are read-only.

    Attributes:
        name: Short name, the same as in its `DatasetSpec`.
        title: Name as people write it.
        class_names: One name for each label 0, 1, 2, ...
        test: The test part.
        read_train: Reads the training part; raises DataUnavailableError.
    """

    name: str
    title: str
    class_names: tuple[str, ...]
    test: Split
    read_train: Callable[[], Split]

    @cached_property
    def train(self) -> Split:
        """The training part. It is read when it is first asked for: who looks at test images never waits."""
        return self.read_train()

    @property
    def image_shape(self) -> tuple[int, int]:
        """Height and width of every image, in pixels."""
        return self.test.images.shape[1], self.test.images.shape[2]

    def class_index(self, value: int | str) -> int:
        """Label of a class; see `resolve_class`."""
        return resolve_class(self.class_names, value)

    def class_fingerprint(self, label: int) -> str:
        """Identify the training images of one class, whatever their order and the format of their file.

        Returns:
            64 hexadecimal digits: the SHA-256 of the image shape and of the sorted SHA-256 of each image.
        """
        digests = sorted(hashlib.sha256(image).digest() for image in self.train.of_class(label))
        height, width = self.image_shape
        return hashlib.sha256(f"{height}x{width}:".encode() + b"".join(digests)).hexdigest()


def resolve_class(class_names: tuple[str, ...], value: int | str) -> int:
    """Find a class by its name or by its label.

    Upper and lower case are the same, and spaces around a name are ignored. A name goes before a
    label, should a class be named like the label of another.

    Args:
        class_names: One name for each label 0, 1, 2, ...
        value: A label (9), a label as text ("9") or a name ("ankle boot").

    Returns:
        The label.

    Raises:
        UnknownNameError: There is no such class.

    >>> resolve_class(("Trouser", "Ankle boot"), "ankle boot")
    1
    """
    text = str(value).strip().casefold()
    names = [name.casefold() for name in class_names]
    if text in names:
        return names.index(text)
    labels = [str(label) for label in range(len(class_names))]
    if text in labels:
        return labels.index(text)
    valid = ", ".join(
        name if name == label else f"{label} ({name})"
        for label, name in zip(labels, class_names, strict=True)
    )
    raise UnknownNameError(f"class must be one of {valid}, got {value!r}; choose one of these")


def build_dataset(spec: DatasetSpec, arrays: Mapping[str, NDArray[np.generic]], source: str) -> Dataset:
    """Check the arrays of a dataset and put them together.

    Args:
        spec: Description of the dataset.
        arrays: `x_train`, `y_train`, `x_test` and `y_test`: images and labels as in `Split`. The training
            part is taken from here when it is first needed.
        source: Where the arrays come from, for the error message.

    Returns:
        The dataset, with read-only views of the arrays.

    Raises:
        DataUnavailableError: An array is missing, or one of the test part has another type, shape or label
            than it must.
    """
    advice = f"replace {source} by an intact copy"
    absent = [name for name in ARRAY_NAMES if name not in arrays]
    if absent:
        raise DataUnavailableError(
            f"{source} must hold {', '.join(ARRAY_NAMES)}, got no {', '.join(absent)}; {advice}"
        )
    test = _checked_split("test", spec, arrays, advice)
    read_train = partial(_checked_split, "train", spec, arrays, advice)
    return Dataset(spec.name, spec.title, spec.class_names, test, read_train)


def _checked_split(
    part: str, spec: DatasetSpec, arrays: Mapping[str, NDArray[np.generic]], advice: str
) -> Split:
    """Return read-only views of the images and labels of a part, or raise DataUnavailableError."""
    images = _checked_images(f"x_{part}", arrays[f"x_{part}"], spec.image_shape, advice)
    labels = _checked_labels(f"y_{part}", arrays[f"y_{part}"], len(images), spec, advice)
    for view in (images, labels):
        view.setflags(write=False)
    return Split(images, labels)


def _checked_images(
    name: str, array: NDArray[np.generic], image_shape: tuple[int, int], advice: str
) -> NDArray[np.uint8]:
    """Return a view of images (n, height, width), or raise DataUnavailableError."""
    if array.dtype != np.uint8 or array.shape[1:] != image_shape or len(array) == 0:
        rule = f"uint8 of shape (n, {image_shape[0]}, {image_shape[1]}) with n at least 1"
        raise DataUnavailableError(f"{name} must be {rule}, got {array.dtype} {array.shape}; {advice}")
    return array.view(np.uint8)


def _checked_labels(
    name: str, array: NDArray[np.generic], n_images: int, spec: DatasetSpec, advice: str
) -> NDArray[np.uint8]:
    """Return a view of labels (n_images,), or raise DataUnavailableError."""
    if array.dtype != np.uint8 or array.shape != (n_images,):
        rule = f"uint8 of shape ({n_images},), one label an image"
        raise DataUnavailableError(f"{name} must be {rule}, got {array.dtype} {array.shape}; {advice}")
    labels = array.view(np.uint8)
    largest = int(labels.max())
    if largest >= len(spec.class_names):
        rule = f"labels from 0 to {len(spec.class_names) - 1}"
        raise DataUnavailableError(f"{name} must be {rule}, got {largest}; {advice}")
    return labels
