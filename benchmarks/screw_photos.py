"""Made-up screw holes for benchmarks: as files, and as a preset reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from vaead.data.photos import ReadOptions, read_mask, read_photo
from vaead.data.screws.generator import DEFECTS, make_screw
from vaead.metrics.image import Metrics
from vaead.model.model import Model
from vaead.plots.png import mask_to_png, to_png
from vaead.recipe import PhotoSource, Recipe
from vaead.scoring.term_maps import TermMaps
from vaead.training.pipeline import train_photos

SEEDS = (11, 12, 13)
"""The presets were made on seeds 0 to 2, which are not measured."""
NORMAL, TESTED, DEFECTIVE = 100, 50, 20
TRAIN, GOOD = "train", "good"

Files = dict[str, list[tuple[bytes, bytes]]]
"""Images and masks as files by kind: for training, good ones to judge, and those with each defect."""


class ScrewPhoto(NamedTuple):
    """An image (H, W) as a preset reads it, and where it is anomalous (H, W)."""

    image: NDArray[np.float32]
    mask: NDArray[np.bool_]


def make_files(seed: int, severities: Sequence[float | None] = (None,)) -> Files:
    """Files of screws of a seed with their masks, by kind; None leaves the severity of a defect to chance."""
    plan: list[tuple[str, int, str | None, float | None]]
    plan = [(TRAIN, index, None, None) for index in range(NORMAL)]
    plan += [(GOOD, 1000 + index, None, None) for index in range(TESTED)]
    for severity in severities:
        for number, defect in enumerate(DEFECTS):
            first = 2000 + 100 * number
            plan += [
                (graded(defect, severity), first + index, defect, severity) for index in range(DEFECTIVE)
            ]
    made = Parallel(n_jobs=-1)(delayed(_file)(seed, *screw) for _, *screw in plan)
    files: Files = {}
    for (kind, *_), file in zip(plan, made, strict=True):
        files.setdefault(kind, []).append(file)
    return files


def graded(defect: str, severity: float | None) -> str:
    """The kind of images with a defect of that severity."""
    return defect if severity is None else f"{defect} {severity}"


def _file(seed: int, index: int, defect: str | None, severity: float | None) -> tuple[bytes, bytes]:
    screw = make_screw(seed, index, defect, severity)
    return to_png(screw.image), mask_to_png(screw.mask)


def read(image: bytes, mask: bytes, scale: float) -> ScrewPhoto:
    """Read files as a preset of that scale does."""
    options = ReadOptions(scale=scale)
    pixels = read_photo(image, "screw", options)
    return ScrewPhoto(pixels, read_mask(mask, "mask", pixels.shape, options))


def train(images: list[NDArray[np.float32]], preset: str, scale: float, **settings: int) -> Model:
    """Train a model of a preset."""
    return train_photos(images, Recipe.from_preset(preset, PhotoSource(scale=scale), **settings))


def judge(model: Model, photos: list[ScrewPhoto]) -> TermMaps:
    """What a model says of photos of one size."""
    return model.term_maps(np.stack([photo.image for photo in photos]))


def auroc(normal: TermMaps, anomalous: TermMaps, score: str) -> float:
    """AUROC of images."""
    return round(Metrics.compute(normal.image_scores(score), anomalous.image_scores(score)).auroc, 4)
