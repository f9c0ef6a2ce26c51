"""The distribution of normal windows that the calibrated score compares with: protocol and cross-fitting.

Source: thresholds from scores that were computed without the image itself, as in cross-conformal prediction;
V. Vovk, "Cross-conformal predictors", 2015.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

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
        values: One value of each kind of evidence, (N, kinds).
        maps: Anomaly map of each image, (N, H, W).
    """

    values: NDArray[np.float32]
    maps: NDArray[np.float32]


class NormalReference(Protocol):
    """All that the calibrated score knows of normal images."""

    @classmethod
    def positive(cls) -> set[str]:
        """Names of the arrays whose values are above 0."""

    @classmethod
    def fit(cls, scans: Sequence[Scan]) -> Self:
        """Fit to normal images, at least one."""

    def scaled_by(self, normal: Sequence[Evidence]) -> Self:
        """The same on the scale of the evidence of normal images, which it was not fitted to."""

    def evidence(self, scan: Scan) -> Evidence:
        """Evidence that images are not normal."""

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


def cross_fit(
    kind: type[NormalReference], scans: Sequence[Scan], changed: Sequence[tuple[int, Scan]] = ()
) -> tuple[list[Evidence], list[Evidence]]:
    """Evidence of normal images, each image by a reference that was fitted without it.

    Thresholds come from these: an image that helped to fit a reference looks more normal than a new one.

    Args:
        kind: Kind of the reference.
        scans: Normal images, one or more a scan. A single image is judged by itself.
        changed: Images made from one of these, each with the number of that image through all scans; they
            are judged by the same reference as the image.

    Returns:
        Evidence of the normal images, one entry a scan, and of the changed ones.
    """
    from sklearn.model_selection import KFold

    count = sum(map(len, scans))
    every = np.arange(count)
    folds: Iterable[tuple[NDArray[np.intp], NDArray[np.intp]]] = [(every, every)]
    if count > 1:
        folds = KFold(min(_FOLDS, count), shuffle=True, random_state=0).split(every)
    found: list[list[tuple[NDArray[np.intp], Evidence]]] = [[] for _ in scans]
    of_changed: dict[int, Evidence] = {}
    for others, tested in folds:
        reference = kind.fit([part for _, _, part in _select(scans, others)])
        for index, images, part in _select(scans, tested):
            found[index].append((images, reference.evidence(part)))
        inside = set(tested.tolist())
        of_changed |= {
            number: reference.evidence(scan)
            for number, (origin, scan) in enumerate(changed)
            if origin in inside
        }
    return [_joined(parts) for parts in found], [of_changed[number] for number in range(len(changed))]


def _joined(parts: Sequence[tuple[NDArray[np.intp], Evidence]]) -> Evidence:
    order = np.argsort(np.concatenate([images for images, _ in parts]))
    values, maps = (
        np.concatenate([getattr(part, name) for _, part in parts])[order] for name in ("values", "maps")
    )
    return Evidence(values, maps)


def _select(scans: Sequence[Scan], images: NDArray[np.intp]) -> Iterator[tuple[int, NDArray[np.intp], Scan]]:
    """Images numbered through all scans: index of the scan, indices in it, and a scan of these alone."""
    start = 0
    for index, scan in enumerate(scans):
        inside = images[(start <= images) & (images < start + len(scan))] - start
        if len(inside):
            yield index, inside, scan.take(inside)
        start += len(scan)
