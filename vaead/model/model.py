"""A trained model: images -> scans of each network -> term maps -> anomaly maps and anomaly scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.reference import NormalReference
from vaead.config import NetworkConfig
from vaead.ignored import IgnoredRegion
from vaead.model.card import ModelCard
from vaead.model.kept_windows import KeptWindows
from vaead.scoring.decoded import Reconstruction
from vaead.scoring.image_scorer import ImageScorer, Progress
from vaead.scoring.light import Light
from vaead.scoring.loss_terms import TERMS
from vaead.scoring.patch_scorer import PatchScorer
from vaead.scoring.patches import PatchGrid
from vaead.scoring.scan import Scan
from vaead.scoring.term_maps import CalibratedScore, TermMaps

_CHUNK_WINDOWS = 2**15
"""Windows scanned before the next images follow: enough for all cores, and their features stay small."""


class TrainedNetwork:
    """One network of a model.

    Attributes:
        program: Exported network, see `vaead.training.export.to_litert`.
        reference: Normal windows that its outputs are compared with.
        scorer: Scans images with it.
    """

    def __init__(
        self,
        config: NetworkConfig,
        program: bytes,
        reference: NormalReference,
        light: Light | None = None,
        ignored: IgnoredRegion | None = None,
    ) -> None:
        self.program = program
        self.reference = reference
        self.scorer = ImageScorer(PatchScorer(program), config, light, ignored)

    def leaving_out(self, ignored: IgnoredRegion) -> TrainedNetwork:
        """The same network, which leaves out another region, too."""
        other = copy(self)
        other.scorer = copy(self.scorer)
        other.scorer.ignored = ignored if self.scorer.ignored is None else ignored | self.scorer.ignored
        return other

    def with_reference(self, reference: NormalReference) -> TrainedNetwork:
        """The same network, compared with other normal windows."""
        other = copy(self)
        other.reference = reference
        return other

    def calibrated(self, scan: Scan) -> CalibratedScore:
        """Calibrated score of images that the scorer has scanned."""
        from threadpoolctl import threadpool_limits

        # Other threads of BLAS would turn idly for a while before they sleep, and slow the next scan.
        with threadpool_limits(1, "blas"):
            return self.reference.calibrated(self.reference.evidence(scan))


class Model:
    """One or more networks that score images together, and how they were made.

    The first network gives D, A and M, and with them old and new. The calibrated score is the mean of all.

    Attributes:
        card: Its origin and its normal scores.
        networks: One for each network of its recipe.
        windows: Normal windows that windows of images can be compared with; None if it keeps none.
    """

    def __init__(
        self, card: ModelCard, networks: Sequence[TrainedNetwork], windows: KeptWindows | None = None
    ) -> None:
        self.card = card
        self.networks = tuple(networks)
        self.windows = windows

    def leaving_out(self, ignored: IgnoredRegion | None) -> Model:
        """The same model, which leaves out another region, too. Thresholds stay those of its calibration.

        Raises:
            InvalidInputError: The model is of images of one size and the region of another, or it leaves no
                window.
        """
        if ignored is None:
            return self
        if self.card.image_shape is not None:
            ignored.require_size(self.card.image_shape, self.card.recipe.source.scale)
        found = Model(self.card, [network.leaving_out(ignored) for network in self.networks], self.windows)
        scale = self.card.recipe.source.scale
        height, width = (max(1, round(side * scale)) for side in (ignored.height, ignored.width))
        for network in found.networks:
            config = network.scorer.config
            # A mask that is smaller than a patch tells nothing; photos may be larger.
            if min(height, width) >= config.patch_size:
                PatchGrid(height, width, config.patch_size, config.stride, network.scorer.ignored)
        return found

    @property
    def ignored(self) -> IgnoredRegion | None:
        """Region that is left out of all images; None for none."""
        return self.networks[0].scorer.ignored

    def blanked(self, image: NDArray[np.generic]) -> NDArray[np.generic]:
        """An image (H, W) or (H, W, channels) with 0 in the region that is left out."""
        return image if self.ignored is None else self.ignored.blanked(image)

    def grid(self, images: NDArray[np.generic]) -> PatchGrid:
        """Windows of old and new in these images."""
        return self.networks[0].scorer.grid(images)

    def term_maps(self, images: NDArray[np.generic], on_progress: Progress | None = None) -> TermMaps:
        """D, A, M and the calibrated score with its map.

        Args:
            images: (N, H, W), see `ImageScorer`.
            on_progress: Called now and then with the numbers of windows scanned and in all.

        Raises:
            InvalidInputError: The images are not as `ImageScorer` describes.
        """
        return self._terms(images, on_progress, shares=True)

    def image_scores(
        self, images: NDArray[np.generic], on_progress: Progress | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """Anomaly scores (N,) by name, in half the time of `term_maps` where no map is wanted."""
        terms = self._terms(images, on_progress, shares=False)
        return {score: terms.image_scores(score) for score in terms.scores}

    def _terms(self, images: NDArray[np.generic], on_progress: Progress | None, *, shares: bool) -> TermMaps:
        grid = self.grid(images)
        comparable = self.card.image_shape in (None, images.shape[1:3])
        networks = self.networks if comparable else self.networks[:1]
        progress = _SumOfProgress(on_progress, len(images), [each.scorer.grid(images) for each in networks])
        terms: dict[str, list[NDArray[np.float32]]] = {name: [] for name in TERMS}
        calibrated = []
        for chunk in _chunks(images, grid):
            scans = [network.scorer.scan(chunk, progress.step, shares=shares) for network in networks]
            for name, parts in terms.items():
                parts.append(getattr(scans[0], name))
            if comparable:
                scores = [network.calibrated(scan) for network, scan in zip(networks, scans, strict=True)]
                calibrated.append(CalibratedScore.average(scores))
        return TermMaps(
            **{name: np.concatenate(parts) for name, parts in terms.items()},
            grid=grid,
            calibrated=CalibratedScore.concatenate(calibrated) if comparable else None,
        )

    def anomaly_map(self, images: NDArray[np.generic], score: str = "calibrated") -> NDArray[np.float32]:
        """Anomaly maps (N, H, W): for each pixel the mean of the windows over it, in the unit of windows.

        Raises:
            InvalidInputError: The images are not as `ImageScorer` describes.
            UnknownNameError: There is no such score.
        """
        return self.term_maps(images).anomaly_maps(score)

    def sum_map(self, images: NDArray[np.generic], score: str = "calibrated") -> NDArray[np.float32]:
        """As `anomaly_map`, with the sum of the windows over each pixel; see `TermMaps.sum_maps`."""
        return self.term_maps(images).sum_maps(score)

    def anomaly_score(self, images: NDArray[np.generic], score: str = "calibrated") -> NDArray[np.float32]:
        """Anomaly scores (N,), higher is more anomalous; see `TermMaps.image_scores`.

        Raises:
            InvalidInputError: The images are not as `ImageScorer` describes.
            UnknownNameError: There is no such score.
        """
        return self._terms(images, None, shares=False).image_scores(score)

    def reconstruct(self, images: NDArray[np.generic]) -> Reconstruction:
        """Means and variances that the decoder of the first network gives for a few images.

        Raises:
            InvalidInputError: The images are not as `ImageScorer` describes.
        """
        return self.networks[0].scorer.decode(images).reconstruct()


class _SumOfProgress:
    """Progress over scans that follow each other."""

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
