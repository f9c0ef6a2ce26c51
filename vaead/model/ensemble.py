"""Score images with a trained model: image -> scans -> term maps -> anomaly map -> anomaly score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.clusters import ClusterReference
from vaead.calibration.gaussian import GaussianReference
from vaead.scoring.image_scorer import ImageScorer, Progress, Reconstruction
from vaead.scoring.loss_terms import TERMS
from vaead.scoring.patches import PatchGrid
from vaead.scoring.term_maps import Calibrated, Scan, TermMaps

_CHUNK_WINDOWS = 2**15
"""Windows scanned before the next images follow: enough for all cores, and their features stay small."""


class Member(NamedTuple):
    """A network and how far what it says about an image is from normal."""

    scorer: ImageScorer
    deviation: GaussianReference | ClusterReference


class Ensemble:
    """One or more networks that judge images together.

    The first one gives D, A and M, and with them old and new. The calibrated score is the mean of all.
    """

    def __init__(self, members: Sequence[Member], image_shape: tuple[int, int] | None) -> None:
        """Put networks together.

        Args:
            members: At least one.
            image_shape: Height and width of the images that the deviations were learned from, in pixels; None
                where the deviations are pooled and hold for images of any size.
        """
        self.members = tuple(members)
        self._main = self.members[0].scorer
        self._image_shape = image_shape

    def grid(self, images: NDArray[np.generic]) -> PatchGrid:
        """The windows of old and new in these images."""
        return self._main.grid(images)

    def term_maps(self, images: NDArray[np.generic], on_progress: Progress | None = None) -> TermMaps:
        """D, A, M and the calibrated score.

        Args:
            images: (N, H, W), see `ImageScorer`.
            on_progress: Called now and then with the numbers of windows scanned and in all.

        Raises:
            InvalidInputError: The images are not as the class describes.
        """
        grid = self.grid(images)
        comparable = self._image_shape in (None, images.shape[1:3])
        used = [member for member in self.members if comparable or member.scorer is self._main]
        report = _Report(on_progress, len(images), [member.scorer.grid(images) for member in used])
        terms: dict[str, list[NDArray[np.float32]]] = {name: [] for name in TERMS}
        calibrated = []
        for chunk in _chunks(images, grid):
            scans = [member.scorer.scan(chunk, report.step) for member in used]
            for name, parts in terms.items():
                parts.append(getattr(scans[0], name))
            if comparable:
                calibrated.append(_calibrate(used, scans))
        return TermMaps(
            **{name: np.concatenate(parts) for name, parts in terms.items()},
            grid=grid,
            calibrated=_joined(calibrated) if comparable else None,
        )

    def anomaly_map(self, images: NDArray[np.generic], score: str = "new") -> NDArray[np.float32]:
        """Anomaly maps (N, H, W); see `TermMaps.sum_maps`.

        Raises:
            InvalidInputError: The images are not as `ImageScorer` describes.
            UnknownNameError: There is no such score.
        """
        return self.term_maps(images).sum_maps(score)

    def anomaly_score(self, images: NDArray[np.generic], score: str = "new") -> NDArray[np.float32]:
        """Anomaly scores (N,), higher is more anomalous; see `TermMaps.image_scores`.

        Raises:
            InvalidInputError: The images are not as `ImageScorer` describes.
            UnknownNameError: There is no such score.
        """
        return self.term_maps(images).image_scores(score)

    def reconstruct(self, images: NDArray[np.generic]) -> Reconstruction:
        """What the decoder of the first network makes of a few images.

        Raises:
            InvalidInputError: The images are not as `ImageScorer` describes.
        """
        return self._main.reconstruct(images)


class _Report:
    """Adds up the progress of scans that follow each other."""

    def __init__(self, on_progress: Progress | None, images: int, grids: Sequence[PatchGrid]) -> None:
        self._on_progress = on_progress
        self._total = images * sum(grid.shape[0] * grid.shape[1] for grid in grids)
        self._before = 0

    def step(self, done: int, of: int) -> None:
        if self._on_progress is not None:
            self._on_progress(self._before + done, self._total)
        if done == of:
            self._before += of


def _chunks(images: NDArray[np.generic], grid: PatchGrid) -> Iterator[NDArray[np.generic]]:
    step = max(1, _CHUNK_WINDOWS // (grid.shape[0] * grid.shape[1]))
    for start in range(0, len(images), step):
        yield images[start : start + step]


def _calibrate(members: Sequence[Member], scans: Sequence[Scan]) -> Calibrated:
    return Calibrated.of(
        [
            (member.deviation.window_scores(scan), scan.grid)
            for member, scan in zip(members, scans, strict=True)
        ],
        pooled=members[0].deviation.pooled,
    )


def _joined(parts: Sequence[Calibrated]) -> Calibrated:
    return Calibrated(
        np.concatenate([part.score for part in parts]), np.concatenate([part.map for part in parts])
    )
