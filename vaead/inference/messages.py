"""Requests to the processes that handle photos and models of strangers, and their answers, as MessagePack.

Both sides know the types, so an answer can hold numbers and text, but no code.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from vaead.config import Record
from vaead.data.photos import Photo, Rejected
from vaead.data.photos.examine import PhotoFacts
from vaead.data.photos.reasons import Reason
from vaead.model.card import ModelCard


class ExamineRequest(Record, frozen=True, tag="examine"):
    """Read a photo and its masks once.

    Attributes:
        path: File of the photo.
        name: Name of the photo in messages.
        masks: Files of its masks, and their names in messages.
    """

    path: str
    name: str
    masks: tuple[tuple[str, str], ...] = ()


class PredictRequest(Record, frozen=True, tag="predict"):
    """Predict a photo with the model in a folder, and read its true mask."""

    folder: str
    photo: Photo


class CheckRequest(Record, frozen=True, tag="check"):
    """Load the model in a folder, and score an empty image with it."""

    folder: str


class RecalibrateRequest(Record, frozen=True, tag="recalibrate"):
    """Calibrate the model in a folder with more photos; see `vaead.held_out.recalibration`.

    Attributes:
        folder: Folder of the model.
        known: Photos among which are all that it was calibrated with.
        normal: Photos to add.
        even_if_unusual: Take them even if they stand far above all others.
    """

    folder: str
    known: tuple[Photo, ...]
    normal: tuple[Photo, ...]
    even_if_unusual: bool = False


class BaselineRequest(Record, frozen=True, tag="baselines"):
    """Fit baselines to normal photos, and score others with them; see `vaead.metrics.baselines`.

    Attributes:
        folder: Folder of the model that says how photos are read.
        normal: Normal photos.
        photos: Photos to score.
    """

    folder: str
    normal: tuple[Photo, ...]
    photos: tuple[Photo, ...]


class Array(Record, frozen=True):
    """A NumPy array."""

    dtype: str
    shape: tuple[int, ...]
    content: bytes

    @classmethod
    def of(cls, array: NDArray[Any]) -> Array:
        """Take an array."""
        return cls(array.dtype.str, array.shape, array.tobytes())

    def numpy(self) -> NDArray[Any]:
        """The array, read-only; raises ValueError if it is none."""
        return np.frombuffer(self.content, np.dtype(self.dtype)).reshape(self.shape)


class ExplainRequest(Record, frozen=True, tag="explain"):
    """Explain a window of a photo; see `vaead.inference.explain`.

    Attributes:
        folder: Folder of the model.
        image: (H, W) or (H, W, 3), as the model sees it.
        place: Row and column of the window.
    """

    folder: str
    image: Array
    place: tuple[int, int]


Request = (
    ExamineRequest | PredictRequest | CheckRequest | RecalibrateRequest | BaselineRequest | ExplainRequest
)


class Examined(Record, frozen=True, tag="examined"):
    """Facts of a photo, why its masks are left out, and choices that were made in reading them."""

    facts: PhotoFacts
    rejected_mask: Rejected | None = None
    notes: tuple[Reason, ...] = ()


class Predicted(Record, frozen=True, tag="predicted"):
    """The arrays of a `Prediction`, from which the rest follows.

    Attributes:
        image: (H, W) or (H, W, 3).
        terms: D, A and M, each (rows, columns).
        calibrated_score: Calibrated score of the image; None where there is none.
        calibrated_map: (H, W), with it.
        by_whole: See `CalibratedScore`.
        true_mask: (H, W), if it is known.
        rejected_mask: The true mask, if it cannot be read.
    """

    image: Array
    terms: tuple[Array, Array, Array]
    calibrated_score: float | None
    calibrated_map: Array | None
    by_whole: bool
    true_mask: Array | None
    rejected_mask: Rejected | None


class Refused(Record, frozen=True, tag="refused"):
    """A photo or a model cannot be used."""

    rejected: Rejected


class Sound(Record, frozen=True, tag="sound"):
    """A model can be used."""


class Recalibrated(Record, frozen=True, tag="recalibrated"):
    """What is new in a model that was calibrated again.

    Attributes:
        references: References of its networks, packed.
        card: Its card.
        golden: Content of its `golden.json`.
    """

    references: tuple[bytes, ...]
    card: ModelCard
    golden: bytes


class BaselineScores(Record, frozen=True, tag="baseline_scores"):
    """Of each photo the scores by name of the baseline; empty for one that cannot be read."""

    scores: tuple[dict[str, float], ...]


class Near(Record, frozen=True):
    """See `NearWindow`."""

    picture: Array
    distance: float
    photo: int
    place: tuple[int, int]


class Explained(Record, frozen=True, tag="explained"):
    """The parts of an `Explanation`, from which the rest follows.

    Attributes:
        decoded: Patch, mean and variance.
        z_mean: (latent_dim,).
        terms: D, A and M.
        nearest: Kept windows; none if the model keeps none.
        share: See `Likeness`.
        count: Number of all kept windows.
    """

    decoded: tuple[Array, Array, Array]
    z_mean: Array
    terms: tuple[float, float, float]
    nearest: tuple[Near, ...]
    share: float
    count: int


Answer = Examined | Predicted | Refused | Sound | Recalibrated | BaselineScores | Explained


def encode(message: Request | Answer) -> bytes:
    """Message to bytes."""
    return msgspec.msgpack.encode(message)


def decode_request(content: bytes) -> Request:
    """Bytes to request; raises msgspec.MsgspecError if they are none."""
    request: Request = msgspec.msgpack.decode(content, type=Request)
    return request


def decode_answer(content: bytes) -> Answer:
    """Bytes to answer; raises msgspec.MsgspecError if they are none."""
    answer: Answer = msgspec.msgpack.decode(content, type=Answer)
    return answer
