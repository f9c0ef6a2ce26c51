"""The calibrated score of photos.

Up to three kinds of evidence are measured on each photo, and combined (`CombinedReference`). Two look for
places: cells of windows against windows of like content (`ClusterReference`), and, where photos are aligned,
windows against the same position (`GaussianReference`). Their maps are in units of normal pixels, and the
mean of the largest 0.1 % of the pixels counts. The third looks at the photo as a whole (`WholeReference`),
and has no map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.border import divide_by_border, fit_border
from vaead.calibration.clusters import ClusterReference
from vaead.calibration.combined import CombinedReference
from vaead.calibration.gaussian import GaussianReference
from vaead.calibration.reference import Evidence
from vaead.calibration.whole import WholeReference
from vaead.config import NetworkConfig
from vaead.scoring.scan import Scan
from vaead.scoring.term_maps import mean_map, mean_of_largest

_SMOOTHING = 1 / 16
"""Standard deviation of the smoothing of maps, as a share of the patch size: half a cell."""
_TOP = 0.001
"""Share of the pixels whose mean is the evidence of a map. Chosen by made-up defects in three sets of photos:
0.01 finds fewer of the small ones, and the largest pixel alone is no better."""


@dataclass(frozen=True)
class PhotoReference(CombinedReference):
    """All that the calibrated score knows of normal photos that are not aligned.

    Attributes:
        content: Windows by their content.
        whole: Photos as a whole.
        borders: Scale of the map of each local evidence, see `fit_border`: (1 or 2, patch_size + 1), above 0.
    """

    PARTS: ClassVar = {"content": ClusterReference, "whole": WholeReference}
    WEIGHTS: ClassVar[tuple[float, ...]] = (1, 1)

    content: ClusterReference
    whole: WholeReference
    borders: NDArray[np.float32]

    @classmethod
    def positive(cls) -> set[str]:
        """See `NormalReference`."""
        return super().positive() | {"borders"}

    @classmethod
    def fit(cls, scans: Sequence[Scan]) -> Self:
        """Fit to normal photos, at least one; `scaled_by` sets the scale."""
        unscaled = cls(borders=np.ones((len(cls.PARTS) - 1, 1), np.float32), **cls.fit_parts(scans))
        maps = zip(*(unscaled._local_maps(scan) for scan in scans), strict=True)
        reach_px = scans[0].grid.patch_size
        return replace(unscaled, borders=np.stack([fit_border(each, reach_px) for each in maps]))

    def evidence(self, scan: Scan) -> Evidence:
        """See `NormalReference`: one value for each local evidence, then that of the whole photo."""
        maps = [
            divide_by_border(each, border)
            for each, border in zip(self._local_maps(scan), self.borders, strict=True)
        ]
        values = [mean_of_largest(each.reshape(len(each), -1), _TOP) for each in maps]
        values.append(self.whole.distances(scan))
        return Evidence(np.stack(values, axis=1), np.max(maps, axis=0))

    def shapes(self, network: NetworkConfig) -> dict[str, tuple[int, ...]]:
        """See `NormalReference`."""
        return super().shapes(network) | {"borders": (len(self.PARTS) - 1, network.patch_size + 1)}

    def _local_parts(self) -> tuple[ClusterReference | GaussianReference, ...]:
        return (self.content,)

    def _local_maps(self, scan: Scan) -> list[NDArray[np.float32]]:
        """Map of each local evidence (N, H, W), smoothed, at least 0."""
        from scipy.ndimage import gaussian_filter

        sigma = _SMOOTHING * scan.grid.patch_size
        maps = [np.maximum(mean_map(each.window_scores(scan), scan.grid), 0) for each in self._local_parts()]
        return [gaussian_filter(each, (0, sigma, sigma)) for each in maps]


@dataclass(frozen=True)
class AlignedPhotoReference(PhotoReference):
    """All that the calibrated score knows of aligned normal photos.

    Attributes:
        place: Windows by their position.
    """

    PARTS: ClassVar = {"content": ClusterReference, "place": GaussianReference, "whole": WholeReference}
    WEIGHTS: ClassVar[tuple[float, ...]] = (1, 1, 1)

    place: GaussianReference

    def _local_parts(self) -> tuple[ClusterReference | GaussianReference, ...]:
        return (self.content, self.place)
