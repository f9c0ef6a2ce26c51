"""Files of anomaly maps, masks and explanations, in a folder or in a ZIP."""

from __future__ import annotations

import contextlib
import io
import os
import zipfile
from collections.abc import Callable, Collection, Iterator
from pathlib import PurePosixPath

import numpy as np

from vaead.calibration.thresholds import NormalScores
from vaead.errors import InvalidInputError
from vaead.inference.explain import explain, worst_window
from vaead.inference.prediction import Prediction
from vaead.model.model import Model
from vaead.paths import AnyPath, write_whole
from vaead.plots.png import map_to_png, mask_to_png, to_png
from vaead.scoring.loss_terms import SCORES

MAP_KINDS, MASK_KINDS, WHY_KINDS = ("npy", "png"), ("mask.png",), ("why.png",)
"""Endings after the name of the score."""

_LONGEST_STEM = 200
"""Bytes; most file systems take 255, and something is added to the name for each score."""

Sink = Callable[[str, bytes], None]
"""Takes the name of a file, which may be in a folder, and its content."""


def folder_sink(option: str, folder: AnyPath) -> Sink:
    """Write files into a folder.

    Args:
        option: The option that named the folder.
        folder: Path or URL.
    """

    def write(name: str, content: bytes) -> None:
        with writes(option, folder):
            write_whole(folder / name, content)

    return write


def zip_sink(archive: zipfile.ZipFile, folder: str) -> Sink:
    """Write files into a folder of a ZIP."""
    return lambda name, content: archive.writestr(f"{folder}/{name}", content)


def file_name(name: str, score: str, kind: str) -> str:
    """Name of the file of a map or a mask.

    >>> file_name("hole/a.jpg", "old", "npy")
    'hole/a.old.npy'
    """
    path = PurePosixPath(name)
    return str(path.with_name(f"{path.stem}.{score}.{kind}"))


def write_maps(
    prediction: Prediction, normal_scores: NormalScores, sink: Sink, scores: Collection[str] = SCORES
) -> None:
    """Write the map of each score, as NumPy writes it and as a picture."""
    for score in (each for each in prediction.scores if each in scores):
        array, anomaly_map = io.BytesIO(), prediction.anomaly_map(score)
        np.save(array, anomaly_map, allow_pickle=False)
        picture = map_to_png(anomaly_map, normal_scores.color_range(score))
        for kind, content in zip(MAP_KINDS, (array.getvalue(), picture), strict=True):
            sink(file_name(prediction.photo.name, score, kind), content)


def write_masks(
    prediction: Prediction, size: tuple[int, int], sink: Sink, scores: Collection[str] = SCORES
) -> None:
    """Write the mask of each score as a picture.

    Args:
        prediction: The prediction.
        size: Height and width of the picture: those of the photo before it was scaled.
        sink: Takes the files.
        scores: Names of the scores.
    """
    for score in (each for each in prediction.scores if each in scores):
        picture = mask_to_png(prediction.mask(score), size)
        sink(file_name(prediction.photo.name, score, *MASK_KINDS), picture)


def write_why(prediction: Prediction, model: Model, sink: Sink) -> None:
    """Write a picture of the worst window by the main score, and of the normal windows most like it."""
    from vaead.inference.why_picture import draw_why  # imports SciPy

    assert prediction.image is not None, "arrays were dropped"
    assert prediction.terms is not None, "arrays were dropped"
    score = prediction.main_score
    found = explain(model, prediction.image, worst_window(prediction.terms, score))
    picture = to_png(draw_why(prediction, found, model.card.normal_scores))
    sink(file_name(prediction.photo.name, score, *WHY_KINDS), picture)


def require_short_name(name: str) -> None:
    """Refuse a photo after which its maps cannot be named.

    Raises:
        InvalidInputError: Its name is too long.
    """
    if len(os.fsencode(PurePosixPath(name).stem)) > _LONGEST_STEM:
        raise InvalidInputError(
            f"image {name!r} must have a name of at most {_LONGEST_STEM} bytes, after which its maps "
            "and masks can be named, got a longer one; rename it, or leave out --maps, --masks and --why"
        )


@contextlib.contextmanager
def writes(option: str, path: AnyPath) -> Iterator[None]:
    """Turn errors of writing into a sentence.

    Args:
        option: The option that named the path.
        path: The file or folder that is written.
    """
    try:
        yield
    except OSError as error:
        raise InvalidInputError(
            f"{option} must be a place that can be written, got {str(path)!r} ({error.strerror or error}); "
            "free some space, change its permissions, or name another place"
        ) from error
