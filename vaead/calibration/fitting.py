"""Calibration of a model on held-out normal images: references and normal scores."""

from __future__ import annotations

from collections.abc import Sequence

from vaead.calibration.gaussian import GaussianReference
from vaead.calibration.photo import AlignedPhotoReference, PhotoReference
from vaead.calibration.reference import NormalReference, cross_fit
from vaead.calibration.thresholds import NormalScores
from vaead.scoring.scan import Scan
from vaead.scoring.term_maps import CalibratedScore, TermMaps


def reference_kind(for_photos: bool, aligned: bool) -> type[NormalReference]:
    """The kind of reference: for images of a dataset, or for photos, which may be aligned."""
    if not for_photos:
        return GaussianReference
    return AlignedPhotoReference if aligned else PhotoReference


def calibrate(
    kind: type[NormalReference], scans: Sequence[Sequence[Scan]]
) -> tuple[list[NormalReference], NormalScores]:
    """Fit a reference for each network, and collect the scores of held-out normal images.

    Args:
        kind: See `reference_kind`.
        scans: For each network of a model, the main one first, the held-out images: one or more a scan, those
            of one scan of one size.
    """
    references, calibrated = [], []
    for of_network in scans:
        evidence = cross_fit(kind, of_network)
        references.append(kind.fit(of_network).scaled_by(evidence))
        calibrated.append([references[-1].calibrated(each) for each in evidence])
    terms = [
        TermMaps(
            main.kl, main.log_variance, main.mahalanobis, main.grid, CalibratedScore.average(of_networks)
        )
        for main, *of_networks in zip(scans[0], *calibrated, strict=True)
    ]
    return references, NormalScores.fit(terms)
