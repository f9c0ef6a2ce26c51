"""The calibrated score of images of a class in a dataset, which all are aligned.

Two kinds of evidence are combined (`CombinedReference`): how far windows are from normal ones at the same
place, as one distance of all of them (`GaussianReference`), and how far the image is from normal ones as a
whole (`WholeReference`). The first finds another digit or garment. The second finds what has nothing to do
with the class, such as noise or a blank image, whose windows may all be possible, each for itself.

The map shares the contribution of each window to the distance out to its pixels, in proportion to what each
of them adds to M, so that it is dark where the image differs and not beside that. It is smoothed a little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.combined import CombinedReference
from vaead.calibration.gaussian import GaussianReference
from vaead.calibration.reference import Evidence
from vaead.calibration.whole import WholeReference
from vaead.scoring.scan import Scan
from vaead.scoring.term_maps import mean_map


@dataclass(frozen=True)
class ClassReference(CombinedReference):
    """All that the calibrated score knows of normal images of a class.

    Attributes:
        place: Windows by their position.
        whole: Images as a whole.
    """

    PARTS: ClassVar = {"place": GaussianReference, "whole": WholeReference}
    # Chosen by images made from held-out ones: with more weight for the place, blank images of some
    # classes are not found with the preset article.
    WEIGHTS: ClassVar[tuple[float, ...]] = (2, 1)

    place: GaussianReference
    whole: WholeReference

    @classmethod
    def fit_variants(cls, scans: Sequence[Scan]) -> list[Self]:
        """See `NormalReference`: one, for aligned images of one size."""
        parts: dict[str, Any] = {name: kind.fit(scans) for name, kind in cls.PARTS.items()}
        return [cls(**parts, **cls.no_scale())]

    def evidence(self, scan: Scan) -> Evidence:
        """See `NormalReference`: the distance of all windows, then that of the whole image."""
        windows = self.place.window_scores(scan)
        distance = windows.mean(axis=(1, 2))
        values = np.stack([distance, self.whole.distances(scan)], axis=1)
        return Evidence(values, _smooth(mean_map(windows, scan.grid, scan.shares)), scan.content)

    @classmethod
    def evidence_of(cls, variants: Sequence[Self], scan: Scan) -> list[Evidence]:
        """See `NormalReference`."""
        return [each.evidence(scan) for each in variants]


def _smooth(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Make each pixel of maps (N, H, W) a little like those around it: what differs is seldom one alone."""
    near, middle = 0.25, 0.5
    for axis in (1, 2):
        rimmed = np.pad(maps, [(int(other == axis),) * 2 for other in range(3)], mode="edge")
        before, itself, after = (
            np.take(rimmed, np.arange(shift, shift + maps.shape[axis]), axis) for shift in range(3)
        )
        maps = near * before + middle * itself + near * after
    return maps
