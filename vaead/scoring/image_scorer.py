"""Scan whole images with an exported network, on all cores and in bounded memory. No TensorFlow."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import cache

import numpy as np
from numpy.typing import NDArray

from vaead.config import NetworkConfig
from vaead.errors import InvalidInputError
from vaead.ignored import IgnoredRegion
from vaead.scoring.decoded import Decoded, DecodedWindow, ScannedWindow
from vaead.scoring.light import Light, measure_light
from vaead.scoring.loss_terms import TERMS
from vaead.scoring.patch_scorer import Named, PatchScorer, batch_size
from vaead.scoring.patches import PatchGrid, extract_windows, unit
from vaead.scoring.scan import Scan
from vaead.scoring.window_terms import pixel_shares, window_terms

_ALONE: ContextVar[bool] = ContextVar("vaead_alone", default=False)

Progress = Callable[[int, int], None]
"""Called with the amounts done and in all."""


class ImageScorer:
    """Scans whole images with a `PatchScorer`.

    Images are arrays (N, H, W), or (N, H, W, 3) for a network that sees colours: uint8, or floating point in
    [0, 1]; H and W at least one patch. Work goes
    in batches of patches over all cores, so memory does not grow with the size of the images beyond the
    arrays passed in and out.

    Attributes:
        config: The network.
        light: Light to which images are brought before a scan; None to leave it as it is.
        ignored: Region of every image that is left out, None for none.
    """

    def __init__(
        self,
        patches: PatchScorer,
        config: NetworkConfig,
        light: Light | None = None,
        ignored: IgnoredRegion | None = None,
    ) -> None:
        self.config = config
        self.light = light
        self.ignored = ignored
        self._patches = patches

    def require_program(self) -> None:
        """Raise ModelFormatError unless the program is that of the network; see `PatchScorer.require`."""
        self._patches.require(self.config)

    def grid(self, images: NDArray[np.generic]) -> PatchGrid:
        """The windows that a scan of these images uses."""
        check_images(images, self.config.channels)
        height, width = images.shape[1:3]
        return PatchGrid(height, width, self.config.patch_size, self.config.stride, self.ignored)

    def scan(
        self, images: NDArray[np.generic], on_progress: Progress | None = None, *, shares: bool = False
    ) -> Scan:
        """Outputs of the network for every window.

        Args:
            images: See the class.
            on_progress: Called now and then with the numbers of windows scanned and in all.
            shares: Also `Scan.shares`.

        Raises:
            InvalidInputError: The images are not as the class describes.
        """
        grid = self.grid(images)
        light, images = measure_light(images, self.ignored), self._evened(images)
        count = len(images) * grid.shape[0] * grid.shape[1]
        found = {name: np.empty(count, np.float32) for name in (*TERMS, "signed_error")}
        found["z_mean"] = np.empty((count, self.config.latent_dim), np.float32)
        side = self.config.cells
        found["cells"] = np.empty((count, side, side), np.float32)
        found["signed_cells"] = np.empty((count, side, side, self.config.channels), np.float32)
        shared = np.empty((count, *self.config.patch_shape), np.float16) if shares and side == 1 else None

        def scan_part(part: slice) -> None:
            windows, decoded = self._decode(images, grid, part)
            for name, values in window_terms(windows, decoded, side).items():
                found[name][part] = values
            if shared is not None:
                shared[part] = pixel_shares(windows, decoded)

        self._run_in_parts(scan_part, count, on_progress)
        shaped = {name: v.reshape(-1, *grid.shape, *v.shape[1:]) for name, v in found.items()}
        if shared is not None:
            shared = shared.reshape(-1, *grid.shape, *shared.shape[1:])
        return Scan(**shaped, light=light, grid=grid, shares=shared)

    def decode(self, images: NDArray[np.generic]) -> Decoded:
        """What the decoder gives for every window of a few images.

        Raises:
            InvalidInputError: The images are not as the class describes.
        """
        grid, images = self.grid(images), self._evened(images)
        count, shape = len(images) * grid.shape[0] * grid.shape[1], self.config.patch_shape
        made = {name: np.empty((count, *shape), np.float32) for name in ("patches", "mu", "sigma2")}

        def decode(part: slice) -> None:
            windows, decoded = self._decode(images, grid, part)
            made["patches"][part] = windows
            for name in ("mu", "sigma2"):
                made[name][part] = decoded[name].reshape(-1, *shape)

        self._run_in_parts(decode, count)
        shaped = {name: values.reshape(-1, *grid.shape, *shape) for name, values in made.items()}
        return Decoded(**shaped, grid=grid)

    def scan_window(self, image: NDArray[np.generic], place: tuple[int, int]) -> ScannedWindow:
        """Outputs of the network for one window, without a scan of the others.

        Args:
            image: (H, W) or (H, W, 3), else as the class describes.
            place: Row and column of the window, see `grid`.

        Raises:
            InvalidInputError: The image is not as described, or has no such window that counts.
        """
        grid = self.grid(image[None])
        number = grid.number(place)
        patch, decoded = self._decode(self._evened(image[None]), grid, slice(number, number + 1))
        found = window_terms(patch, decoded)
        terms = {name: float(found[name][0]) for name in TERMS}
        mu, sigma2 = (decoded[name].reshape(self.config.patch_shape) for name in ("mu", "sigma2"))
        return ScannedWindow(DecodedWindow(patch[0], mu, sigma2), found["z_mean"][0], **terms)

    def _evened(self, images: NDArray[np.generic]) -> NDArray[np.generic]:
        return images if self.light is None else self.light.even(images, self.ignored)

    def _decode(
        self, images: NDArray[np.generic], grid: PatchGrid, part: slice
    ) -> tuple[NDArray[np.float32], Named]:
        """Windows as `extract_windows`, in [0, 1], and what the network makes of them."""
        patches, positions = extract_windows(images, grid, part)
        patches = unit(patches)
        return patches, self._patches.decode(patches, positions)

    def _run_in_parts(
        self, work: Callable[[slice], None], count: int, on_progress: Progress | None = None
    ) -> None:
        """Do the work on patches 0 to count - 1, a batch at a time, on all cores."""
        size = batch_size(self.config.patch_shape)
        parts = [slice(start, min(start + size, count)) for start in range(0, count, size)]
        alone = len(parts) == 1 or _ALONE.get()
        done = map(work, parts) if alone else _workers().map(work, parts)
        for part, _ in zip(parts, done, strict=True):
            if on_progress is not None:
                on_progress(part.stop, count)


@contextlib.contextmanager
def on_one_core() -> Iterator[None]:
    """Leave the other cores alone inside; other processes work there. No number depends on it."""
    token = _ALONE.set(True)
    try:
        yield
    finally:
        _ALONE.reset(token)


def check_images(images: NDArray[np.generic], channels: int) -> None:
    """Raise InvalidInputError unless images are as `ImageScorer` describes."""
    colours = () if channels == 1 else (channels,)
    known = isinstance(images, np.ndarray)
    if not known or images.ndim != 3 + len(colours) or images.shape[3:] != colours or images.size == 0:
        got = images.shape if known else type(images).__name__
        shape = "(N, H, W)" if channels == 1 else f"(N, H, W, {channels})"
        raise InvalidInputError(
            f"images must be an array of shape {shape}, each at least 1, got {got!r}; "
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


@cache
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="vaead-scoring")
