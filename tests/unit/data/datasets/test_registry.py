import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from vaead.data.datasets import clear_cache, dataset_names, get_spec, load_dataset
from vaead.data.datasets.base import Dataset, DatasetSpec, Progress, Split
from vaead.data.datasets.registry import DatasetCache
from vaead.errors import DataUnavailableError, UnknownNameError


class Source:
    """A dataset that counts how often it is loaded."""

    def __init__(self, name: str) -> None:
        self.spec = DatasetSpec(name, name.title(), ("only",), self.load)
        self.n_loads = 0
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def load(self, on_progress: Progress | None) -> Dataset:
        self.n_loads += 1
        self.gate.wait(timeout=5)
        if self.error is not None:
            raise self.error
        if on_progress is not None:
            on_progress(1, 1)
        split = Split(np.zeros((1, 28, 28), dtype=np.uint8), np.zeros(1, dtype=np.uint8))
        return Dataset(self.spec.name, self.spec.title, self.spec.class_names, split, lambda: split)


@pytest.fixture
def sources() -> list[Source]:
    return [Source("first"), Source("second"), Source("third")]


@pytest.fixture
def cache(sources: list[Source]) -> DatasetCache:
    return DatasetCache([source.spec for source in sources], max_in_memory=2)


def test_dataset_is_loaded_once(cache: DatasetCache, sources: list[Source]) -> None:
    assert cache.load("first") is cache.load("first")
    assert sources[0].n_loads == 1


def test_least_recently_used_dataset_is_dropped(cache: DatasetCache, sources: list[Source]) -> None:
    for name in ("first", "second", "first", "third", "first", "second"):
        cache.load(name)
    assert [source.n_loads for source in sources] == [1, 2, 1]


def test_cleared_cache_loads_again(cache: DatasetCache, sources: list[Source]) -> None:
    cache.load("first")
    cache.clear()
    cache.load("first")
    assert sources[0].n_loads == 2


def test_threads_share_one_load(cache: DatasetCache, sources: list[Source]) -> None:
    sources[0].gate.clear()
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(cache.load, "first") for _ in range(4)]
        cache.load("second")  # Does not wait for the first.
        sources[0].gate.set()
        assert len({id(future.result(timeout=5)) for future in futures}) == 1
    assert sources[0].n_loads == 1


def test_failure_is_not_kept(cache: DatasetCache, sources: list[Source]) -> None:
    sources[0].error = DataUnavailableError("offline")
    with pytest.raises(DataUnavailableError, match="offline"):
        cache.load("first")
    sources[0].error = None
    assert cache.load("first").name == "first"


def test_progress_reaches_the_loader(cache: DatasetCache) -> None:
    calls: list[tuple[int, int]] = []
    cache.load("first", lambda received, total: calls.append((received, total)))
    assert calls == [(1, 1)]


def test_names() -> None:
    assert dataset_names() == ("mnist", "fashion_mnist", "digits")


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "digits"])
def test_spec_bears_its_name_and_ten_classes(name: str) -> None:
    spec = get_spec(name)
    assert spec.name == name
    assert len(set(spec.class_names)) == 10


def test_unknown_dataset_lists_the_names() -> None:
    with pytest.raises(UnknownNameError, match="one of mnist, fashion_mnist, digits, got 'cifar'"):
        load_dataset("cifar")


def test_loaded_dataset_matches_its_spec() -> None:
    clear_cache()
    dataset, spec = load_dataset("digits"), get_spec("digits")
    assert (dataset.name, dataset.title, dataset.class_names) == (spec.name, spec.title, spec.class_names)
    assert dataset.image_shape == spec.image_shape


def test_listing_imports_nothing_slow() -> None:
    code = "import sys, vaead.data.datasets; print({'sklearn', 'pooch', 'requests'} & set(sys.modules))"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout == "set()\n"
