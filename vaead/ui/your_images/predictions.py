"""The scores of a visitor's images: each image is scored once, and maps are kept as far as memory allows."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.thresholds import NormalScores
from vaead.data.photos import ReadOptions, Rejected
from vaead.data.photos.reasons import refusal
from vaead.errors import VaeadError
from vaead.inference.evaluate_photos import DefectEvaluation, DefectMetrics, Labelled, known_mask
from vaead.inference.read_photos import read_options, read_source
from vaead.model.model import Model
from vaead.scoring.loss_terms import SCORES
from vaead.scoring.term_maps import TermMaps
from vaead.ui.your_images.uploaded_photos import LIMITS, OwnPhoto

_KEPT_BYTES = 64_000_000
"""Of maps, for one visitor; others are computed again when they are looked at."""


Origin = Literal["shipped", "trained", "brought"]
"""Where a model comes from: vaead, a training on this page, or a file that the visitor had."""


@dataclass(frozen=True, eq=False)
class Scored:
    """An image and its scores, by name; calibrated is missing where its size is not the model's."""

    photo: OwnPhoto
    scores: dict[str, float]


@dataclass
class Results:
    """What one model says about a visitor's images.

    Downloads are made in other threads than the page, and while it goes on.

    Attributes:
        model: The model.
        folder: Where its files are.
        origin: Where it came from.
        normals: Digests of the normal images that there were when it was trained, None where nobody knows.
        scored: Images in the order in which they came.
        rejected: Images that could not be scored, each with its reason.
        evaluation: Of the images that have a label.
    """

    model: Model
    folder: Path
    origin: Origin = "trained"
    normals: frozenset[str] | None = None
    scored: list[Scored] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    evaluation: DefectEvaluation = field(default_factory=DefectEvaluation)
    _seen: set[Path] = field(default_factory=set)
    _maps: OrderedDict[Path, TermMaps] = field(default_factory=OrderedDict)
    _map_bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def calibration(self) -> NormalScores:
        """What the model knows of held-out normal images."""
        return self.model.card.normal_scores

    @property
    def options(self) -> ReadOptions:
        """How the model wants images to be read."""
        return read_options(self.model.card.recipe, LIMITS)

    @property
    def learned_sides_px(self) -> list[float]:
        """Longer sides of the smallest and the largest image that it has learned from; empty if not known."""
        scale = self.options.scale
        return [side / scale for side in self.model.card.longer_side_px or ()]

    def missing(self, photos: Iterable[OwnPhoto]) -> list[OwnPhoto]:
        """Images that have not been scored yet."""
        return [photo for photo in photos if photo.path not in self._seen]

    def score(self, photos: Iterable[OwnPhoto], on_progress: Callable[[int, int], None]) -> None:
        """Score the images that have not been scored yet. If it is broken off, the rest is still missing."""
        missing = self.missing(photos)
        for number, photo in enumerate(missing, start=1):
            on_progress(number, len(missing))
            if photo.path in self._seen:
                continue
            found: tuple[Scored, Labelled | None] | Rejected
            try:
                found = self._score_one(photo)
            except VaeadError as error:
                found = Rejected.of(photo.name, error)
            self._add(photo, found)

    def _add(self, photo: OwnPhoto, found: tuple[Scored, Labelled | None] | Rejected) -> None:
        with self._lock:
            if photo.path in self._seen:  # a run of the page that was broken off has just scored it, too
                return
            self._seen.add(photo.path)
            if isinstance(found, Rejected):
                self.rejected.append(found)
                return
            scored, labelled = found
            self.scored.append(scored)
            if labelled is not None:
                self.evaluation.add(labelled)

    def metrics(self) -> list[DefectMetrics]:
        """Of the images that have a label; see `DefectEvaluation.metrics`."""
        with self._lock:
            return self.evaluation.metrics()

    def new_normals(self, photos: Iterable[OwnPhoto]) -> int:
        """How many of these normal images came after the model was trained."""
        return 0 if self.normals is None else sum(photo.digest not in self.normals for photo in photos)

    def _score_one(self, photo: OwnPhoto) -> tuple[Scored, Labelled | None]:
        terms = self.terms(photo)
        scores = {name: float(terms.image_scores(name)[0]) for name in terms.scores}
        if not np.isfinite(list(scores.values())).all():
            raise refusal("not_finite", name=photo.name, found=scores)
        labelled = None
        if photo.defect is not None:
            labelled = Labelled.of(terms, photo.defect, self.true_mask(photo))
        return Scored(photo, scores), labelled

    def pixels(self, photo: OwnPhoto) -> NDArray[np.float32]:
        """An image as the model sees it: (H, W), or (H, W, 3) in colours.

        Raises:
            InvalidInputError: It is smaller than a patch.
        """
        return read_source(photo.path, photo.name, self.options)

    def terms(self, photo: OwnPhoto) -> TermMaps:
        """What the model says about an image, from memory if it is there.

        Raises:
            InvalidInputError: It is smaller than a patch.
        """
        with self._lock:
            if photo.path in self._maps:
                self._maps.move_to_end(photo.path)
                return self._maps[photo.path]
        # Not under the lock: others need not wait for seconds, and two may compute the same.
        terms = self.model.term_maps(self.pixels(photo)[None])
        with self._lock:
            if photo.path not in self._maps:
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
        return known_mask(photo.defect, photo.mask, photo.name, (height, width), options)

    def thresholds(self, false_alarm_rate: float) -> dict[str, float]:
        """The image score above which each score flags an image."""
        return {name: self.calibration.threshold_value(name, false_alarm_rate) for name in SCORES}

    def mask_above(self, photo: OwnPhoto, score: str, false_alarm_rate: float) -> NDArray[np.bool_]:
        """Pixels (H, W) under a window that so few normal images have."""
        limit = self.calibration.threshold_value(score, false_alarm_rate, "window")
        mask: NDArray[np.bool_] = self.terms(photo).mask_above(score, limit)[0]
        return mask


def _n_bytes(terms: TermMaps) -> int:
    calibrated = 0 if terms.calibrated is None else terms.calibrated.map.nbytes
    return calibrated + terms.kl.nbytes + terms.log_variance.nbytes + terms.mahalanobis.nbytes
