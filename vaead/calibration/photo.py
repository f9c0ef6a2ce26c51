"""The calibrated score of photos.

Up to three kinds of evidence are measured on each photo, and combined (`CombinedReference`). Two look for
places: cells of windows against windows of like content (`ClusterReference`), and, where photos are aligned,
windows against the same position (`GaussianReference`). Their maps are in units of normal pixels, and the
mean of the largest 0.1 % of the pixels counts. The third looks at the photo as a whole (`WholeReference`),
and has no map. Each is put on the scale of normal photos of the same kind (`vaead.calibration.kinds`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.border import MOST_MAPS, divide_by_border, fit_border
from vaead.calibration.clusters import ClusterReference, nearest
from vaead.calibration.combined import CombinedReference, logarithms
from vaead.calibration.gaussian import GaussianReference
from vaead.calibration.kinds import find_kinds, fit_scale
from vaead.calibration.reference import Evidence
from vaead.calibration.whole import WholeReference
from vaead.config import NetworkConfig
from vaead.scoring.patches import PatchGrid
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
        kinds: Centers of the kinds of photos, (kinds, latent_dim). Each kind has a middle of its own:
            `middle` is (kinds, evidences).
    """

    PARTS: ClassVar = {"content": ClusterReference, "whole": WholeReference}
    WEIGHTS: ClassVar[tuple[float, ...]] = (1, 1)

    content: ClusterReference
    whole: WholeReference
    borders: NDArray[np.float32]
    kinds: NDArray[np.float32]

    @property
    def n_kinds(self) -> int:
        """See `NormalReference`."""
        return len(self.kinds)

    @classmethod
    def positive(cls) -> set[str]:
        """See `NormalReference`."""
        return super().positive() | {"borders"}

    @classmethod
    def fit_variants(cls, scans: Sequence[Scan]) -> list[Self]:
        """See `NormalReference`: they differ in what groups of windows take from all windows."""
        others: dict[str, Any] = {
            name: kind.fit(scans) for name, kind in cls.PARTS.items() if name != "content"
        }
        borders = np.ones((len(cls.PARTS) - 1, 1), np.float32)
        variants = [
            cls(content=content, borders=borders, **others, **cls.no_scale(), kinds=content.centers[:1])
            for content in ClusterReference.fit_variants(scans)
        ]
        some = [(scan, variants[0]._common(scan)) for scan in scans[:MOST_MAPS]]
        return [each._with_borders(some) for each in variants]

    def _with_borders(self, some: Sequence[tuple[Scan, _Common]]) -> Self:
        maps = zip(*(self._local_maps(scan, common) for scan, common in some), strict=True)
        reach_px = some[0][0].grid.patch_size
        return replace(self, borders=np.stack([fit_border(each, reach_px) for each in maps]))

    @classmethod
    def no_scale(cls) -> dict[str, Any]:
        """See `CombinedReference`: one kind."""
        scale = super().no_scale()
        return scale | {"middle": scale["middle"][None]}

    def scaled_by(self, normal: Sequence[Evidence]) -> Self:
        """See `NormalReference`."""
        logs, content = logarithms(normal), np.concatenate([each.content for each in normal])
        kinds = find_kinds(content, logs)
        middle, spread = fit_scale(logs, nearest(content, kinds))
        return replace(self, kinds=kinds, middle=middle, spread=spread)

    def _deviations(self, evidence: Evidence) -> NDArray[np.float32]:
        kind = nearest(evidence.content, self.kinds)
        return np.asarray((logarithms([evidence]) - self.middle[kind]) / self.spread)

    def evidence(self, scan: Scan) -> Evidence:
        """See `NormalReference`: one value for each local evidence, then that of the whole photo."""
        return self._evidence(scan, self._common(scan))

    @classmethod
    def evidence_of(cls, variants: Sequence[Self], scan: Scan) -> list[Evidence]:
        """See `NormalReference`; what the variants have in common is computed once."""
        common = variants[0]._common(scan)
        return [each._evidence(scan, common) for each in variants]

    def _evidence(self, scan: Scan, common: _Common) -> Evidence:
        maps = [
            divide_by_border(each, border)
            for each, border in zip(self._local_maps(scan, common), self.borders, strict=True)
        ]
        seen = np.s_[:] if scan.grid.blank is None else ~scan.grid.blank.ravel()
        values = [mean_of_largest(each.reshape(len(each), -1)[:, seen], _TOP) for each in maps]
        values.append(common.distances)
        return Evidence(np.stack(values, axis=1), np.max(maps, axis=0), scan.content)

    def _common(self, scan: Scan) -> _Common:
        maps = [_map(each.window_scores(scan), scan.grid) for each in self._by_place()]
        return _Common(nearest(scan.z_mean, self.content.centers), maps, self.whole.distances(scan))

    def _by_place(self) -> tuple[GaussianReference, ...]:
        return ()

    def _local_maps(self, scan: Scan, common: _Common) -> list[NDArray[np.float32]]:
        """Map of each local evidence (N, H, W), smoothed, at least 0."""
        return [_map(self.content.cell_scores(scan, common.group), scan.grid), *common.maps]

    def shapes(self, network: NetworkConfig) -> dict[str, tuple[int, ...]]:
        """See `NormalReference`."""
        kinds, evidences = max(1, self.kinds.shape[0]), len(self.PARTS)
        return super().shapes(network) | {
            "borders": (evidences - 1, network.patch_size + 1),
            "kinds": (kinds, network.latent_dim),
            "middle": (kinds, evidences),
        }


class _Common(NamedTuple):
    """What does not differ between variants: groups of windows, maps by place, distances of whole photos."""

    group: NDArray[np.intp]
    maps: list[NDArray[np.float32]]
    distances: NDArray[np.float32]


def _map(scores: NDArray[np.float32], grid: PatchGrid) -> NDArray[np.float32]:
    """The map (N, H, W) of windows or cells, smoothed, at least 0; NaN where all are left out."""
    from scipy.ndimage import gaussian_filter

    sigma = _SMOOTHING * grid.patch_size
    values = np.maximum(np.nan_to_num(mean_map(scores, grid), nan=0), 0)
    smooth: NDArray[np.float32] = gaussian_filter(values, (0, sigma, sigma))
    if grid.blank is not None:
        smooth[:, grid.blank] = np.nan
    return smooth


@dataclass(frozen=True)
class AlignedPhotoReference(PhotoReference):
    """All that the calibrated score knows of aligned normal photos.

    Attributes:
        place: Windows by their position.
    """

    PARTS: ClassVar = {"content": ClusterReference, "place": GaussianReference, "whole": WholeReference}
    WEIGHTS: ClassVar[tuple[float, ...]] = (1, 1, 1)

    place: GaussianReference

    def _by_place(self) -> tuple[GaussianReference, ...]:
        return (self.place,)
