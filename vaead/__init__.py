"""Where a variational autoencoder finds an image anomalous: patches, scores, maps.

>>> from vaead import load_dataset
>>> load_dataset("digits").image_shape
(28, 28)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vaead.datasets import load_dataset
from vaead.recipe import Recipe
from vaead.store import ModelStore, load_model

if TYPE_CHECKING:
    from vaead.detector import PatchVAEDetector
    from vaead.pipeline import train

__version__ = "0.1.0"
__all__ = ["ModelStore", "PatchVAEDetector", "Recipe", "load_dataset", "load_model", "train"]


def __getattr__(name: str) -> Any:
    # Training needs TensorFlow, which serving must never import, and scikit-learn takes a second: both are
    # loaded when first asked for.
    if name == "train":
        from vaead.pipeline import train

        return train
    if name == "PatchVAEDetector":
        from vaead.detector import PatchVAEDetector

        return PatchVAEDetector
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
