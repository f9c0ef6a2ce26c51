"""Score photos, write their maps and masks, and keep what is small."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from vaead.calibration.thresholds import NormalScores
from vaead.data.photos import Photo, Rejected, read_photo
from vaead.errors import InvalidInputError
from vaead.inference.batches import located_at
from vaead.inference.html_report import Entry, Rank
from vaead.inference.read_photos import read_ahead, read_options, read_source
from vaead.model.model import Model
from vaead.model.prediction import Judgement, judge
from vaead.paths import AnyPath, write_whole
from vaead.plots.png import map_to_png, mask_to_png

_LONGEST_STEM = 200
"""Bytes; most file systems take 255, and something is added to the name for each score."""


@dataclass(frozen=True)
class Scoring:
    """How photos are scored.

    Attributes:
        rate: False-alarm rate.
        here: Folder in which relative sources begin; see `located_at`.
        maps: Folder for maps, or None.
        masks: Folder for masks, or None.
        report: Whether there is a report.
        lowest_shown: What a photo must exceed to be shown in it; see `Report.lowest_shown`.
    """

    rate: float
    here: str
    maps: AnyPath | None = None
    masks: AnyPath | None = None
    report: bool = False
    lowest_shown: Rank | None = None


@dataclass(frozen=True)
class ScoredPhoto:
    """What is kept of a photo once its maps and masks are written.

    Attributes:
        photo: The photo.
        scores: See `Judgement`.
        flagged: See there.
        entry: For the report, if there is one.
        longer_side_px: Of the photo as the model sees it.
    """

    photo: Photo
    scores: dict[str, float]
    flagged: dict[str, bool]
    entry: Entry | None
    longer_side_px: int


def score_each(
    model: Model, photos: Sequence[Photo], scoring: Callable[[], Scoring]
) -> Iterator[ScoredPhoto | Rejected]:
    """Score photos one after another, so that two are in memory at most; see `look_at_each`.

    Yields:
        For each photo what is known of it, or why it is left out.

    Raises:
        InvalidInputError: A map or a mask cannot be written.
    """
    card, options = model.card, read_options(model.card.recipe)
    here = scoring().here
    read = read_ahead(
        photos, lambda photo: read_source(located_at(photo.source, here), photo.source, options)
    )
    for each in read:
        if isinstance(each, Rejected):
            yield each
            continue
        photo, pixels = each
        wanted = scoring()
        if (wanted.maps or wanted.masks) and len(os.fsencode(PurePosixPath(photo.name).stem)) > _LONGEST_STEM:
            yield Rejected.of(photo.name, _too_long(photo))
            continue
        judgement = judge(model, pixels, wanted.rate)
        if wanted.maps is not None:
            _write_maps(wanted.maps, photo, judgement, card.normal_scores)
        if wanted.masks is not None:
            size = None if options.scale == 1 else _size(photo, here)
            _write_masks(wanted.masks, photo, judgement, size)
        entry = Entry.of(card, pixels, judgement, wanted.lowest_shown) if wanted.report else None
        yield ScoredPhoto(photo, judgement.scores, judgement.flagged, entry, max(pixels.shape[:2]))


def _write_maps(folder: AnyPath, photo: Photo, judgement: Judgement, calibration: NormalScores) -> None:
    """For each score the map, as NumPy writes it and as a picture."""
    for name, anomaly_map in judgement.maps.items():
        array = io.BytesIO()
        np.save(array, anomaly_map, allow_pickle=False)
        with writes("--maps", folder):
            write_whole(_target(folder, photo, f"{name}.npy"), array.getvalue())
            write_whole(
                _target(folder, photo, f"{name}.png"), map_to_png(anomaly_map, calibration.color_range(name))
            )


def _write_masks(folder: AnyPath, photo: Photo, judgement: Judgement, size: tuple[int, int] | None) -> None:
    """For each score a picture, as large as the photo, of the pixels that stand out."""
    for name, mask in judgement.masks.items():
        with writes("--masks", folder):
            write_whole(_target(folder, photo, f"{name}.mask.png"), mask_to_png(mask, size))


def _too_long(photo: Photo) -> InvalidInputError:
    return InvalidInputError(
        f"image {photo.name!r} must have a name of at most {_LONGEST_STEM} bytes, after which its maps "
        "and masks can be named, got a longer one; rename it, or leave out --maps and --masks"
    )


def _size(photo: Photo, here: str) -> tuple[int, int]:
    height, width, _ = read_photo(located_at(photo.source, here), photo.source).shape
    return height, width


def _target(folder: AnyPath, photo: Photo, ending: str) -> AnyPath:
    name = PurePosixPath(photo.name)
    return folder / str(name.with_name(f"{name.stem}.{ending}"))


@contextlib.contextmanager
def writes(option: str, place: AnyPath) -> Iterator[None]:
    """Turn errors of writing into a sentence.

    Args:
        option: Which named the place.
        place: Where all is written.
    """
    try:
        yield
    except OSError as error:
        raise InvalidInputError(
            f"{option} must be a place that can be written, got {str(place)!r} ({error.strerror or error}); "
            "free some space, change its permissions, or name another place"
        ) from error
