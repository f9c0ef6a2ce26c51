"""Anomaly maps and scores of images by a variational autoencoder of their patches.

>>> from vaead import load_dataset
>>> load_dataset("digits").image_shape
(28, 28)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from vaead.data.datasets import load_dataset
from vaead.model.folder import load_model
from vaead.model.store import ModelStore
from vaead.recipe import ClassSource, PhotoSource, Recipe
from vaead.version import __version__

if TYPE_CHECKING:
    from vaead.detector import PatchVAEDetector
    from vaead.inference.read_photos import load_photos
    from vaead.training.pipeline import train

__all__ = [
    "ClassSource",
    "ModelStore",
    "PatchVAEDetector",
    "PhotoSource",
    "Recipe",
    "__version__",
    "load_dataset",
    "load_model",
    "load_photos",
    "train",
]


_LOADED_WHEN_ASKED_FOR = {
    "PatchVAEDetector": "vaead.detector",
    "load_photos": "vaead.inference.read_photos",
    "train": "vaead.training.pipeline",
}
"""Training needs TensorFlow, which serving must never import, and the others take a second."""


def __getattr__(name: str) -> Any:
    if name in _LOADED_WHEN_ASKED_FOR:
        return getattr(importlib.import_module(_LOADED_WHEN_ASKED_FOR[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
