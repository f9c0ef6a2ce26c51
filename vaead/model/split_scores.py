"""Scores of a whole test split, which may come with a model, so that nobody has to wait for them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaead.errors import ModelFormatError
from vaead.model.card import ModelCard
from vaead.model.files import CARD
from vaead.model.model import Model
from vaead.scoring.image_scorer import Progress
from vaead.scoring.loss_terms import SCORES

Scores = dict[str, NDArray[np.float32]]

_LARGEST = "calibrated_largest"
_FOR = "made_for"
_NAMES = {*SCORES, _LARGEST, _FOR}
_MOST_BYTES = 2**24
_DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, ModelFormatError)


@dataclass(frozen=True)
class SplitScores:
    """Image scores and largest windows of a test split, by the name of the score, each (N,).

    Attributes:
        image: Image scores.
        largest: The largest window of each image, or for calibrated the largest pixel of its map.
    """

    image: Scores
    largest: Scores

    def by(self, rule: str) -> Scores:
        """The values that a threshold is compared with under one of `vaead.calibration.thresholds.RULES`."""
        return self.image if rule == "score" else self.largest

    @classmethod
    def compute(
        cls, model: Model, images: NDArray[np.generic], on_progress: Progress | None = None
    ) -> SplitScores:
        """Score all images."""
        terms = model.term_maps(images, on_progress)
        return cls(
            image={score: terms.image_scores(score) for score in SCORES},
            largest={score: terms.window_max(score) for score in SCORES},
        )

    def write(self, folder: Path, images: NDArray[np.generic]) -> Path:
        """Write them beside the folder of the model, which is there already; returns the file."""
        buffer = io.BytesIO()
        made_for = np.frombuffer(_digest(folder, images), np.uint8)
        more: dict[str, NDArray[Any]] = {_LARGEST: self.largest["calibrated"], _FOR: made_for}
        np.savez_compressed(buffer, allow_pickle=False, **self.image, **more)
        file = _file(folder)
        file.write_bytes(buffer.getvalue())
        return file

    @classmethod
    def read(cls, folder: Path, images: NDArray[np.generic]) -> SplitScores | None:
        """Undo `write`; None if there is no file, or none of this model and these images."""
        file = _file(folder)
        try:
            if file.stat().st_size > _MOST_BYTES:
                return None
            # From memory: a damaged archive would leave its file open.
            with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as loaded:
                arrays = {name: loaded[name] for name in _NAMES}
            made_for = _digest(folder, images)
        except _DAMAGED:
            return None
        if arrays.pop(_FOR).tobytes() != made_for:
            return None
        image = {score: arrays[score] for score in SCORES}
        # Of old and new the largest window is the score of the image.
        return cls(image, image | {"calibrated": arrays[_LARGEST]})


def _file(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.scores.npz")


def _digest(folder: Path, images: NDArray[np.generic]) -> bytes:
    """Of the model's networks and references, which alone decide the scores, and of the images."""
    _, checksums = ModelCard.from_json((folder / CARD).read_text(encoding="utf-8"))
    both = hashlib.sha256(repr(sorted(checksums.items())).encode())
    both.update(f"{images.shape} {images.dtype}".encode())
    both.update(np.ascontiguousarray(images).tobytes())
    return both.digest()
