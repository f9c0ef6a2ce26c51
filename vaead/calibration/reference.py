"""The distribution of normal windows that the calibrated score compares with: protocol and cross-fitting.

Source: thresholds from scores that were computed without the image itself, as in cross-conformal prediction;
V. Vovk, "Cross-conformal predictors", 2015.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from vaead.config import NetworkConfig
from vaead.scoring.scan import Scan
from vaead.scoring.term_maps import CalibratedScore

_FOLDS = 4


@dataclass(frozen=True)
class Evidence:
    """How unusual images are, before it is put on the scale of normal images.

    Attributes:
        values: One value of each kind of evidence, (N, evidences).
        maps: Anomaly map of each image, (N, H, W).
        content: See `vaead.scoring.scan.Scan.content`.
    """

    values: NDArray[np.float32]
    maps: NDArray[np.float32]
    content: NDArray[np.float32]


class NormalReference(Protocol):
    """All that the calibrated score knows of normal images."""

    @property
    def n_kinds(self) -> int:
        """Number of kinds of images that are told apart, see `vaead.calibration.kinds`."""

    @classmethod
    def positive(cls) -> set[str]:
        """Names of the arrays whose values are above 0."""

    @classmethod
    def fit_variants(cls, scans: Sequence[Scan]) -> list[Self]:
        """Fit to normal images, at least one, in each of the ways of which made-up defects choose one."""

    def scaled_by(self, normal: Sequence[Evidence]) -> Self:
        """The same on the scale of the evidence of normal images, which it was not fitted to."""

    def evidence(self, scan: Scan) -> Evidence:
        """Evidence that images are not normal."""

    @classmethod
    def evidence_of(cls, variants: Sequence[Self], scan: Scan) -> list[Evidence]:
        """What each of the variants of one fit finds."""

    def calibrated(self, evidence: Evidence) -> CalibratedScore:
        """Scores and maps of images, from what `evidence` has found."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted arrays by name."""

    @classmethod
    def array_names(cls) -> tuple[str, ...]:
        """Names of the arrays."""

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Self:
        """Undo `arrays`."""

    def shapes(self, network: NetworkConfig) -> dict[str, tuple[int, ...]]:
        """Shapes of the arrays for a network, by name."""


class CrossFitted(NamedTuple):
    """Evidence of images, each by a reference of one variant that was fitted without it.

    Attributes:
        normal: Of normal images, one entry a scan.
        changed: Of images made from them.
    """

    normal: list[Evidence]
    changed: list[Evidence]


def cross_fit(
    kind: type[NormalReference], scans: Sequence[Scan], changed: Sequence[tuple[int, Scan]] = ()
) -> list[CrossFitted]:
    """Evidence of normal images by each variant, each image by a reference that was fitted without it.

    Thresholds come from these: an image that helped to fit a reference looks more normal than a new one.

    Args:
        kind: Kind of the reference.
        scans: Normal images, one or more a scan. A single image is judged by itself.
        changed: Images made from one of these, each with the number of that image through all scans; they
            are judged by the same reference as the image.
    """
    from sklearn.model_selection import KFold

    count = sum(map(len, scans))
    every = np.arange(count)
    folds: Iterable[tuple[NDArray[np.intp], NDArray[np.intp]]] = [(every, every)]
    if count > 1:
        folds = KFold(min(_FOLDS, count), shuffle=True, random_state=0).split(every)
    of_folds = [_judge(kind, scans, changed, others, tested) for others, tested in folds]
    return [_put_together(of_variant, scans) for of_variant in zip(*of_folds, strict=True)]


class _Fold(NamedTuple):
    """Evidence of one variant for a fold: of its images, as parts of scans, and of changed ones by number."""

    parts: list[tuple[int, NDArray[np.intp], Evidence]]
    changed: dict[int, Evidence]


def _judge(
    kind: type[NormalReference],
    scans: Sequence[Scan],
    changed: Sequence[tuple[int, Scan]],
    others: NDArray[np.intp],
    tested: NDArray[np.intp],
) -> list[_Fold]:
    """What each variant that is fitted to the others finds in the tested images and those made from them."""
    variants = kind.fit_variants([part for _, _, part in _select(scans, others)])
    folds = [_Fold([], {}) for _ in variants]
    for index, images, part in _select(scans, tested):
        for fold, evidence in zip(folds, kind.evidence_of(variants, part), strict=True):
            fold.parts.append((index, images, evidence))
    inside = set(tested.tolist())
    for number, (origin, scan) in enumerate(changed):
        if origin in inside:
            for fold, evidence in zip(folds, kind.evidence_of(variants, scan), strict=True):
                fold.changed[number] = evidence
    return folds


def _put_together(folds: Sequence[_Fold], scans: Sequence[Scan]) -> CrossFitted:
    found: list[list[tuple[NDArray[np.intp], Evidence]]] = [[] for _ in scans]
    for fold in folds:
        for index, images, evidence in fold.parts:
            found[index].append((images, evidence))
    changed = dict(pair for fold in folds for pair in fold.changed.items())
    return CrossFitted(
        [_joined(parts) for parts in found], [changed[number] for number in range(len(changed))]
    )


def _joined(parts: Sequence[tuple[NDArray[np.intp], Evidence]]) -> Evidence:
    order = np.argsort(np.concatenate([images for images, _ in parts]))
    arrays = (
        np.concatenate([getattr(part, field.name) for _, part in parts])[order] for field in fields(Evidence)
    )
    return Evidence(*arrays)


def _select(scans: Sequence[Scan], images: NDArray[np.intp]) -> Iterator[tuple[int, NDArray[np.intp], Scan]]:
    """Images numbered through all scans: index of the scan, indices in it, and a scan of these alone."""
    start = 0
    for index, scan in enumerate(scans):
        inside = images[(start <= images) & (images < start + len(scan))] - start
        if len(inside):
            yield index, inside, scan.take(inside)
        start += len(scan)
