import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.data.datasets.base import Dataset, DatasetSpec, build_dataset, resolve_class
from vaead.errors import DataUnavailableError, UnknownNameError

Arrays = dict[str, NDArray[np.uint8]]

NAMES = ("Bag", "Ankle boot", "Coat")


def _no_load(on_progress: object) -> Dataset:
    raise AssertionError("nothing is loaded here")


SPEC = DatasetSpec("clothes", "Clothes", NAMES, _no_load)


@pytest.fixture
def dataset(arrays: Arrays) -> Dataset:
    return build_dataset(SPEC, arrays, "clothes.npz")


@pytest.mark.parametrize("value", [1, np.uint8(1), "1", "Ankle boot", " ANKLE BOOT "])
def test_class_is_found_by_label_or_name(value: int | str) -> None:
    assert resolve_class(NAMES, value) == 1


def test_name_goes_before_label() -> None:
    assert resolve_class(("1", "0"), "0") == 1


@pytest.mark.parametrize("value", [3, -1, "boot", "", 1.0, True])
def test_unknown_class_lists_the_valid_ones(value: int | str) -> None:
    with pytest.raises(UnknownNameError, match=r"one of 0 \(Bag\), 1 \(Ankle boot\), 2 \(Coat\), got"):
        resolve_class(NAMES, value)


def test_images_of_a_class(dataset: Dataset, arrays: Arrays) -> None:
    np.testing.assert_array_equal(dataset.train.of_class(2), arrays["x_train"][[0, 4]])
    np.testing.assert_array_equal(dataset.test.of_class(2), arrays["x_test"][[2]])


def test_image_shape_is_height_and_width(arrays: Arrays) -> None:
    wide = {key: value[:, :5] if key.startswith("x") else value for key, value in arrays.items()}
    spec = dataclasses.replace(SPEC, image_shape=(5, 28))
    assert build_dataset(spec, wide, "wide.npz").image_shape == (5, 28)


def test_arrays_are_read_only(dataset: Dataset) -> None:
    with pytest.raises(ValueError, match="read-only"):
        dataset.train.images[0] = 0


def test_fingerprint_ignores_the_order(dataset: Dataset, arrays: Arrays) -> None:
    order = [5, 3, 0, 1, 4, 2]
    shuffled = arrays | {"x_train": arrays["x_train"][order], "y_train": arrays["y_train"][order]}
    assert build_dataset(SPEC, shuffled, "shuffled.npz").class_fingerprint(0) == dataset.class_fingerprint(0)


def test_fingerprint_shows_one_changed_pixel(dataset: Dataset, arrays: Arrays) -> None:
    images = arrays["x_train"].copy()
    images[2, 0, 0] ^= 1
    changed = build_dataset(SPEC, arrays | {"x_train": images}, "changed.npz")
    assert changed.class_fingerprint(1) != dataset.class_fingerprint(1)
    assert changed.class_fingerprint(0) == dataset.class_fingerprint(0)


def test_fingerprint_shows_swapped_labels(dataset: Dataset, arrays: Arrays) -> None:
    swapped = arrays | {"y_train": (2 - arrays["y_train"]).astype(np.uint8)}
    assert build_dataset(SPEC, swapped, "swapped.npz").class_fingerprint(0) != dataset.class_fingerprint(0)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("x_train", lambda x: x.astype(np.float32), r"x_train must be uint8 .*, got float32 \(6, 28, 28\)"),
        ("x_train", lambda x: x[0, 0, 0], r"x_train must be .*, got uint8 \(\)"),
        ("x_test", lambda x: x[:, :14], r"x_test must be .*\(n, 28, 28\).*, got uint8 \(3, 14, 28\)"),
        ("x_test", lambda x: x[:0], "x_test must be .* n at least 1, got"),
        ("y_train", lambda y: y.astype(np.int64), r"y_train must be uint8 .*, got int64 \(6,\)"),
        ("y_test", lambda y: y[:2], r"y_test must be .* shape \(3,\).*, got uint8 \(2,\)"),
        ("y_test", lambda y: y + 1, "y_test must be labels from 0 to 2, got 3; replace clothes.npz"),
    ],
)
def test_wrong_array_is_refused(
    arrays: Arrays, name: str, change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]], message: str
) -> None:
    arrays[name] = change(arrays[name])
    with pytest.raises(DataUnavailableError, match=message):
        build_dataset(SPEC, arrays, "clothes.npz").read_train()


def test_training_part_is_read_when_it_is_needed_and_once(arrays: Arrays) -> None:
    asked: list[str] = []

    class Watched(dict[str, NDArray[np.uint8]]):
        def __getitem__(self, name: str) -> NDArray[np.uint8]:
            asked.append(name)
            return super().__getitem__(name)

    dataset = build_dataset(SPEC, Watched(arrays), "clothes.npz")
    assert asked == ["x_test", "y_test"]
    assert dataset.train is dataset.train
    assert asked == ["x_test", "y_test", "x_train", "y_train"]


def test_absent_array_is_named(arrays: Arrays) -> None:
    del arrays["y_test"]
    with pytest.raises(DataUnavailableError, match=r"clothes.npz must hold .*, got no y_test"):
        build_dataset(SPEC, arrays, "clothes.npz")
