"""The scores of a visitor's images: each image is scored once, and maps are kept as far as memory allows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaead.calibration import Calibration
from vaead.errors import InvalidInputError, VaeadError
from vaead.maps import TermMaps
from vaead.model_photos import read_options
from vaead.photos import ReadOptions, Rejected, read_mask, read_photo
from vaead.pixel_metrics import PixelCounts, PixelMetrics
from vaead.store import Model
from vaead.terms import SCORES
from vaead.ui.own_photos import LIMITS, OwnPhoto

_KEPT_BYTES = 64_000_000
"""Of maps, for one visitor; others are computed again when they are looked at."""


@dataclass(frozen=True, eq=False)
class Scored:
    """An image and its scores, by name; calibrated is missing where its size is not the model's."""

    photo: OwnPhoto
    scores: dict[str, float]


@dataclass
class Results:
    """What one model says about a visitor's images.

    Attributes:
        model: The model.
        folder: Where its files are.
        scored: Images in the order in which they came.
        rejected: Images that could not be scored, each with its reason.
    """

    model: Model
    folder: Path
    scored: list[Scored] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    _seen: set[Path] = field(default_factory=set)
    _pixels: dict[str, PixelCounts] = field(default_factory=dict)
    _maps: OrderedDict[Path, TermMaps] = field(default_factory=OrderedDict)
    _map_bytes: int = 0

    @property
    def calibration(self) -> Calibration:
        """What the model knows of held-out normal images."""
        return self.model.card.calibration

    @property
    def options(self) -> ReadOptions:
        """How the model wants images to be read."""
        return read_options(self.model.card.recipe, LIMITS)

    def missing(self, photos: Iterable[OwnPhoto]) -> list[OwnPhoto]:
        """Images that have not been scored yet."""
        return [photo for photo in photos if photo.path not in self._seen]

    def score(self, photos: Iterable[OwnPhoto], on_progress: Callable[[int, int], None]) -> None:
        """Score the images that have not been scored yet. If it is broken off, the rest is still missing."""
        missing = self.missing(photos)
        for number, photo in enumerate(missing, start=1):
            on_progress(number, len(missing))
            try:
                self._score_one(photo)
            except VaeadError as error:
                self.rejected.append(Rejected(photo.name, str(error)))
            self._seen.add(photo.path)

    def _score_one(self, photo: OwnPhoto) -> None:
        terms = self.terms(photo)
        scores = {name: float(terms.image_scores(name)[0]) for name in terms.scores}
        if not np.isfinite(list(scores.values())).all():
            raise InvalidInputError(
                f"image {photo.name!r} must get finite scores, got {scores}; train again with another seed"
            )
        mask = self.true_mask(photo)
        if mask is not None:
            for name in terms.scores:
                self._pixels.setdefault(name, PixelCounts()).add(terms.mean_maps(name)[0], mask)
        self.scored.append(Scored(photo, scores))

    def pixels(self, photo: OwnPhoto) -> NDArray[np.float32]:
        """An image as the model sees it: (H, W), or (H, W, 3) in colours.

        Raises:
            InvalidInputError: It is smaller than a patch.
        """
        image = read_photo(photo.path.read_bytes(), photo.name, self.options)
        return image[:, :, 0] if image.shape[2] == 1 else image

    def terms(self, photo: OwnPhoto) -> TermMaps:
        """What the model says about an image, from memory if it is there.

        Raises:
            InvalidInputError: It is smaller than a patch.
        """
        if photo.path in self._maps:
            self._maps.move_to_end(photo.path)
            return self._maps[photo.path]
        terms = self.model.term_maps(self.pixels(photo)[None])
        self._maps[photo.path] = terms
        self._map_bytes += _n_bytes(terms)
        while self._map_bytes > _KEPT_BYTES and len(self._maps) > 1:
            _, dropped = self._maps.popitem(last=False)
            self._map_bytes -= _n_bytes(dropped)
        return terms

    def true_mask(self, photo: OwnPhoto) -> NDArray[np.bool_] | None:
        """Which pixels are anomalous, (H, W) as the model sees the image; None where nothing says so."""
        options = self.options
        height, width = (max(1, round(side * options.scale)) for side in photo.size)
        if photo.mask is not None:
            return read_mask(photo.mask.read_bytes(), photo.name, (height, width), options)
        return np.zeros((height, width), np.bool_) if photo.anomalous is False else None

    def pixel_metrics(self) -> dict[str, PixelMetrics]:
        """Metrics of the maps of each score; nothing where no mask has an anomalous pixel."""
        try:
            return {name: counts.metrics() for name, counts in self._pixels.items()}
        except InvalidInputError:
            return {}

    def thresholds(self, false_alarm_rate: float) -> dict[str, float]:
        """The image score above which each score flags an image."""
        return {name: self.calibration.threshold_value(name, false_alarm_rate) for name in SCORES}

    def over(self, photo: OwnPhoto, score: str, false_alarm_rate: float) -> NDArray[np.bool_]:
        """Pixels (H, W) under a window that so few normal images have."""
        limit = self.calibration.threshold_value(score, false_alarm_rate, "window")
        mask: NDArray[np.bool_] = self.terms(photo).over(score, limit)[0]
        return mask


def _n_bytes(terms: TermMaps) -> int:
    calibrated = 0 if terms.calibrated is None else terms.calibrated.map.nbytes
    return calibrated + terms.kl.nbytes + terms.log_variance.nbytes + terms.mahalanobis.nbytes
