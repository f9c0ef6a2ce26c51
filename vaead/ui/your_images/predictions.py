"""Predictions of one model for a visitor's images: scores of all, arrays of those used last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.thresholds import NormalScores
from vaead.data.photos import Photo, Rejected
from vaead.data.photos.photo import NORMAL
from vaead.data.photos.reasons import refusal
from vaead.errors import InvalidInputError
from vaead.inference.explain import Explanation, Place
from vaead.inference.messages import BaselineRequest
from vaead.inference.photo_service import PhotoLostError
from vaead.inference.prediction import Prediction, Thresholds
from vaead.metrics.groups import GroupEvaluator, GroupMetrics
from vaead.metrics.pixel import PixelCounts
from vaead.model.card import ModelCard
from vaead.ui.shared.cache import photo_service
from vaead.ui.your_images.own_photos import OwnPhoto

_KEPT_BYTES = 64_000_000
"""Arrays in memory for one visitor; others are computed again when they are looked at."""
_MOST_LOST = 3
"""Images whose process ended or took too long, after which a model gets no more of them."""
_RATE = 0.05
"""Any false-alarm rate: thresholds are replaced by those of the rate that the visitor chooses."""

_BATCH = 16
"""Images that baselines score in one request."""

Origin = Literal["shipped", "trained", "brought", "kept"]
"""Where a model comes from: vaead, a training on this page, a file that the visitor had, or a session."""


@dataclass
class Results:
    """A model, and its predictions for a visitor's images, each predicted once.

    Downloads are made in other threads than the page, and while it goes on.

    Attributes:
        card: Card of the model.
        folder: Folder of its files.
        origin: Where it came from.
        normals: Digests of the normal images that there were when it was trained, None where nobody knows.
        taken: Test images that it was calibrated with, because the visitor has called them normal; labels of
            these do not count in metrics.
        before: The model before it was calibrated again, None for one that was not.
        scored: Predictions without arrays, in the order in which the images came.
    """

    card: ModelCard
    folder: Path
    origin: Origin = "trained"
    normals: frozenset[str] | None = None
    taken: tuple[OwnPhoto, ...] = ()
    before: Results | None = None
    scored: dict[OwnPhoto, Prediction] = field(default_factory=dict)
    _rejected: dict[OwnPhoto, Rejected] = field(default_factory=dict)
    _evaluator: GroupEvaluator = field(default_factory=lambda: GroupEvaluator(NORMAL))
    _baselines: dict[OwnPhoto, dict[str, float]] = field(default_factory=dict)
    _metrics: list[GroupMetrics] | None = None
    _kept: OrderedDict[OwnPhoto, Prediction] = field(default_factory=OrderedDict)
    _kept_bytes: int = 0
    _explained: tuple[OwnPhoto, Place, Explanation] | None = None
    _lost: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def calibration(self) -> NormalScores:
        """Scores of held-out normal images."""
        return self.card.normal_scores

    @property
    def rejected(self) -> list[Rejected]:
        """Images that could not be scored, each with its reason."""
        return list(self._rejected.values())

    @property
    def learned_sides_px(self) -> list[float]:
        """Longer sides of the smallest and the largest image that it has learned from; empty if not known."""
        scale = self.card.recipe.source.scale
        return [side / scale for side in self.card.longer_side_px or ()]

    def missing(self, photos: Iterable[OwnPhoto]) -> list[OwnPhoto]:
        """Images that have not been scored yet."""
        return [photo for photo in photos if not self._has_seen(photo)]

    def score(self, photos: Iterable[OwnPhoto], on_progress: Callable[[int, int], None]) -> None:
        """Score the images that have not been scored yet. If it is broken off, the rest is still missing.

        A model that has cost too many processes gets no more.
        """
        missing = self.missing(photos)
        for number, photo in enumerate(missing, start=1):
            on_progress(number, len(missing))
            if self._has_seen(photo):
                continue
            if self._lost < _MOST_LOST:
                found = self._predict(photo)
            else:
                found = Rejected.of(photo.name, refusal("model_lost", name=photo.name, count=_MOST_LOST))
            if isinstance(found, Prediction):
                self._keep(photo, found)
                self._add(photo, found.without_arrays(), found.count_pixels())
            else:
                self._add(photo, found, {})

    def forget(self, photo: OwnPhoto) -> None:
        """Forget the prediction for an image, whose file must still be there, in all calibrations."""
        if self.before is not None:
            self.before.forget(photo)
        if self._rejected.pop(photo, None) is not None or photo not in self.scored:
            return
        try:
            labelled = photo.defect is not None  # a normal one has a mask without any anomalous pixel
            pixel_counts = self.prediction(photo, _RATE).count_pixels() if labelled else {}
        except InvalidInputError:  # its process was lost: all others are scored anew
            self._start_anew()
            return
        with self._lock:
            if photo.defect is not None and photo not in self.taken:
                self._evaluator.remove(photo.defect, self.scored[photo].scores, pixel_counts)
                self._metrics = None
            # A download may go through the old ones at this moment.
            self.scored = {each: found for each, found in self.scored.items() if each is not photo}
            dropped = self._kept.pop(photo, None)
            self._kept_bytes -= dropped.n_bytes if dropped is not None else 0

    def _start_anew(self) -> None:
        with self._lock:
            self.scored, self._rejected, self._metrics = {}, {}, None
            self._evaluator = GroupEvaluator(NORMAL)

    def _has_seen(self, photo: OwnPhoto) -> bool:
        return photo in self.scored or photo in self._rejected

    def predictions(self, false_alarm_rate: float) -> dict[OwnPhoto, Prediction]:
        """All predictions without arrays, with the decisions at a false-alarm rate."""
        thresholds = Thresholds.from_rate(self.calibration, false_alarm_rate)
        return {photo: replace(each, thresholds=thresholds) for photo, each in self.scored.items()}

    def prediction(self, photo: OwnPhoto, false_alarm_rate: float) -> Prediction:
        """The prediction with its arrays, from memory if it is there.

        Raises:
            InvalidInputError: The image cannot be scored.
        """
        with self._lock:
            kept = self._kept.get(photo)
            if kept is not None:
                self._kept.move_to_end(photo)
        if kept is None:
            # Not under the lock: others need not wait for seconds, and two may compute the same.
            found = self._predict(photo)
            if isinstance(found, Rejected):
                raise InvalidInputError(found.reason)
            self._keep(photo, found)
            kept = found
        return replace(kept, thresholds=Thresholds.from_rate(self.calibration, false_alarm_rate))

    def explanation(self, photo: OwnPhoto, prediction: Prediction, place: Place) -> Explanation:
        """Explain a window of an image.

        Args:
            photo: The image.
            prediction: Its prediction, with arrays.
            place: Row and column of the window.

        Raises:
            VaeadError: It cannot be explained.
        """
        assert prediction.image is not None, "arrays were dropped"
        with self._lock:
            if self._explained is not None and self._explained[:2] == (photo, place):
                return self._explained[2]
        if self._lost >= _MOST_LOST:
            raise refusal("model_lost", name=photo.name, count=_MOST_LOST)
        try:
            found = photo_service().explain(self.folder, self.card, (photo.name, prediction.image), place)
        except PhotoLostError:
            self._lost += 1
            raise
        self._explained = (photo, place, found)
        return found

    def metrics(self) -> list[GroupMetrics]:
        """Metrics of the images with a label, see `GroupEvaluator`; empty without any label."""
        with self._lock:
            if self._metrics is None:
                labelled = any(photo.defect is not None for photo in self.scored)
                self._metrics = self._evaluator.evaluate() if labelled else []
                if labelled and not self._to_compare():
                    self._metrics = self._with_baselines(self._metrics)
            return self._metrics

    def to_compare(self) -> list[OwnPhoto]:
        """Images with a label that baselines have not scored yet."""
        with self._lock:
            return self._to_compare()

    def compare(self, normal: Sequence[OwnPhoto], on_share: Callable[[float], object]) -> None:
        """Score the images with a label by baselines, too, which `metrics` shows when all are scored.

        Args:
            normal: Normal images to fit them to.
            on_share: Called now and then with the share of images that are scored, to 1.

        Raises:
            PhotoLostError: The process of the photos has ended, or took too long.
        """
        photos = self.to_compare()
        known = tuple(_as_photo(each) for each in normal)
        for start in range(0, len(photos), _BATCH):
            batch = photos[start : start + _BATCH]
            asked = BaselineRequest(str(self.folder), known, tuple(_as_photo(each) for each in batch))
            found = photo_service().score_baselines(asked)
            self._add_baselines(batch, found)
            on_share(min(1.0, (start + len(batch)) / len(photos)))

    def normal_scores_of(self, score: str) -> NDArray[np.float64]:
        """A score of the images that are labelled normal."""
        return self._evaluator.normal(score)

    def calibrates_with(self, normal: Iterable[OwnPhoto]) -> list[OwnPhoto]:
        """Images among which are all that it was trained or calibrated with, out of all normal ones."""
        known = [photo for photo in normal if self.normals is None or photo.digest in self.normals]
        return [*known, *self.taken]

    def calibrated_again(self, card: ModelCard, folder: Path, photo: OwnPhoto) -> Results:
        """This model in another folder, after it was calibrated with one more image."""
        return Results(card, folder, self.origin, self.normals, (*self.taken, photo), self)

    @property
    def first_folder(self) -> Path:
        """Folder of the model before all later calibrations."""
        return self.folder if self.before is None else self.before.first_folder

    def known_among(self, photos: Iterable[OwnPhoto]) -> list[OwnPhoto]:
        """Those images whose pixels it was trained or calibrated with, as normal ones of its training."""
        return [photo for photo in photos if self.normals is not None and photo.digest in self.normals]

    def new_normals(self, photos: Iterable[OwnPhoto]) -> int:
        """Number of these normal images that came after the model was trained."""
        return 0 if self.normals is None else sum(photo.digest not in self.normals for photo in photos)

    def _predict(self, photo: OwnPhoto) -> Prediction | Rejected:
        thresholds = Thresholds.from_rate(self.calibration, _RATE)
        try:
            return photo_service().predict(self.folder, self.card, _as_photo(photo), thresholds)
        except PhotoLostError as error:
            self._lost += 1
            return Rejected.of(photo.name, error)

    def _to_compare(self) -> list[OwnPhoto]:
        return [photo for photo in self._labelled() if photo not in self._baselines]

    def _labelled(self) -> list[OwnPhoto]:
        return [photo for photo in self.scored if photo.defect is not None and photo not in self.taken]

    def _with_baselines(self, metrics: Sequence[GroupMetrics]) -> list[GroupMetrics]:
        evaluator = GroupEvaluator(NORMAL)
        for photo in self._labelled():
            evaluator.add(str(photo.defect), self._baselines[photo])
        simple = {each.group: each for each in evaluator.evaluate()}
        return [each.with_scores_of(simple[each.group]) for each in metrics]

    def _add_baselines(self, photos: Sequence[OwnPhoto], found: Sequence[dict[str, float]]) -> None:
        with self._lock:
            self._baselines |= zip(photos, found, strict=True)
            self._metrics = None

    def _add(
        self, photo: OwnPhoto, found: Prediction | Rejected, pixel_counts: dict[str, PixelCounts]
    ) -> None:
        with self._lock:
            if self._has_seen(photo):  # a run of the page that was broken off has just scored it, too
                return
            if isinstance(found, Rejected):
                self._rejected[photo] = found
                return
            self.scored[photo] = found
            if photo.defect is not None and photo not in self.taken:
                self._evaluator.add(photo.defect, found.scores, pixel_counts)
                self._metrics = None

    def _keep(self, photo: OwnPhoto, prediction: Prediction) -> None:
        with self._lock:
            if photo not in self._kept:
                self._kept[photo] = prediction
                self._kept_bytes += prediction.n_bytes
            while self._kept_bytes > _KEPT_BYTES and len(self._kept) > 1:
                _, dropped = self._kept.popitem(last=False)
                self._kept_bytes -= dropped.n_bytes


def _as_photo(photo: OwnPhoto) -> Photo:
    masks = tuple(map(str, photo.masks))
    return Photo(photo.name, str(photo.path), photo.defect, masks, title=photo.name)
