"""The calibrated score of photos: how surprising a photo would be among normal ones.

Up to three kinds of evidence are measured on each photo. Two look for places: cells of windows against
windows of like content (`ClusterReference`), and, where photos are aligned, windows against the same position
(`GaussianReference`). Their maps are in units of normal pixels, and the mean of the largest 1 % of the pixels
counts. The third looks at the photo as a whole (`WholeReference`), and has no map.

Each is put on one scale by held-out normal photos: z is its deviation in spreads, on a logarithmic scale. The
score of a photo is the sum of -log p, where p is the share of normal photos that would be as unusual if z
followed a normal distribution. It is divided by what a photo in the middle of normal ones gets, so that it is
about 1 for normal photos.

Source: the sum of -log p of several tests, as in R. A. Fisher, "Statistical Methods for Research Workers",
1925, section 21.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.border import divide_by_border, fit_border
from vaead.calibration.clusters import ClusterReference
from vaead.calibration.gaussian import GaussianReference
from vaead.calibration.reference import Evidence
from vaead.calibration.robust import median_and_spread
from vaead.calibration.whole import WholeReference
from vaead.config import NetworkConfig
from vaead.scoring.scan import Scan
from vaead.scoring.term_maps import CalibratedScore, mean_map

_SMOOTHING = 1 / 16
"""Standard deviation of the smoothing of maps, as a share of the patch size: half a cell."""
_TOP = 0.01
"""Share of the pixels whose mean is the evidence of a map."""
_LEAST_SPREAD = 0.05
"""Of the logarithm: where normal photos are all alike, 5 % more is no anomaly."""
_LEAST_EVIDENCE = 1e-6
_OWN = ("borders", "middle", "spread")


@dataclass(frozen=True)
class PhotoReference:
    """All that the calibrated score knows of normal photos that are not aligned.

    Attributes:
        content: Windows by their content.
        place: Windows by their position, of photos that are aligned; otherwise None.
        whole: Photos as a whole.
        borders: Scale of the map of each local evidence, see `fit_border`: (1 or 2, patch_size + 1), above 0.
        middle: Median of the logarithm of each evidence, (kinds,).
        spread: Its robust standard deviation, (kinds,), above 0.
    """

    positive: ClassVar[tuple[str, ...]] = (
        *("borders", "spread"),
        *(f"content.{name}" for name in ClusterReference.positive),
        *(f"place.{name}" for name in GaussianReference.positive),
        *(f"whole.{name}" for name in WholeReference.positive),
    )
    _PARTS: ClassVar[dict[str, type[ClusterReference | GaussianReference | WholeReference]]] = {
        "content": ClusterReference,
        "whole": WholeReference,
    }

    content: ClusterReference
    whole: WholeReference
    borders: NDArray[np.float32]
    middle: NDArray[np.float32]
    spread: NDArray[np.float32]
    place: GaussianReference | None = None

    @classmethod
    def fit(cls, scans: Sequence[Scan]) -> Self:
        """Fit to normal photos, at least one; `scaled_by` sets the scale."""
        parts: dict[str, Any] = {name: kind.fit(scans) for name, kind in cls._PARTS.items()}
        kinds, reach_px = len(parts), scans[0].grid.patch_size
        scale = np.zeros(kinds, np.float32), np.ones(kinds, np.float32)
        unscaled = cls(**parts, borders=np.ones((kinds - 1, 1), np.float32), middle=scale[0], spread=scale[1])
        maps = zip(*(unscaled._local_maps(scan) for scan in scans), strict=True)
        return replace(unscaled, borders=np.stack([fit_border(each, reach_px) for each in maps]))

    def scaled_by(self, normal: Sequence[Evidence]) -> Self:
        """The same with the scale of each kind of evidence, from normal photos that were not fitted."""
        logs = np.log(np.concatenate([each.values for each in normal]))
        middle, spread = median_and_spread(logs)
        spread = np.maximum(spread, _LEAST_SPREAD)
        return replace(self, middle=middle.astype(np.float32), spread=spread.astype(np.float32))

    def evidence(self, scan: Scan) -> Evidence:
        """See `NormalReference`: one value for each local evidence, then that of the whole photo."""
        maps = [
            divide_by_border(each, border)
            for each, border in zip(self._local_maps(scan), self.borders, strict=True)
        ]
        values = [*map(_mean_of_top, maps), self.whole.distances(scan)]
        return Evidence(np.maximum(np.stack(values, axis=1), _LEAST_EVIDENCE), np.max(maps, axis=0))

    def calibrated(self, evidence: Evidence) -> CalibratedScore:
        """See `NormalReference`."""
        from scipy.special import log_ndtr

        surprise = -log_ndtr((self.middle - np.log(evidence.values)) / self.spread)
        score = surprise.mean(axis=1) / np.log(2)
        by_whole = surprise.argmax(axis=1) == surprise.shape[1] - 1
        return CalibratedScore(score.astype(np.float32), evidence.maps, by_whole)

    def _local_maps(self, scan: Scan) -> list[NDArray[np.float32]]:
        """Map of each local evidence (N, H, W), smoothed, at least 0."""
        from scipy.ndimage import gaussian_filter

        sigma = _SMOOTHING * scan.grid.patch_size
        parts: list[ClusterReference | GaussianReference] = [self.content]
        if self.place is not None:
            parts.append(self.place)
        maps = [np.maximum(mean_map(part.window_scores(scan), scan.grid), 0) for part in parts]
        return [gaussian_filter(each, (0, sigma, sigma)) for each in maps]

    def arrays(self) -> dict[str, NDArray[np.floating]]:
        """See `NormalReference`."""
        own = {name: getattr(self, name) for name in _OWN}
        parts = {
            f"{part}.{name}": array
            for part in self._PARTS
            for name, array in getattr(self, part).arrays().items()
        }
        return own | parts

    @classmethod
    def array_names(cls) -> tuple[str, ...]:
        """See `NormalReference`."""
        return (
            *_OWN,
            *(f"{part}.{name}" for part, kind in cls._PARTS.items() for name in kind.array_names()),
        )

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Self:
        """See `NormalReference`."""
        fields: dict[str, Any] = {name: arrays[name] for name in _OWN}
        for part, kind in cls._PARTS.items():
            fields[part] = kind.from_arrays({name: arrays[f"{part}.{name}"] for name in kind.array_names()})
        return cls(**fields)

    def shapes(self, network: NetworkConfig) -> dict[str, tuple[int, ...]]:
        """See `NormalReference`."""
        kinds = len(self._PARTS)
        own = {"borders": (kinds - 1, network.patch_size + 1), "middle": (kinds,), "spread": (kinds,)}
        return own | {
            f"{part}.{name}": shape
            for part in self._PARTS
            for name, shape in getattr(self, part).shapes(network).items()
        }


@dataclass(frozen=True)
class AlignedPhotoReference(PhotoReference):
    """All that the calibrated score knows of aligned normal photos: `place` too."""

    _PARTS = PhotoReference._PARTS | {"place": GaussianReference}


def _mean_of_top(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of the largest pixels of each map, (N,)."""
    pixels = maps.reshape(len(maps), -1)
    count = max(1, round(_TOP * pixels.shape[1]))
    return np.asarray(np.partition(pixels, -count, axis=1)[:, -count:].mean(axis=1))
