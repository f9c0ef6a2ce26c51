"""The datasets that vaead knows, by name.

To add one, write a module with a `DatasetSpec` and name it in `SPECS`.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence

from vaead.data.datasets.base import Dataset, DatasetSpec, Progress
from vaead.data.datasets.digits import DIGITS
from vaead.data.datasets.mnist import FASHION_MNIST, MNIST
from vaead.errors import UnknownNameError

SPECS: tuple[DatasetSpec, ...] = (
    MNIST,
    FASHION_MNIST,
    DIGITS,
)

MAX_IN_MEMORY = 3
"""Datasets kept in memory at a time; MNIST and Fashion-MNIST take 55 MB each."""


class DatasetCache:
    """Loads datasets and keeps the last ones used in memory. Safe to use from many threads.

    A dataset is loaded once, even if several threads ask for it at the same time; threads that ask for
    another one do not wait. A failure is not kept, so the next call tries again.
    """

    def __init__(self, specs: Sequence[DatasetSpec], max_in_memory: int) -> None:
        """Prepare an empty cache.

        Args:
            specs: The datasets to choose from, in the order in which they are listed.
            max_in_memory: Datasets to keep, at least 1.
        """
        self.specs = {spec.name: spec for spec in specs}
        self._max_in_memory = max_in_memory
        self._datasets: OrderedDict[str, Dataset] = OrderedDict()
        self._guard = threading.Lock()
        self._loading = {spec.name: threading.Lock() for spec in specs}

    def get_spec(self, name: str) -> DatasetSpec:
        """Return the description of a dataset, or raise UnknownNameError."""
        if name not in self.specs:
            names = ", ".join(self.specs)
            raise UnknownNameError(f"dataset must be one of {names}, got {name!r}; choose one of these")
        return self.specs[name]

    def load(self, name: str, on_progress: Progress | None = None) -> Dataset:
        """Return a dataset, from memory if possible; see `load_dataset`."""
        spec = self.get_spec(name)
        with self._loading[name]:
            with self._guard:
                if name in self._datasets:
                    self._datasets.move_to_end(name)
                    return self._datasets[name]
            dataset = spec.load(on_progress)
            with self._guard:
                self._datasets[name] = dataset
                if len(self._datasets) > self._max_in_memory:
                    self._datasets.popitem(last=False)
            return dataset

    def clear(self) -> None:
        """Forget every dataset in memory."""
        with self._guard:
            self._datasets.clear()


_CACHE = DatasetCache(SPECS, MAX_IN_MEMORY)


def dataset_names() -> tuple[str, ...]:
    """Names of the datasets, in the order in which they are shown."""
    return tuple(_CACHE.specs)


def get_spec(name: str) -> DatasetSpec:
    """Describe a dataset without loading it.

    Raises:
        UnknownNameError: There is no such dataset.

    >>> get_spec("fashion_mnist").class_names[9]
    'Ankle boot'
    """
    return _CACHE.get_spec(name)


def load_dataset(name: str, on_progress: Progress | None = None) -> Dataset:
    """Load a dataset, or return it from memory.

    Any thread may call it. A thread that asks for a dataset while another one loads it waits, and its
    own `on_progress` is not called.

    Args:
        name: One of `dataset_names()`.
        on_progress: Called as `on_progress(received_bytes, total_bytes)` during a download, in the
            thread that loads.

    Returns:
        The dataset. It is shared, and its arrays are read-only.

    Raises:
        UnknownNameError: There is no such dataset.
        DataUnavailableError: The data could neither be read nor downloaded.
    """
    return _CACHE.load(name, on_progress)


def clear_cache() -> None:
    """Forget every dataset in memory, for example after `VAEAD_DATA_DIR` was changed."""
    _CACHE.clear()
