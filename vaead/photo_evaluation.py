"""How well a model tells anomalous photos and pixels in a folder whose defects and masks are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaead.errors import InvalidInputError
from vaead.evaluation import Metrics
from vaead.maps import TermMaps
from vaead.model_photos import read_ahead, read_options, read_pixels
from vaead.photos import Photo, ReadOptions, Rejected, read_mask
from vaead.photos.layout import NORMAL
from vaead.pixel_metrics import PixelCounts
from vaead.scoring import Progress
from vaead.store import Model
from vaead.terms import SCORES

ALL = "all"
"""In place of a defect's name: all of them."""

Figures = dict[str, float | None]
"""A metric by name of the score; None where it cannot be told."""


@dataclass(frozen=True)
class DefectMetrics:
    """Normal photos against those of one defect, or of all.

    Attributes:
        defect: Its name, or `ALL`.
        n_normal: Normal photos.
        n_anomalous: Photos with the defect.
        auroc: Of the scores of whole photos.
        pixel_auroc: Of the maps, see `PixelMetrics`; None without masks.
        aupro: The same.
    """

    defect: str
    n_normal: int
    n_anomalous: int
    auroc: Figures
    pixel_auroc: Figures
    aupro: Figures


def evaluate_photos(
    model: Model,
    photos: Sequence[Photo],
    on_progress: Progress | None = None,
    on_rejected: Callable[[Rejected], None] | None = None,
) -> list[DefectMetrics]:
    """Judge a model on photos whose defects are known, one after another, so that memory stays bounded.

    Pixels are those of the photos as the model sees them, scaled. A photo that cannot be read, or whose mask
    cannot, is left out; one without a mask counts for the metrics of whole photos alone.

    Args:
        model: What to judge.
        photos: Those of `vaead.photos.Photos.test`.
        on_progress: Called after each photo with the numbers of photos done and in all.
        on_rejected: Called with each photo that is left out.

    Returns:
        One entry a defect, in the order of the photos, and one of all.

    Raises:
        InvalidInputError: There is no normal photo, or no other.
    """
    groups = {name: _Group() for name in (*_defects(photos), ALL)}
    options = read_options(model.card.recipe)
    each_read = read_ahead(photos, lambda photo: _read(photo, options))
    for number, each in enumerate(each_read, start=1):
        if isinstance(each, Rejected):
            if on_rejected is not None:
                on_rejected(each)
        else:
            photo, (pixels, mask) = each
            terms = model.term_maps(pixels[None])
            for name, group in groups.items():
                if photo.defect == NORMAL or name in (photo.defect, ALL):
                    group.add(terms, photo.defect != NORMAL, mask)
        if on_progress is not None:
            on_progress(number, len(photos))
    return [group.metrics(name) for name, group in groups.items()]


def _defects(photos: Sequence[Photo]) -> list[str]:
    names = dict.fromkeys(photo.defect for photo in photos if photo.defect is not None)
    defects = [name for name in names if name != NORMAL]
    if NORMAL not in names or not defects:
        missing = "test/<defect>" if NORMAL in names else f"test/{NORMAL}"
        raise InvalidInputError(
            f"dataset must hold images in test/{NORMAL} and in test/<defect>, got none in {missing}; add some"
        )
    return defects


def _read(photo: Photo, options: ReadOptions) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
    """Pixels, and which of them are anomalous; None where nothing says so."""
    pixels = read_pixels(photo, options)
    shape = (pixels.shape[0], pixels.shape[1])
    if photo.defect == NORMAL:
        return pixels, np.zeros(shape, np.bool_)
    return pixels, None if photo.mask is None else read_mask(photo.mask, photo.mask, shape, options)


class _Group:
    """What is known so far of normal photos and those of one defect."""

    def __init__(self) -> None:
        self._scores: dict[bool, list[dict[str, float]]] = {False: [], True: []}
        self._pixels: dict[str, PixelCounts] = {}

    def add(self, terms: TermMaps, anomalous: bool, mask: NDArray[np.bool_] | None) -> None:
        self._scores[anomalous].append({name: float(terms.image_scores(name)[0]) for name in terms.scores})
        if mask is not None:
            for name in terms.scores:
                self._pixels.setdefault(name, PixelCounts()).add(terms.mean_maps(name)[0], mask)

    def metrics(self, defect: str) -> DefectMetrics:
        normal, anomalous = self._scores[False], self._scores[True]
        # A score that some photos do not have, because of their size, could not be compared fairly.
        shared = [name for name in SCORES if all(name in scores for scores in (*normal, *anomalous))]
        auroc, pixel_auroc, aupro = (dict.fromkeys(SCORES) for _ in range(3))
        for name in shared:
            auroc[name] = self._auroc(name)
            pixel_auroc[name], aupro[name] = self._pixel_metrics(name)
        return DefectMetrics(defect, len(normal), len(anomalous), auroc, pixel_auroc, aupro)

    def _auroc(self, name: str) -> float | None:
        normal, anomalous = (
            np.array([scores[name] for scores in self._scores[side]]) for side in (False, True)
        )
        return Metrics.of(normal, anomalous).auroc if len(normal) and len(anomalous) else None

    def _pixel_metrics(self, name: str) -> tuple[float | None, float | None]:
        try:
            found = self._pixels[name].metrics()
        except (KeyError, InvalidInputError):  # no mask, or none with an anomalous pixel
            return None, None
        return found.auroc, found.aupro
