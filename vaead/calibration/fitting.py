"""Calibration of a model on held-out normal images: references and normal scores."""

from __future__ import annotations

from collections.abc import Sequence

from vaead.calibration.clusters import ClusterReference
from vaead.calibration.gaussian import GaussianReference
from vaead.calibration.reference import NormalReference, calibrated_score, cross_fit
from vaead.calibration.thresholds import NormalScores
from vaead.scoring.scan import Scan
from vaead.scoring.term_maps import CalibratedScore, TermMaps


def reference_kind(aligned: bool) -> type[NormalReference]:
    """The kind of reference: by position where images are aligned, else by content."""
    return GaussianReference if aligned else ClusterReference


def calibrate(scans: Sequence[Sequence[Scan]], aligned: bool) -> tuple[list[NormalReference], NormalScores]:
    """Fit a reference for each network, and collect the scores of held-out normal images.

    Args:
        scans: For each network of a model, the main one first, the held-out images: one or more a scan, those
            of one scan of one size.
        aligned: See `PhotoSource.aligned`.
    """
    kind = reference_kind(aligned)
    references = [kind.fit(of_network) for of_network in scans]
    windows = [cross_fit(kind, of_network) for of_network in scans]
    terms = []
    for index, main in enumerate(scans[0]):
        scores = [
            calibrated_score(reference, of_network[index], scanned[index])
            for reference, of_network, scanned in zip(references, windows, scans, strict=True)
        ]
        average = CalibratedScore.average(scores)
        terms.append(TermMaps(main.kl, main.log_variance, main.mahalanobis, main.grid, average))
    return references, NormalScores.fit(terms)
