"""Patches of images: random crops to train on, windows to score, and window scores folded into a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from vaead.errors import InvalidInputError
from vaead.ignored import IgnoredRegion

Pixel = TypeVar("Pixel", bound=np.generic)


@dataclass(frozen=True)
class PatchGrid:
    """The square windows that cover an image.

    Windows start every `stride_px` pixels. Where the last step would leave pixels uncovered, one more
    window is put flush with the far border, so every pixel lies in at least one window. Windows that lie
    mostly in an ignored region are left out of everything.

    >>> PatchGrid(height_px=28, width_px=28, patch_size=8, stride=2).shape
    (11, 11)
    """

    height_px: int
    width_px: int
    patch_size: int
    stride: int
    ignored: IgnoredRegion | None = None

    def __post_init__(self) -> None:
        if min(self.height_px, self.width_px) < self.patch_size:
            raise InvalidInputError(
                f"image must be at least {self.patch_size}x{self.patch_size} pixels (one patch), "
                f"got {self.height_px}x{self.width_px}; use a larger image or a model with smaller patches"
            )
        if self.ignored is not None and not self.kept.any():
            raise InvalidInputError(
                "region to ignore must leave a window of the image, got one that lies in the way of all "
                f"{self.kept.size}; draw a smaller region"
            )

    @cached_property
    def kept(self) -> NDArray[np.bool_]:
        """True for windows that count: (rows, cols)."""
        if self.ignored is None:
            return np.ones(self.shape, np.bool_)
        pixels = self.ignored.pixels((self.height_px, self.width_px))
        sums = np.pad(pixels.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
        size, rows, cols = self.patch_size, self.row_starts, self.col_starts
        below, above = sums[rows + size], sums[rows]
        inside = below[:, cols + size] - below[:, cols] - above[:, cols + size] + above[:, cols]
        return np.asarray(2 * inside <= size**2)

    @cached_property
    def blank(self) -> NDArray[np.bool_] | None:
        """True for pixels without a value, (H, W): ignored ones and those under no other window."""
        if self.ignored is None:
            return None
        pixels = self.ignored.pixels((self.height_px, self.width_px))
        return np.asarray(pixels | (coverage(self) == 0))

    @cached_property
    def row_starts(self) -> NDArray[np.intp]:
        """Top pixel row of each row of windows, ascending."""
        return _starts(self.height_px, self.patch_size, self.stride)

    @cached_property
    def col_starts(self) -> NDArray[np.intp]:
        """Left pixel column of each column of windows, ascending."""
        return _starts(self.width_px, self.patch_size, self.stride)

    @cached_property
    def positions(self) -> NDArray[np.float32]:
        """Position of each window in the image, row and column from 0 (first) to 1: (rows, cols, 2)."""
        rows, cols = (
            starts / max(length - self.patch_size, 1)
            for starts, length in ((self.row_starts, self.height_px), (self.col_starts, self.width_px))
        )
        return np.stack(np.meshgrid(rows, cols, indexing="ij"), axis=-1).astype(np.float32)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of window rows and window columns."""
        return len(self.row_starts), len(self.col_starts)

    def number(self, place: tuple[int, int]) -> int:
        """Number of the window in a row and a column, counted row by row.

        Raises:
            InvalidInputError: There is none, or it is left out.
        """
        known = len(place) == 2 and all(isinstance(at, int | np.integer) for at in place)
        if not known or not all(0 <= at < count for at, count in zip(place, self.shape, strict=True)):
            raise InvalidInputError(
                f"window must be a row from 0 to {self.shape[0] - 1} and a column from 0 to "
                f"{self.shape[1] - 1}, got {place!r}; choose one of these"
            )
        if not self.kept[place]:
            raise InvalidInputError(
                f"window must not lie in the region that is left out, got {place!r}; choose another one"
            )
        return int(np.ravel_multi_index(place, self.shape))

    def frame(self, place: tuple[int, int]) -> tuple[int, int, int, int]:
        """Top, left, height and width of a window in pixels."""
        row, column = place
        return int(self.row_starts[row]), int(self.col_starts[column]), self.patch_size, self.patch_size

    def nearest(self, pixel: tuple[float, float]) -> tuple[int, int]:
        """Row and column of the window that counts whose middle is nearest to a pixel (row, column)."""
        rows, cols = (
            np.abs(starts + (self.patch_size - 1) / 2 - at)
            for starts, at in zip((self.row_starts, self.col_starts), pixel, strict=True)
        )
        distances = np.where(self.kept, np.maximum(rows[:, None], cols), np.inf)
        row, column = np.unravel_index(distances.argmin(), self.shape)
        return int(row), int(column)


def _starts(length_px: int, patch_size: int, stride: int) -> NDArray[np.intp]:
    last = length_px - patch_size
    # A stride above the patch size would leave gaps between windows; validated in NetworkConfig.
    return np.unique(np.append(np.arange(0, last + 1, stride), last))


def every_crop(images: NDArray[Pixel], patch_size: int) -> NDArray[Pixel]:
    """Look at every square crop of every image without a copy.

    Args:
        images: (N, H, W) or (N, H, W, channels), any dtype; H and W at least `patch_size`.
        patch_size: Side of a crop in pixels.

    Returns:
        (N, H - patch_size + 1, W - patch_size + 1, patch_size, patch_size[, channels]), a read-only view.
    """
    view: NDArray[Pixel] = sliding_window_view(images, (patch_size, patch_size), axis=(1, 2))
    return view if images.ndim == 3 else np.moveaxis(view, 3, -1)


def random_crops(
    images: NDArray[Pixel] | Sequence[NDArray[Pixel]],
    patch_size: int,
    count: int,
    rng: np.random.Generator,
    ignored: IgnoredRegion | None = None,
) -> tuple[NDArray[Pixel], NDArray[np.float32]]:
    """Draw square crops, every image and every position in it equally likely.

    Args:
        images: (N, H, W) or (N, H, W, channels), any dtype; or a list of images (H, W) or (H, W, channels),
            whose sizes may differ, and whose crops follow each other image by image.
        patch_size: Side of a crop in pixels.
        count: Number of crops, drawn with replacement.
        rng: Source of randomness.
        ignored: Region in which no crop lies mostly.

    Returns:
        The crops (count, patch_size, patch_size[, channels]), dtype of `images`, and where each lies in its
        image (count, 2), as in `PatchGrid.positions`.
    """
    if not isinstance(images, np.ndarray):
        shares = np.bincount(rng.integers(0, len(images), count), minlength=len(images))
        parts = [
            random_crops(image[None], patch_size, int(share), rng, ignored)
            for image, share in zip(images, shares, strict=True)
        ]
        return np.concatenate([crops for crops, _ in parts]), np.concatenate(
            [positions for _, positions in parts]
        )
    crops = every_crop(images, patch_size)
    if ignored is None:
        image, row, col = (rng.integers(0, size, count) for size in crops.shape[:3])
    else:
        rows, cols = np.nonzero(PatchGrid(images.shape[1], images.shape[2], patch_size, 1, ignored).kept)
        image, place = (rng.integers(0, size, count) for size in (len(crops), len(rows)))
        row, col = rows[place], cols[place]
    last = np.maximum(np.array(crops.shape[1:3]) - 1, 1)
    return crops[image, row, col], (np.stack([row, col], axis=-1) / last).astype(np.float32)


def unit(pixels: NDArray[np.generic]) -> NDArray[np.float32]:
    """Pixels of any shape in [0, 1]: bytes are divided by 255, other numbers are there already."""
    scaled = pixels.astype(np.float32)
    return scaled / np.float32(255) if pixels.dtype == np.uint8 else scaled


def extract_windows(
    images: NDArray[Pixel], grid: PatchGrid, part: slice
) -> tuple[NDArray[Pixel], NDArray[np.float32]]:
    """Cut out some of the windows of all images, counted image by image and row by row.

    Args:
        images: (N, H, W) or (N, H, W, channels) with H and W as in `grid`.
        part: Numbers of the first window and of the one after the last.

    Returns:
        The windows (n, patch_size, patch_size[, channels]), and where each lies in its image (n, 2), see
        `PatchGrid.positions`.
    """
    image, row, col = np.unravel_index(np.arange(part.start, part.stop), (len(images), *grid.shape))
    crops = every_crop(images, grid.patch_size)
    return crops[image, grid.row_starts[row], grid.col_starts[col]], grid.positions[row, col]


def fold_scores(scores: NDArray[np.floating | np.bool_], grid: PatchGrid) -> NDArray[np.float32]:
    """Add each window's score to all the pixels the window covers.

    Args:
        scores: (N, rows, cols), one score a window; or (N, rows, cols, cells, cells), one for each of the
            equal cells into which a window is split, where `cells` divides the patch size.

    Returns:
        (N, H, W): for each pixel the sum over the windows, or cells, that cover it.

    Source: the map of the tutorial on arXiv:1807.05800.
    """
    cells = scores.shape[3] if scores.ndim == 5 else 1
    height, width = grid.shape
    in_rows = scores.reshape(-1, height, width, cells, cells).swapaxes(2, 3)
    folded = in_rows.reshape(-1, height * cells, width * cells).astype(np.float32)
    side = grid.patch_size // cells
    # A cell covers a range of rows and a range of columns, so one follows the other. Not as products with 0/1
    # matrices, whose last digit depends on the number of threads.
    for starts, length_px in ((grid.row_starts, grid.height_px), (grid.col_starts, grid.width_px)):
        first = (starts[:, None] + side * np.arange(cells)).ravel()
        total = np.zeros((len(folded), length_px, folded.shape[2]), np.float32)
        for index, start in enumerate(first):
            total[:, start : start + side] += folded[:, index, None]
        folded = total.swapaxes(1, 2)
    return np.ascontiguousarray(folded)


def coverage(grid: PatchGrid) -> NDArray[np.float32]:
    """Count the windows over each pixel that are kept: (H, W), every entry at least 1 if all are."""
    count: NDArray[np.float32] = fold_scores(grid.kept[None], grid)[0]
    return count


def average_windows(windows: NDArray[np.floating], grid: PatchGrid) -> NDArray[np.float32]:
    """Put overlapping windows back into images, averaging where they overlap.

    Args:
        windows: (N, rows, cols, patch_size, patch_size[, channels]).

    Returns:
        (N, H, W[, channels]).
    """
    size = grid.patch_size
    shape = (len(windows), grid.height_px, grid.width_px, *windows.shape[5:])
    total: NDArray[np.float32] = np.zeros(shape, np.float32)
    for i, top in enumerate(grid.row_starts):
        for j, left in enumerate(grid.col_starts):
            total[:, top : top + size, left : left + size] += windows[:, i, j]
    covered = coverage(grid)
    return total / (covered if total.ndim == 3 else covered[..., None])
