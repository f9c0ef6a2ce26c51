"""Calibration of a model on held-out normal images: references and normal scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.class_images import ClassReference
from vaead.calibration.photo import AlignedPhotoReference, PhotoReference
from vaead.calibration.reference import NormalReference, cross_fit
from vaead.calibration.thresholds import NormalScores
from vaead.scoring.scan import Scan
from vaead.scoring.term_maps import CalibratedScore, TermMaps


def reference_kind(for_photos: bool, aligned: bool) -> type[NormalReference]:
    """The kind of reference: for images of a dataset, or for photos, which may be aligned."""
    if not for_photos:
        return ClassReference
    return AlignedPhotoReference if aligned else PhotoReference


class Calibration(NamedTuple):
    """Attributes are described in `calibrate`."""

    references: list[NormalReference]
    normal_scores: NormalScores
    changed_scores: NDArray[np.float32]


def calibrate(
    kind: type[NormalReference],
    scans: Sequence[Sequence[Scan]],
    changed: Sequence[Sequence[tuple[int, Scan]]] | None = None,
) -> Calibration:
    """Fit a reference for each network, and collect the scores of held-out normal images.

    Args:
        kind: See `reference_kind`.
        scans: For each network of a model, the main one first, the held-out images: one or more a scan, those
            of one scan of one size.
        changed: For each network images made from these, see `cross_fit`.

    Returns:
        The references, the scores of held-out images, and the calibrated scores of those made from them.
    """
    from threadpoolctl import threadpool_limits

    # Many small steps: on a busy machine, threads that wait for each other take several times as long.
    with threadpool_limits(1):
        fitted = [
            _fit(kind, of_network, changed[index] if changed else ())
            for index, of_network in enumerate(scans)
        ]
    references = [each.reference for each in fitted]
    calibrated = [each.normal for each in fitted]
    of_changed = [each.changed for each in fitted]
    terms = [
        TermMaps(
            main.kl, main.log_variance, main.mahalanobis, main.grid, CalibratedScore.average(of_networks)
        )
        for main, *of_networks in zip(scans[0], *calibrated, strict=True)
    ]
    return Calibration(references, NormalScores.fit(terms), np.mean(of_changed, axis=0, dtype=np.float32))


class _Fitted(NamedTuple):
    """A reference, and its scores of the normal images, one entry a scan, and of those made from them."""

    reference: NormalReference
    normal: list[CalibratedScore]
    changed: list[np.float32]

    @property
    def auroc(self) -> float:
        """AUROC of the changed images; 0 without any."""
        normal = np.sort(np.concatenate([each.image for each in self.normal]))
        below = np.searchsorted(normal, self.changed) / len(normal)
        return float(below.mean()) if len(below) else 0.0


def _fit(kind: type[NormalReference], scans: Sequence[Scan], changed: Sequence[tuple[int, Scan]]) -> _Fitted:
    """The variant that tells the changed images best from the normal ones; the first of equal ones."""
    found = []
    evidence = cross_fit(kind, scans, changed)
    for variant, (of_normal, of_changed) in zip(kind.fit_variants(scans), evidence, strict=True):
        reference = variant.scaled_by(of_normal)
        normal = [reference.calibrated(each) for each in of_normal]
        found.append(_Fitted(reference, normal, [reference.calibrated(each).image[0] for each in of_changed]))
    return max(found, key=lambda each: each.auroc)
