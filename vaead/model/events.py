"""Events of a training, as the training process prints them: one JSON object a line.

Whoever starts a training as a process reads them with `read_event`. The reports of epochs are also kept in
the card of a model.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from vaead.config import Record
from vaead.scoring.loss_terms import TERMS


class TrainingStarted(Record, frozen=True, tag_field="event", tag="start"):
    """The images are read and training begins.

    Attributes:
        epochs: Epochs of all networks.
        crops: Patches of each network.
        path: Path of the model in the store, or a description of the photos.
    """

    epochs: int
    crops: int
    path: str


class EpochReport(Record, frozen=True, tag_field="event", tag="epoch"):
    """One epoch. Losses are means over its patches, in nats.

    Attributes:
        epoch: Epochs done, from 1.
        epochs: Epochs in all.
        loss: A + M + kl_weight * D, the quantity that the optimizer lowers.
        kl: D.
        log_variance: A.
        mahalanobis: M.
        held_out_loss: The loss on crops of held-out normal images, computed as at test time.
        elapsed_s: Seconds since training began.
        remaining_s: Estimated seconds to the end.
    """

    epoch: int
    epochs: int
    loss: float
    kl: float
    log_variance: float
    mahalanobis: float
    held_out_loss: float
    elapsed_s: float
    remaining_s: float


class CalibrationReport(Record, frozen=True, tag_field="event", tag="calibration"):
    """Held-out images are scored, after the epochs of each network.

    Attributes:
        share: What is done of it, 0 to 1.
    """

    share: float


class EpochMaps(Record, frozen=True, tag_field="event", tag="maps"):
    """The terms of some images by the first network as it is after an epoch.

    Attributes:
        epoch: Epochs done, from 1.
        shape: Images, rows and columns of windows.
        terms: D, A and M of every window, (3, *shape), in nats: little-endian numbers in single precision.
    """

    epoch: int
    shape: tuple[int, int, int]
    terms: bytes

    def __post_init__(self) -> None:
        # Of a process that may write anything.
        if len(self.terms) != 4 * len(TERMS) * math.prod(self.shape) or min(self.shape) < 1:
            raise ValueError(f"terms must be of {self.shape} windows, got {len(self.terms)} bytes")

    def arrays(self) -> NDArray[np.float32]:
        """D, A and M, (3, images, rows, cols)."""
        return np.frombuffer(self.terms, "<f4").reshape(len(TERMS), *self.shape)


class TrainingDone(Record, frozen=True, tag_field="event", tag="done"):
    """The model is stored.

    Attributes:
        elapsed_s: Seconds in which the networks were trained.
        model: Folder of the model.
        warnings: Sentences about faults of the training.
    """

    elapsed_s: float
    model: str
    warnings: tuple[str, ...] = ()


class TrainingRestarted(Record, frozen=True, tag_field="event", tag="restart"):
    """The network has learned nothing, and is trained again with other settings.

    Attributes:
        attempt: Number of the training that begins now, 2 or more.
        attempts: Number of trainings at most.
        reason: What was wrong, as a sentence, and what is changed.
    """

    attempt: int
    attempts: int
    reason: str


class TrainingFailed(Record, frozen=True, tag_field="event", tag="error"):
    """The training could not reach its end, for a reason that the user can mend.

    Attributes:
        message: The reason, as a sentence.
    """

    message: str


TrainingReport = EpochReport | EpochMaps | CalibrationReport
"""What is told in the course of a training."""

TrainingEvent = TrainingStarted | TrainingReport | TrainingRestarted | TrainingDone | TrainingFailed

_decoder = msgspec.json.Decoder(TrainingEvent)


def write_event(event: TrainingEvent) -> str:
    """An event as one line of JSON, without the line break."""
    return msgspec.json.encode(event).decode()


def read_event(line: str) -> TrainingEvent | None:
    """Undo `write_event`; None for a line that is no event, such as the output of a library."""
    try:
        event: TrainingEvent = _decoder.decode(line)
        return event
    except (ValueError, RecursionError):
        return None
