"""Made-up screw holes for benchmarks, as a preset reads them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from vaead.data.photos import ReadOptions, read_mask, read_photo
from vaead.data.screws.screw_set import ScrewImage, ScrewSet
from vaead.metrics.image import Metrics
from vaead.model.model import Model
from vaead.plots.png import mask_to_png, to_png
from vaead.recipe import PhotoSource, Recipe
from vaead.scoring.term_maps import TermMaps
from vaead.training.pipeline import train_photos

SEEDS = (11, 12, 13)
"""The presets were made on seeds 0 to 2, which are not measured."""
NORMAL, TESTED, DEFECTIVE = 100, 50, 20
TRAIN = "train"
"""Key of the images to train on; others have the name of their defect, or 'good'."""


class ScrewPhoto(NamedTuple):
    """An image (H, W) as a preset reads it, and its mask (H, W)."""

    image: NDArray[np.float32]
    mask: NDArray[np.bool_]


def read_screws(screws: ScrewSet, scale: float) -> dict[str, list[ScrewPhoto]]:
    """Images of a set as a preset of that scale reads them, by kind; see `TRAIN`."""
    images = list(screws)
    made = Parallel(n_jobs=-1)(delayed(_read)(image, scale) for image in images)
    photos: dict[str, list[ScrewPhoto]] = {}
    for image, photo in zip(images, made, strict=True):
        photos.setdefault(TRAIN if image.to_train else image.defect, []).append(photo)
    return photos


def _read(image: ScrewImage, scale: float) -> ScrewPhoto:
    screw, options = image.make(), ReadOptions(scale=scale)
    photo = to_png(screw.image)
    pixels = read_photo(photo, "screw", options)
    mask = read_mask([(mask_to_png(screw.mask), "mask")], (photo, "screw"), pixels.shape, options)
    return ScrewPhoto(pixels, mask.pixels)


def train(images: list[NDArray[np.float32]], preset: str, scale: float, **settings: int) -> Model:
    """Train a model of a preset."""
    return train_photos(images, Recipe.from_preset(preset, PhotoSource(scale=scale), **settings))


def compute_terms(model: Model, photos: list[ScrewPhoto]) -> TermMaps:
    """Network outputs for photos of one size."""
    return model.term_maps(np.stack([photo.image for photo in photos]))


def auroc(normal: TermMaps, anomalous: TermMaps, score: str) -> float:
    """AUROC of images."""
    return round(Metrics.compute(normal.image_scores(score), anomalous.image_scores(score)).auroc, 4)
