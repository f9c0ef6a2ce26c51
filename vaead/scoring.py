"""Score images with a trained model: image -> term maps -> anomaly map -> anomaly score. No TensorFlow."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from vaead.config import ModelConfig, PatchGrid
from vaead.errors import InvalidInputError, ModelFormatError, UnknownNameError
from vaead.patches import average_windows, extract_windows, fold_scores
from vaead.terms import SCORES, TERMS

_BATCH = 512
"""Patches a call: the activations of so many small ones still fit into the processor's cache."""
_BATCH_PIXELS = 2**20
"""Pixels a call at most, so that memory stays bounded with large patches."""


Named = dict[str, NDArray[np.float32]]
"""Arrays by name, one row a patch."""


class PatchScorer:
    """Runs an exported network on patches, from any number of threads.

    A LiteRT interpreter serves one thread at a time, so idle ones wait in a pool and a new one is made
    when none is idle.
    """

    def __init__(self, program: bytes) -> None:
        """Load a program made by `vaead.export.to_litert`.

        Raises:
            ModelFormatError: The bytes are not such a program.
        """
        self._program = program
        self._idle: queue.SimpleQueue[Interpreter] = queue.SimpleQueue()
        try:
            interpreter = Interpreter(model_content=program, num_threads=1)
            signatures = interpreter.get_signature_list()
        except (ValueError, RuntimeError) as error:
            raise ModelFormatError(
                "scorer.tflite must be a LiteRT program, got a file that cannot be read; "
                "train the model again"
            ) from error
        if not {"terms", "decode"} <= set(signatures):
            raise ModelFormatError(
                f"scorer.tflite must have the signatures terms and decode, got {sorted(signatures)}; "
                "train the model again"
            )
        self._inputs = signatures["terms"]["inputs"]
        self._idle.put(interpreter)

    def terms(self, patches: NDArray[np.float32], positions: NDArray[np.float32]) -> Named:
        """Compute D, A and M of patches.

        Args:
            patches: (n, patch_size, patch_size) in [0, 1].
            positions: (n, 2), where each lies in its image, see `PatchGrid.positions`.

        Returns:
            Each term by name, (n,), in nats.
        """
        return self._run("terms", patches, positions)

    def decode(self, patches: NDArray[np.float32], positions: NDArray[np.float32]) -> Named:
        """Compute what the network makes of patches; the arguments are those of `terms`.

        Returns:
            mu, sigma2 (n, pixels) and z_mean, z_log_var (n, latent_dim).
        """
        return self._run("decode", patches, positions)

    def _run(self, signature: str, patches: NDArray[np.float32], positions: NDArray[np.float32]) -> Named:
        try:
            interpreter = self._idle.get_nowait()
        except queue.Empty:
            interpreter = Interpreter(model_content=self._program, num_threads=1)
        try:
            run = interpreter.get_signature_runner(signature)
            inputs = {"patches": patches, "positions": positions}
            result: Named = run(**{name: inputs[name] for name in self._inputs})
            return result
        finally:
            self._idle.put(interpreter)


@dataclass(frozen=True)
class TermMaps:
    """D, A and M of every window of every image, each (N, rows, cols) in nats.

    Attributes:
        grid: Where the windows lie.
    """

    kl: NDArray[np.float32]
    log_variance: NDArray[np.float32]
    mahalanobis: NDArray[np.float32]
    grid: PatchGrid

    def windows(self, score: str) -> NDArray[np.float32]:
        """Score of every window.

        Args:
            score: "old" (D + A + M), "new" (M), or the name of one term.

        Returns:
            (N, rows, cols), in nats.

        Raises:
            UnknownNameError: There is no such score.
        """
        if score == "old":
            return self.kl + self.log_variance + self.mahalanobis
        if score == "new":
            return self.mahalanobis
        if score in TERMS:
            term: NDArray[np.float32] = getattr(self, score)
            return term
        raise UnknownNameError(
            f"score must be one of {', '.join((*SCORES, *TERMS))}, got {score!r}; choose one of these"
        )

    def maps(self, score: str) -> NDArray[np.float32]:
        """Anomaly maps (N, H, W): for each pixel the sum of the scores of the windows over it, in nats."""
        return fold_scores(self.windows(score), self.grid)

    def image_scores(self, score: str) -> NDArray[np.float32]:
        """Anomaly scores (N,): the largest window of each image, in nats.

        Source: arXiv:1807.05800, section 4: an image is anomalous if at least one patch is.
        """
        largest: NDArray[np.float32] = self.windows(score).max(axis=(1, 2))
        return largest


@dataclass(frozen=True)
class Reconstruction:
    """What the decoder makes of images, averaged where windows overlap; each (N, H, W).

    Attributes:
        mu: Predicted mean, in [0, 1].
        sigma2: Predicted variance.
    """

    mu: NDArray[np.float32]
    sigma2: NDArray[np.float32]


class ImageScorer:
    """Scans whole images with a `PatchScorer`.

    Images are arrays (N, H, W): uint8, or floating point in [0, 1]; H and W at least one patch. Work goes
    in batches of patches over all cores, so memory does not grow with the size of the images beyond the
    arrays passed in and out.
    """

    def __init__(self, patches: PatchScorer, config: ModelConfig) -> None:
        self.config = config
        self._patches = patches

    def grid(self, images: NDArray[np.generic]) -> PatchGrid:
        """The windows that a scan of these images uses."""
        _check_images(images)
        return PatchGrid(images.shape[1], images.shape[2], self.config.patch_size, self.config.stride)

    def term_maps(
        self, images: NDArray[np.generic], on_progress: Callable[[int, int], None] | None = None
    ) -> TermMaps:
        """D, A and M of every window.

        Args:
            images: See the class.
            on_progress: Called now and then with the numbers of windows scored and in all.

        Raises:
            InvalidInputError: The images are not as the class describes.
        """
        grid = self.grid(images)
        count = len(images) * grid.shape[0] * grid.shape[1]
        terms = {name: np.empty(count, np.float32) for name in TERMS}

        def score(part: slice) -> None:
            for name, values in self._patches.terms(*_unit_windows(images, grid, part)).items():
                terms[name][part] = values

        self._run_in_parts(score, count, on_progress)
        return TermMaps(**{name: v.reshape(-1, *grid.shape) for name, v in terms.items()}, grid=grid)

    def anomaly_map(self, images: NDArray[np.generic], score: str = "new") -> NDArray[np.float32]:
        """Anomaly maps (N, H, W) in nats; see `TermMaps.maps`.

        Raises:
            InvalidInputError: The images are not as the class describes.
            UnknownNameError: There is no such score.
        """
        return self.term_maps(images).maps(score)

    def anomaly_score(self, images: NDArray[np.generic], score: str = "new") -> NDArray[np.float32]:
        """Anomaly scores (N,) in nats, higher is more anomalous; see `TermMaps.image_scores`.

        Raises:
            InvalidInputError: The images are not as the class describes.
            UnknownNameError: There is no such score.
        """
        return self.term_maps(images).image_scores(score)

    def reconstruct(self, images: NDArray[np.generic]) -> Reconstruction:
        """What the decoder makes of a few images.

        Raises:
            InvalidInputError: The images are not as the class describes.
        """
        grid = self.grid(images)
        size = self.config.patch_size
        shape = (len(images), *grid.shape, size, size)
        count = len(images) * grid.shape[0] * grid.shape[1]
        made = {name: np.empty((count, size, size), np.float32) for name in ("mu", "sigma2")}

        def decode(part: slice) -> None:
            decoded = self._patches.decode(*_unit_windows(images, grid, part))
            for name, values in made.items():
                values[part] = decoded[name].reshape(-1, size, size)

        self._run_in_parts(decode, count)
        return Reconstruction(**{name: average_windows(v.reshape(shape), grid) for name, v in made.items()})

    def _run_in_parts(
        self, work: Callable[[slice], None], count: int, on_progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Do the work on patches 0 to count - 1, a batch at a time, on all cores."""
        size = max(1, min(_BATCH, _BATCH_PIXELS // self.config.patch_size**2))
        parts = [slice(start, min(start + size, count)) for start in range(0, count, size)]
        if len(parts) == 1:
            work(parts[0])
            return
        for part, _ in zip(parts, _workers().map(work, parts), strict=True):
            if on_progress is not None:
                on_progress(part.stop, count)


def _check_images(images: NDArray[np.generic]) -> None:
    if not isinstance(images, np.ndarray) or images.ndim != 3 or images.size == 0:
        got = images.shape if isinstance(images, np.ndarray) else type(images).__name__
        raise InvalidInputError(
            f"images must be an array of shape (N, H, W), each at least 1, got {got!r}; "
            "for one image pass image[None]"
        )
    if images.dtype != np.uint8 and not np.issubdtype(images.dtype, np.floating):
        raise InvalidInputError(
            f"images must be uint8 or floating point, got {str(images.dtype)!r}; convert them with astype"
        )
    low, high = float(images.min()), float(images.max())
    if images.dtype != np.uint8 and not (low >= 0.0 and high <= 1.0):  # a NaN is neither
        raise InvalidInputError(
            f"images must hold values from 0 to 1 and no NaN, got {low:g} to {high:g}; "
            "divide 8-bit values by 255 or pass them as uint8"
        )


def _unit_windows(
    images: NDArray[np.generic], grid: PatchGrid, part: slice
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """As `extract_windows`, with pixels in [0, 1]."""
    pixels, positions = extract_windows(images, grid, part)
    scaled = pixels.astype(np.float32)
    return scaled / np.float32(255) if pixels.dtype == np.uint8 else scaled, positions


@cache
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="vaead-scoring")
