"""A region of photos that is left out: a clock, a fixture, a bench that changes and means nothing."""

from __future__ import annotations

import zlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vaead.config import Record, require_range
from vaead.errors import InvalidInputError

_MOST_PIXELS = 2**26
_MOST_PACKED_BYTES = 60_000
"""A recipe is handed to other programs on their command line, where it must have room."""
_SIZES_IN_MEMORY = 16
_SAME_SHAPE = 0.05
"""Difference in width up to which photos of one height have the same shape; scaled ones are rounded."""


class IgnoredRegion(Record, frozen=True):
    """Pixels that are left out, drawn on one photo. For photos of other sizes it is resized with them.

    Attributes:
        height: Height of that photo in pixels.
        width: Its width.
        packed: The pixels, one bit each, compressed.
    """

    height: int
    width: int
    packed: bytes

    def __post_init__(self) -> None:
        # A card may come from anywhere.
        require_range("height", self.height, 1, _MOST_PIXELS)
        require_range("width", self.width, 1, _MOST_PIXELS // self.height)
        if len(self.packed) > _MOST_PACKED_BYTES:
            raise InvalidInputError(
                f"region to ignore must have at most {_MOST_PACKED_BYTES:,} bytes when it is packed, got "
                f"{len(self.packed):,}; draw simpler shapes, or a smaller mask"
            )
        _unpacked(self)

    @classmethod
    def from_mask(cls, mask: NDArray[np.bool_]) -> IgnoredRegion:
        """Take a mask (H, W), True where left out.

        Raises:
            InvalidInputError: It is no mask, leaves out nothing or everything, or is too large.

        >>> region = IgnoredRegion.from_mask(np.eye(4, dtype=bool))
        >>> region.pixels((2, 2)).tolist()
        [[True, False], [False, True]]
        """
        if not isinstance(mask, np.ndarray) or mask.ndim != 2 or mask.dtype != np.bool_:
            raise InvalidInputError(
                f"ignored must be an array (H, W) of truth values, got {getattr(mask, 'shape', mask)!r}; "
                "compare the pixels of a mask with a level"
            )
        if not mask.any() or mask.all():
            share = "all" if mask.size and mask.all() else "nothing"
            raise InvalidInputError(
                f"region to ignore must be a part of the photos, got {share} of them; draw it in white on "
                "black, or leave it out"
            )
        return cls(mask.shape[0], mask.shape[1], zlib.compress(np.packbits(mask).tobytes(), 9))

    def pixels(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """True where a photo of this shape (H, W) is left out; each pixel takes the nearest one."""
        return _resized(self, shape)

    def require_size(self, shape: tuple[int, ...], scale: float = 1.0) -> None:
        """Raise InvalidInputError unless it was drawn on photos that have this shape (H, W) after scaling."""
        found = tuple(max(1, round(side * scale)) for side in (self.height, self.width))
        if found != tuple(shape[:2]):
            after = "" if scale == 1 else " after scaling"
            raise InvalidInputError(
                f"region to ignore must be as large as the aligned photos, {shape[1]}x{shape[0]} px{after}, "
                f"got {found[1]}x{found[0]}; draw it on one of these photos"
            )

    def is_stretched(self, shape: tuple[int, int]) -> bool:
        """True if a photo (H, W) is longer or taller in shape than the one that it was drawn on."""
        width = self.width * shape[0] / self.height
        return abs(shape[1] - width) > _SAME_SHAPE * width

    def __or__(self, other: IgnoredRegion) -> IgnoredRegion:
        """Both regions, in the size of this one.

        Raises:
            InvalidInputError: They leave nothing.
        """
        shape = self.height, self.width
        return self.from_mask(self.pixels(shape) | other.pixels(shape))

    def blanked(self, photo: NDArray[np.generic]) -> NDArray[np.generic]:
        """A photo (H, W) or (H, W, channels) with 0 in this region."""
        found = photo.copy()
        found[self.pixels((photo.shape[0], photo.shape[1]))] = 0
        return found


def _unpacked(region: IgnoredRegion) -> NDArray[np.bool_]:
    count = region.height * region.width
    n_bytes = -(-count // 8)
    try:
        packed = zlib.decompressobj().decompress(region.packed, n_bytes + 1)
    except zlib.error:
        packed = b""
    if len(packed) != n_bytes:
        raise InvalidInputError(
            f"packed must hold {region.height}x{region.width} pixels, got other data; draw the region again"
        )
    bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=count)
    return bits.astype(np.bool_).reshape(region.height, region.width)


@lru_cache(_SIZES_IN_MEMORY)
def _resized(region: IgnoredRegion, shape: tuple[int, int]) -> NDArray[np.bool_]:
    mask = _unpacked(region)
    rows, columns = (
        np.minimum(((np.arange(length) + 0.5) * size / length).astype(np.intp), size - 1)
        for length, size in zip(shape, mask.shape, strict=True)
    )
    found: NDArray[np.bool_] = mask[rows[:, None], columns]
    found.flags.writeable = False
    return found
