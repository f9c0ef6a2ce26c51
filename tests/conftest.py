"""Fixtures for all tests."""

import os
from pathlib import Path

import pytest

# Read before any test changes the environment.
_DATA_DIR = os.environ.get("VAEAD_DATA_DIR")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder with the full MNIST and Fashion-MNIST; without one, the test is skipped."""
    if not _DATA_DIR:
        pytest.skip("VAEAD_DATA_DIR is not set: it must name a folder with mnist.npz and fashion_mnist.npz")
    return Path(_DATA_DIR)
