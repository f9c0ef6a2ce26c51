"""Read photos and run models of strangers in processes of their own; see `LimitedProcesses`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from vaead.data.photos import Photo, Rejected
from vaead.data.photos.reasons import PhotoError, refusal
from vaead.errors import InvalidInputError, ModelFormatError
from vaead.inference.explain import Explanation, Place
from vaead.inference.golden import files_beside
from vaead.inference.messages import (
    Answer,
    Array,
    BaselineRequest,
    BaselineScores,
    CheckRequest,
    Examined,
    ExamineRequest,
    Explained,
    ExplainRequest,
    Predicted,
    PredictRequest,
    Recalibrated,
    RecalibrateRequest,
    Refused,
    Request,
    decode_answer,
    encode,
)
from vaead.inference.prediction import Prediction, Thresholds
from vaead.model.card import ModelCard
from vaead.model.folder import save_calibrated
from vaead.model.kept_windows import NEAREST, Likeness, NearWindow, picture_shape
from vaead.processes.limited_processes import LimitedProcesses, ProcessLostError
from vaead.scoring.decoded import DecodedWindow, ScannedWindow
from vaead.scoring.patches import PatchGrid
from vaead.scoring.term_maps import CalibratedScore, TermMaps

MOST_S = 120.0
"""For one photo. At the proposed scale one takes less than a second."""
_COMMAND = (sys.executable, "-m", "vaead.inference.photo_worker")


class PhotoService:
    """Reads and predicts photos for all visitors, each of whom waits for one photo at a time."""

    def __init__(
        self, count: int | None = None, most_s: float = MOST_S, command: Sequence[str] = _COMMAND
    ) -> None:
        """Choose the processes; none is started yet.

        Args:
            count: Number of processes; None takes one a core.
            most_s: Time for one photo.
            command: Starts a process.
        """
        self._most_s = most_s
        self._processes = LimitedProcesses(command, count or os.cpu_count() or 1, most_s)

    def examine(self, path: Path, name: str, masks: Sequence[tuple[Path, str]] = ()) -> Examined:
        """Read a photo and its masks once.

        Args:
            path: Its file.
            name: Its name in messages.
            masks: Files of its masks, and their names.

        Raises:
            PhotoError: The photo cannot be read.
        """
        named = tuple((str(mask), mask_name) for mask, mask_name in masks)
        found = self._ask(ExamineRequest(str(path), name, named), name)
        if isinstance(found, Examined):
            return found
        raise _error(found, name)

    def predict(
        self, folder: Path, card: ModelCard, photo: Photo, thresholds: Thresholds
    ) -> Prediction | Rejected:
        """Predict a photo with the model in a folder, as `predict_each` does.

        Args:
            folder: Folder of the model.
            card: Its card.
            photo: The photo; its sources are files.
            thresholds: Thresholds of the decision and of the masks.

        Raises:
            PhotoLostError: The process has ended, or took too long.
        """
        found = self._ask(PredictRequest(str(folder), photo), photo.label)
        if isinstance(found, Predicted):
            try:
                return _prediction(found, card, photo, thresholds)
            except (ValueError, TypeError) as error:  # of arrays that do not fit the model
                raise PhotoLostError(refusal("lost", name=photo.label)) from error
        return found.rejected if isinstance(found, Refused) else Rejected.of(photo.name, _error(found, ""))

    def explain(
        self, folder: Path, card: ModelCard, photo: tuple[str, NDArray[np.generic]], place: Place
    ) -> Explanation:
        """Explain a window of a photo with the model in a folder, as `vaead.inference.explain.explain` does.

        Args:
            folder: Folder of the model.
            card: Its card.
            photo: Name of the photo in messages, and the photo as the model sees it.
            place: Row and column of the window.

        Raises:
            InvalidInputError: The photo has no such window.
            PhotoLostError: The process has ended, or took too long.
        """
        name, image = photo
        found = self._ask(ExplainRequest(str(folder), Array.of(image), place), name)
        if isinstance(found, Refused):
            raise InvalidInputError(found.rejected.reason)
        if isinstance(found, Explained):
            try:
                return _explanation(found, card, (image.shape[0], image.shape[1]), place)
            except (ValueError, TypeError) as error:  # of arrays that do not fit the model
                raise PhotoLostError(refusal("lost", name=name)) from error
        raise _error(found, name)

    def check(self, folder: Path) -> None:
        """Load the model in a folder, and score an empty image with it.

        Raises:
            ModelFormatError: It cannot be used.
            PhotoLostError: The process has ended, or took too long.
        """
        found = self._ask(CheckRequest(str(folder)), folder.name)
        if isinstance(found, Refused):
            raise ModelFormatError(found.rejected.reason.replace(str(folder), folder.name))

    def recalibrate(self, asked: RecalibrateRequest, folder: Path) -> ModelCard:
        """Calibrate a model with more photos, and write it into another folder.

        Args:
            asked: The model and the photos.
            folder: Folder of the new model.

        Returns:
            The card of the new model.

        Raises:
            InvalidInputError: It cannot be calibrated with these photos.
            PhotoLostError: The process has ended, or took too long.
            StoreError: The folder cannot be written.
        """
        name = asked.normal[0].label if asked.normal else ""
        found = self._ask(asked, name)
        if isinstance(found, Recalibrated):
            beside = files_beside(found.golden)
            save_calibrated(folder, Path(asked.folder), found.card, found.references, beside)
            return found.card
        if isinstance(found, Refused) and found.rejected.why is None:
            raise InvalidInputError(found.rejected.reason)
        raise _error(found, name)

    def score_baselines(self, asked: BaselineRequest) -> Sequence[dict[str, float]]:
        """Baselines of photos; see `BaselineScores`.

        Raises:
            PhotoLostError: The process has ended, or took too long.
        """
        found = self._ask(asked, asked.photos[0].label)
        if isinstance(found, BaselineScores) and len(found.scores) == len(asked.photos):
            return found.scores
        raise _error(found, asked.photos[0].label)

    def close(self) -> None:
        """Kill all processes."""
        self._processes.close()

    def _ask(self, request: Request, name: str) -> Answer:
        try:
            return decode_answer(self._processes.call(encode(request)))
        except ProcessLostError as error:
            if error.cause == "time":
                raise PhotoLostError(refusal("slow", name=name, most=f"{self._most_s:g}")) from error
            raise PhotoLostError(refusal("lost", name=name)) from error
        except (OSError, msgspec.MsgspecError) as error:  # no process can be started, or it answers nonsense
            raise PhotoLostError(refusal("lost", name=name)) from error


class PhotoLostError(PhotoError):
    """A process has ended while it read or predicted a photo, or took too long."""

    def __init__(self, error: PhotoError) -> None:
        super().__init__(error.reason)


def _error(found: Answer, name: str) -> PhotoError:
    if isinstance(found, Refused) and found.rejected.why is not None:
        return PhotoError(found.rejected.why)
    return PhotoLostError(refusal("lost", name=name))


def _prediction(found: Predicted, card: ModelCard, photo: Photo, thresholds: Thresholds) -> Prediction:
    """Put a prediction together; raises ValueError if an array has not the shape that the model gives it."""
    image = found.image.numpy()
    shape = (image.shape[0], image.shape[1])
    network = card.recipe.networks[0]
    grid = PatchGrid(*shape, network.patch_size, network.stride, card.recipe.source.ignored)
    kl, log_variance, mahalanobis = (each.numpy().reshape(1, *grid.shape) for each in found.terms)
    calibrated = None
    if found.calibrated_map is not None and found.calibrated_score is not None:
        score, by_whole = np.array([found.calibrated_score], np.float32), np.array([found.by_whole])
        calibrated = CalibratedScore(score, found.calibrated_map.numpy().reshape(1, *shape), by_whole)
    terms = TermMaps(kl, log_variance, mahalanobis, grid, calibrated)
    true_mask = None if found.true_mask is None else found.true_mask.numpy().reshape(shape)
    prediction = Prediction.from_terms(photo, image, terms, thresholds)
    return replace(prediction, true_mask=true_mask, rejected_mask=found.rejected_mask)


def _explanation(found: Explained, card: ModelCard, shape: tuple[int, int], place: Place) -> Explanation:
    """Put an explanation together; raises ValueError if an array has not the shape of the model."""
    network = card.recipe.networks[0]
    arrays = (np.asarray(each.numpy().reshape(network.patch_shape), np.float32) for each in found.decoded)
    decoded = DecodedWindow(*arrays)
    kl, log_variance, mahalanobis = found.terms
    z_mean = np.asarray(found.z_mean.numpy().reshape(network.latent_dim), np.float32)
    rank = card.normal_scores.window_ranks("new", np.array(mahalanobis))
    pictures = [
        np.asarray(each.picture.numpy().reshape(picture_shape(network)), np.uint8)
        for each in found.nearest[:NEAREST]
    ]
    nearest = tuple(
        NearWindow(picture, each.distance, each.photo, each.place)
        for picture, each in zip(pictures, found.nearest, strict=False)
    )
    grid = PatchGrid(*shape, network.patch_size, network.stride, card.recipe.source.ignored)
    if card.image_shape is not None:
        for near in nearest:
            grid.number(near.place)  # raises InvalidInputError, which is a ValueError
    return Explanation(
        place,
        grid.frame(place),
        ScannedWindow(decoded, z_mean, kl, log_variance, mahalanobis),
        float(rank),
        Likeness(nearest, found.share, found.count) if nearest else None,
    )
