"""MNIST and Fashion-MNIST: from a folder of the user, from the cache folder, or downloaded.

Environment variables:
    VAEAD_DATA_DIR: Folder that holds `mnist.npz` and `fashion_mnist.npz`, each with the arrays that
        `vaead.data.datasets.base.build_dataset` describes. If it is set, nothing is downloaded.

Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits"; H. Xiao,
K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
Algorithms", arXiv:1708.07747. Both as hosted for `keras.datasets`.
"""

import contextlib
import gzip
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from vaead.data.datasets.base import Dataset, DatasetSpec, Progress, build_dataset
from vaead.data.datasets.download import DATA_DIR_VARIABLE, RemoteFile, fetch_files
from vaead.errors import DataUnavailableError

MNIST_FILE = RemoteFile(
    "mnist.npz", 11_490_434, "sha256:731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
)
FASHION_MNIST_FILES = {
    "x_train": RemoteFile("train-images-idx3-ubyte.gz", 26_421_880, "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
    "y_train": RemoteFile("train-labels-idx1-ubyte.gz", 29_515, "md5:25c81989df183df01b3e8a0aad5dffbe"),
    "x_test": RemoteFile("t10k-images-idx3-ubyte.gz", 4_422_102, "md5:bef4ecab320f06d8554ea6380940ec79"),
    "y_test": RemoteFile("t10k-labels-idx1-ubyte.gz", 5_148, "md5:bb300cfdad3c16e7a12a480ee83cd310"),
}

# What NumPy and zipfile raise on a file that is not an npz archive, or is damaged.
_NPZ_ERRORS = (OSError, ValueError, EOFError, TypeError, RuntimeError, zipfile.BadZipFile, zlib.error)


def load_mnist(on_progress: Progress | None = None) -> Dataset:
    """Load MNIST: handwritten digits, 60,000 for training and 10,000 for testing.

    Args:
        on_progress: Called during a download, if there is one.

    Returns:
        The dataset, in the order of its source.

    Raises:
        DataUnavailableError: The data could neither be read nor downloaded.
    """
    path = _file_in_data_dir(MNIST)
    if path is None:
        path = fetch_files(MNIST.name, [MNIST_FILE], on_progress)[MNIST_FILE.name]
    return _from_npz(MNIST, path)


def load_fashion_mnist(on_progress: Progress | None = None) -> Dataset:
    """Load Fashion-MNIST: articles of clothing, 60,000 for training and 10,000 for testing.

    Args:
        on_progress: Called during a download, if there is one.

    Returns:
        The dataset, in the order of its source.

    Raises:
        DataUnavailableError: The data could neither be read nor downloaded.
    """
    path = _file_in_data_dir(FASHION_MNIST)
    if path is not None:
        return _from_npz(FASHION_MNIST, path)
    files = FASHION_MNIST_FILES
    paths = fetch_files(FASHION_MNIST.name, list(files.values()), on_progress)
    arrays = _Deferred({key: partial(_read_idx, paths[file.name]) for key, file in files.items()})
    return build_dataset(FASHION_MNIST, arrays, "the download")


MNIST = DatasetSpec(
    name="mnist",
    title="MNIST",
    class_names=("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
    load=load_mnist,
)
FASHION_MNIST = DatasetSpec(
    name="fashion_mnist",
    title="Fashion-MNIST",
    class_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    load=load_fashion_mnist,
)


def _file_in_data_dir(spec: DatasetSpec) -> Path | None:
    """Path of the dataset in the folder that the user named, or None if the user named none."""
    folder = os.environ.get(DATA_DIR_VARIABLE)
    if not folder:
        return None
    path = Path(folder).expanduser() / f"{spec.name}.npz"
    if not path.is_file():
        raise DataUnavailableError(
            f"{DATA_DIR_VARIABLE} must be a folder that holds {path.name}, got {folder!r}; put the file "
            f"there, or unset {DATA_DIR_VARIABLE} to download it"
        )
    return path


class _Deferred(Mapping[str, NDArray[np.generic]]):
    """Arrays by name, each read when it is asked for."""

    def __init__(self, readers: Mapping[str, Callable[[], NDArray[np.generic]]]) -> None:
        self._readers = readers

    def __getitem__(self, name: str) -> NDArray[np.generic]:
        return self._readers[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)


def _from_npz(spec: DatasetSpec, path: Path) -> Dataset:
    with _opened(path) as archive:
        arrays = _Deferred({name: partial(_read_member, path, name) for name in archive})
    return build_dataset(spec, arrays, str(path))


def _read_member(path: Path, name: str) -> NDArray[np.generic]:
    with _opened(path) as archive:
        return np.asarray(archive[name])


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[NpzFile]:
    """Open a NumPy archive; whatever is wrong with it becomes a DataUnavailableError. No pickle is loaded."""
    try:
        # NumPy leaves a damaged file open unless it is opened here.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            yield archive
    except _NPZ_ERRORS as error:
        raise DataUnavailableError(
            f"{path} could not be read as a NumPy archive ({error}); replace it by an intact copy"
        ) from error


def _read_idx(path: Path) -> NDArray[np.uint8]:
    """Read an array of bytes from a gzipped IDX file whose checksum was verified.

    Two zero bytes, 8 for unsigned bytes, the number of axes, the length of each axis as a big-endian
    32-bit integer, then the data. Source: "The MNIST database of handwritten digits", file formats.
    """
    content = gzip.decompress(path.read_bytes())
    n_axes = content[3]
    shape = np.frombuffer(content, dtype=">u4", count=n_axes, offset=4)
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * n_axes).reshape(shape)
