"""Fixtures for all tests."""

import gc
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

Once = Callable[[str, Callable[[Path], object]], Path]

# Several test processes share the cores, and threads that wait for each other take time from all.
os.environ |= dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"
)
# Trainings of tests are short: it takes longer to make them fast than to run them as they are.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
# Read before any test changes the environment.
_DATA_DIR = os.environ.get("VAEAD_DATA_DIR")


@pytest.fixture(scope="module", autouse=True)
def _quick_collections() -> None:
    # A page and a training make so many objects that Python collects garbage each time; it would look through
    # TensorFlow and all other libraries, which takes 0.2 s.
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder with the full MNIST and Fashion-MNIST; without one, the test is skipped."""
    if not _DATA_DIR:
        pytest.skip("VAEAD_DATA_DIR is not set: it must name a folder with mnist.npz and fashion_mnist.npz")
    return Path(_DATA_DIR)


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Make a folder that all processes of a test run share: `make_once(name, make)` returns it.

    `make` fills it in the first process that asks; the others wait. No test may change it.
    """
    own = tmp_path_factory.getbasetemp()
    root = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def folder_of(name: str, make: Callable[[Path], object]) -> Path:
        folder = root / name
        with FileLock(root / f"{name}.lock"):
            if not folder.exists():
                unfinished = root / f"{name}.unfinished"
                make(unfinished)
                unfinished.rename(folder)
        return folder

    return folder_of
