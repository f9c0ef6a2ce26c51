from __future__ import annotations

import gzip
import hashlib
import io
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.data.datasets import mnist
from vaead.data.datasets.base import Dataset, DatasetSpec
from vaead.data.datasets.download import RemoteFile
from vaead.errors import DataUnavailableError

if TYPE_CHECKING:
    from tests.unit.data.datasets.conftest import FileServer

Arrays = dict[str, NDArray[np.uint8]]


def _npz(arrays: Arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _idx(array: NDArray[np.uint8]) -> bytes:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes())


def _assert_holds(dataset: Dataset, arrays: Arrays) -> None:
    for name, array in arrays.items():
        kind, part = name.split("_")
        split = dataset.train if part == "train" else dataset.test
        np.testing.assert_array_equal(split.images if kind == "x" else split.labels, array)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that VAEAD_DATA_DIR names."""
    monkeypatch.setenv("VAEAD_DATA_DIR", str(tmp_path))
    return tmp_path


def test_mnist_comes_from_the_users_folder(folder: Path, arrays: Arrays) -> None:
    (folder / "mnist.npz").write_bytes(_npz(arrays))
    _assert_holds(mnist.load_mnist(), arrays)


def test_fashion_mnist_comes_from_the_users_folder(folder: Path, arrays: Arrays) -> None:
    (folder / "fashion_mnist.npz").write_bytes(_npz(arrays))
    _assert_holds(mnist.load_fashion_mnist(), arrays)


def test_file_absent_from_the_users_folder_is_named(folder: Path) -> None:
    with pytest.raises(DataUnavailableError, match=r"must be a folder that holds fashion_mnist\.npz, got"):
        mnist.load_fashion_mnist()


@pytest.mark.parametrize("damage", ["text", "empty", "cut", "changed", "single array"])
def test_damaged_archive_is_refused(folder: Path, arrays: Arrays, damage: str) -> None:
    whole = _npz(arrays)
    single = io.BytesIO()
    np.save(single, arrays["x_train"])
    content = {
        "text": b"no archive",
        "empty": b"",
        "cut": whole[: len(whole) // 2],
        "changed": whole[:1000] + bytes(100) + whole[1100:],
        "single array": single.getvalue(),
    }
    (folder / "mnist.npz").write_bytes(content[damage])
    with pytest.raises(DataUnavailableError, match=r"mnist\.npz could not be read as a NumPy archive"):
        mnist.load_mnist()


def test_pickled_objects_are_not_loaded(folder: Path) -> None:
    np.savez(folder / "mnist.npz", x_train=np.array([{}], dtype=object))
    with pytest.raises(DataUnavailableError, match="allow_pickle=False"):
        mnist.load_mnist()


def test_mnist_is_downloaded(server: FileServer, arrays: Arrays, monkeypatch: pytest.MonkeyPatch) -> None:
    content = _npz(arrays)
    file = RemoteFile("mnist.npz", len(content), f"sha256:{hashlib.sha256(content).hexdigest()}")
    monkeypatch.setattr(mnist, "MNIST_FILE", file)
    server.files["mnist.npz"] = content
    calls: list[tuple[int, int]] = []
    _assert_holds(mnist.load_mnist(lambda received, total: calls.append((received, total))), arrays)
    assert calls[-1] == (len(content), len(content))


def test_fashion_mnist_is_downloaded(
    server: FileServer, arrays: Arrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {}
    for key, published in mnist.FASHION_MNIST_FILES.items():
        content = _idx(arrays[key])
        server.files[published.name] = content
        files[key] = RemoteFile(published.name, len(content), f"md5:{hashlib.md5(content).hexdigest()}")
    monkeypatch.setattr(mnist, "FASHION_MNIST_FILES", files)
    _assert_holds(mnist.load_fashion_mnist(), arrays)
    assert len(server.requests) == 4


@pytest.mark.parametrize("spec", [mnist.MNIST, mnist.FASHION_MNIST], ids=["mnist", "fashion_mnist"])
def test_full_data_has_all_images(data_dir: Path, monkeypatch: pytest.MonkeyPatch, spec: DatasetSpec) -> None:
    monkeypatch.setenv("VAEAD_DATA_DIR", str(data_dir))
    dataset = spec.load(None)
    assert len(dataset.train.images) == 60_000
    assert len(dataset.test.images) == 10_000
