"""How well a model tells anomalous photos and pixels whose defects and masks are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from vaead.data.photos import Photo, ReadOptions, Rejected, read_mask
from vaead.data.photos.layout import NORMAL
from vaead.data.photos.sources import Source
from vaead.errors import InvalidInputError, VaeadError
from vaead.inference.batches import current_folder, located_at
from vaead.inference.read_photos import read_ahead, read_options, read_source
from vaead.metrics.image import Confusion, Metrics, best_f1_threshold
from vaead.metrics.pixel import PixelCounts
from vaead.model.model import Model
from vaead.scoring.image_scorer import Progress
from vaead.scoring.loss_terms import SCORES
from vaead.scoring.term_maps import TermMaps

ALL = "all"
"""In place of a defect's name: all of them."""

Figures = dict[str, float | None]
"""A metric by name of the score; None where it cannot be told."""


@dataclass(frozen=True)
class Flagged:
    """How many photos score above a threshold."""

    normal: int
    anomalous: int


@dataclass(frozen=True)
class DefectMetrics:
    """Normal photos against those of one defect, or of all.

    Attributes:
        defect: Its name, or `ALL`.
        n_normal: Normal photos.
        n_anomalous: Photos with the defect.
        auroc: Of the scores of whole photos.
        best_f1: Of the scores of whole photos, at the threshold that is best for these very photos.
        pixel_auroc: Of the maps, see `PixelMetrics`; None without masks.
        aupro: The same.
        flagged: By name of the score, at the threshold asked for; None as in metrics, empty where none was.
    """

    defect: str
    n_normal: int
    n_anomalous: int
    auroc: Figures
    best_f1: Figures
    pixel_auroc: Figures
    aupro: Figures
    flagged: dict[str, Flagged | None] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Labelled:
    """What metrics need of one photo: so little that it can be kept, or sent to another process.

    Attributes:
        defect: Kind of defect, 'good' for a normal photo.
        scores: Anomaly score by name of the score.
        pixels: Counts of the pixels of its maps by name of the score; empty where nothing says which are
            anomalous.
        refused: Its mask, where that cannot be read.
    """

    defect: str
    scores: dict[str, float]
    pixels: dict[str, PixelCounts]
    refused: Rejected | None = None

    @classmethod
    def of(cls, terms: TermMaps, defect: str, mask: NDArray[np.bool_] | None) -> Labelled:
        """Take what is needed of the term maps of one photo.

        Args:
            terms: Of the photo.
            defect: See above.
            mask: See `known_mask`.
        """
        scores = {name: float(terms.image_scores(name)[0]) for name in terms.scores}
        pixels = {}
        if mask is not None:
            for name in terms.scores:
                pixels[name] = PixelCounts()
                pixels[name].add(terms.anomaly_maps(name)[0], mask)
        return cls(defect, scores, pixels)


class DefectEvaluation:
    """Metrics of photos that are judged one after another; memory grows with the kinds of defects alone."""

    def __init__(self, defects: Iterable[str] = ()) -> None:
        """Begin with no photo.

        Args:
            defects: Have an entry whether or not there will be photos of them; others come behind them.
        """
        self._groups = {NORMAL: _Group(), **{name: _Group() for name in defects if name != NORMAL}}

    def add(self, photo: Labelled) -> None:
        """Take a photo in."""
        self._groups.setdefault(photo.defect, _Group()).add(photo)

    def metrics(self, thresholds: Mapping[str, float] | None = None) -> list[DefectMetrics]:
        """One entry a defect, and one of all.

        Args:
            thresholds: By name of the score, above which photos are flagged.
        """
        normal, *_ = self._groups.values()
        groups = {name: [group] for name, group in self._groups.items() if name != NORMAL}
        groups[ALL] = [group for each in groups.values() for group in each]
        return [_metrics(name, normal, anomalous, thresholds or {}) for name, anomalous in groups.items()]


class _Group:
    """All photos of one kind."""

    def __init__(self) -> None:
        self.scores: list[dict[str, float]] = []
        self.pixels: dict[str, PixelCounts] = {}

    def add(self, photo: Labelled) -> None:
        """Take a photo in."""
        self.scores.append(photo.scores)
        for name, counts in photo.pixels.items():
            self.pixels.setdefault(name, PixelCounts()).include(counts)


def _metrics(
    defect: str, normal: _Group, anomalous: Sequence[_Group], thresholds: Mapping[str, float]
) -> DefectMetrics:
    """Tell the photos of some groups from normal ones."""
    sides = normal.scores, [scores for group in anomalous for scores in group.scores]
    # A score that some photos do not have, because of their size, could not be compared fairly.
    shared = [name for name in SCORES if all(name in scores for side in sides for scores in side)]
    auroc, best_f1, pixel_auroc, aupro = (dict.fromkeys(SCORES) for _ in range(4))
    flagged: dict[str, Flagged | None] = dict.fromkeys(thresholds)
    for name in shared:
        low, high = (np.array([scores[name] for scores in side]) for side in sides)
        if len(low) and len(high):
            auroc[name] = Metrics.of(low, high).auroc
            best_f1[name] = Confusion.at(best_f1_threshold(low, high), low, high).f1
        if name in thresholds:
            counts = Confusion.at(thresholds[name], low, high)
            flagged[name] = Flagged(counts.false_alarms, counts.found)
        pixel_auroc[name], aupro[name] = _pixel_metrics(name, [normal, *anomalous])
    return DefectMetrics(defect, len(sides[0]), len(sides[1]), auroc, best_f1, pixel_auroc, aupro, flagged)


def _pixel_metrics(name: str, groups: Sequence[_Group]) -> tuple[float | None, float | None]:
    counts = PixelCounts()
    for group in groups:
        if name in group.pixels:
            counts.include(group.pixels[name])
    try:
        found = counts.metrics()
    except InvalidInputError:  # no mask, or none with an anomalous pixel
        return None, None
    return found.auroc, found.aupro


def known_mask(
    defect: str | None, mask: Source | None, name: str, shape: tuple[int, int], options: ReadOptions
) -> NDArray[np.bool_] | None:
    """Which pixels of a photo are anomalous: none of a normal one, else what its mask says.

    Args:
        defect: See `Photo`.
        mask: What to read for its mask, None where there is none.
        name: What the user calls the mask.
        shape: (H, W) of the photo as the model sees it.
        options: Those with which the photo is read.

    Returns:
        (H, W), or None where nothing says so.

    Raises:
        InvalidInputError: See `read_mask`.
        DataUnavailableError: See there.
    """
    if defect == NORMAL:
        return np.zeros(shape, np.bool_)
    return None if mask is None else read_mask(mask, name, shape, options)


def evaluate_photos(
    model: Model,
    photos: Sequence[Photo],
    on_progress: Progress | None = None,
    on_rejected: Callable[[Rejected], None] | None = None,
    thresholds: Mapping[str, float] | None = None,
) -> list[DefectMetrics]:
    """Judge a model on photos whose defects are known, one after another, so that memory stays bounded.

    Pixels are those of the photos as the model sees them, scaled. A photo that cannot be read is left out;
    one without a mask, or whose mask cannot be read, counts for the metrics of whole photos alone.

    Args:
        model: What to judge.
        photos: Those of `vaead.data.photos.Photos.test`.
        on_progress: Called after each photo with the numbers of photos done and in all.
        on_rejected: Called with each photo and each mask that is left out.
        thresholds: See `DefectEvaluation.metrics`.

    Returns:
        One entry a defect, in the order of the photos, and one of all.

    Raises:
        InvalidInputError: There is no normal photo, or no other.
    """
    labelled = label_each(model, photos, current_folder)
    return evaluate_labelled(photos, labelled, on_progress, on_rejected, thresholds)


def evaluate_labelled(
    photos: Sequence[Photo],
    labelled: Iterable[Labelled | Rejected],
    on_progress: Progress | None = None,
    on_rejected: Callable[[Rejected], None] | None = None,
    thresholds: Mapping[str, float] | None = None,
) -> list[DefectMetrics]:
    """As `evaluate_photos`, of what `label_each` has made of the photos, wherever that was."""
    evaluation = DefectEvaluation(defects_of(photos))
    for number, each in enumerate(labelled, start=1):
        refused = each if isinstance(each, Rejected) else each.refused
        if refused is not None and on_rejected is not None:
            on_rejected(refused)
        if isinstance(each, Labelled):
            evaluation.add(each)
        if on_progress is not None:
            on_progress(number, len(photos))
    return evaluation.metrics(thresholds)


def label_each(
    model: Model, photos: Sequence[Photo], here: Callable[[], str]
) -> Iterator[Labelled | Rejected]:
    """Look at photos one after another; see `vaead.inference.batches.look_at_each`.

    Args:
        model: What to judge.
        photos: With their defects.
        here: Gives the folder in which relative sources begin.
    """
    options, folder = read_options(model.card.recipe), here()
    for each in read_ahead(photos, lambda photo: read_labelled(photo, options, folder)):
        if isinstance(each, Rejected):
            yield each
        else:
            photo, (pixels, mask) = each
            terms, defect = model.term_maps(pixels[None]), str(photo.defect)
            if isinstance(mask, Rejected):
                yield replace(Labelled.of(terms, defect, None), refused=mask)
            else:
                yield Labelled.of(terms, defect, mask)


def defects_of(photos: Sequence[Photo]) -> list[str]:
    """The kinds of defects in photos, in their order.

    Raises:
        InvalidInputError: There is no normal photo, or no other.
    """
    names = dict.fromkeys(photo.defect for photo in photos if photo.defect is not None)
    defects = [name for name in names if name != NORMAL]
    if NORMAL not in names or not defects:
        missing = "test/<defect>" if NORMAL in names else f"test/{NORMAL}"
        raise InvalidInputError(
            f"dataset must hold images in test/{NORMAL} and in test/<defect>, got none in {missing}; add some"
        )
    return defects


def read_labelled(
    photo: Photo, options: ReadOptions, here: str
) -> tuple[NDArray[np.float32], NDArray[np.bool_] | Rejected | None]:
    """Read a photo as a model sees it, and its mask, or why not; see `known_mask` and `located_at`."""
    pixels = read_source(located_at(photo.source, here), photo.source, options)
    mask = photo.mask and located_at(photo.mask, here)
    name, shape = photo.mask or photo.name, (pixels.shape[0], pixels.shape[1])
    try:
        return pixels, known_mask(photo.defect, mask, name, shape, options)
    except VaeadError as error:
        return pixels, Rejected.of(name, error)
