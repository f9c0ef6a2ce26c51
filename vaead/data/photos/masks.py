"""True masks: the anomalous pixels of a photo, as people draw them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaead.data.photos.decoding import Samples, read_orientation, upright
from vaead.data.photos.reading import ReadOptions, decoded, scaled
from vaead.data.photos.reasons import Reason, note, refusal
from vaead.data.photos.sources import Source

_LOSSY = ("JPEG", "WebP")
_LOSSY_SHARE = 1 / 8
"""Of white, up to which the compression of a file may have made a black pixel brighter."""
_SHOWN_LEVELS = 6

Named = tuple[Source, str]
"""What to read, and what the user calls it."""


class Mask(NamedTuple):
    """The true mask of a photo.

    Attributes:
        pixels: (H, W), True where anomalous.
        notes: Choices that were made where the files leave one.
    """

    pixels: NDArray[np.bool_]
    notes: tuple[Reason, ...] = ()


def read_mask(
    masks: Sequence[Named], photo: Named, shape: tuple[int, int], options: ReadOptions | None = None
) -> Mask:
    """Read where a photo is anomalous: everything that is not background, whatever its colour.

    Background is black, or transparent where all that can be seen has one colour. With a scale below 1, a
    pixel is anomalous if any of those it replaces is, so that thin defects stay. A mask that was drawn on the
    pixels of the photo as they are stored is turned with the photo.

    Args:
        masks: Files of the mask, at least one; they are joined.
        photo: The photo.
        shape: (H, W) of the photo as `read_photo` returned it.
        options: Those with which the photo was read.

    Raises:
        InvalidInputError: As for `read_photo`, or a mask has another size than the photo.
        DataUnavailableError: A file is there but cannot be read.
    """
    options = options or ReadOptions()
    pixels = np.zeros(shape, np.bool_)
    notes: list[Reason] = []
    photo_source, photo_name = photo
    orientation = read_orientation(photo_source, photo_name, options.limits.image_bytes)
    for source, name in masks:
        found, levels = _anomalous(source, name, options)
        found, turned = _turned(found, orientation, name, shape, options.scale)
        pixels |= _reduce(_reduce(found, shape[0], axis=0), shape[1], axis=1)
        notes += [note("mask_levels", name=name, levels=levels)] if levels else []
        notes += [note("mask_turned", name=name)] if turned else []
    return Mask(pixels, tuple(notes))


def _anomalous(source: Source, name: str, options: ReadOptions) -> tuple[NDArray[np.bool_], str]:
    """Anomalous pixels of one file, and the levels that were taken for them if there is more than one."""
    samples, top, kind = decoded(source, name, ReadOptions(limits=options.limits))
    least = top * _LOSSY_SHARE if kind in _LOSSY else 0
    colors, opacity = samples, None
    if samples.shape[2] in (2, 4):
        colors, opacity = samples[:, :, :-1], samples[:, :, -1]
    if opacity is not None and _is_drawn_in_opacity(colors, opacity):
        colors = opacity[:, :, None]
    found: NDArray[np.bool_] = colors.max(axis=2) > least
    if opacity is not None:
        found &= opacity > 0
    return found, "" if kind in _LOSSY else _levels(colors, found)


def _is_drawn_in_opacity(colors: Samples, opacity: Samples) -> bool:
    """True if some pixels cannot be seen, and all others have one colour."""
    visible = colors[opacity > 0]
    return bool(opacity.min() < opacity.max() and (visible == visible[:1]).all())


def _levels(colors: Samples, found: NDArray[np.bool_]) -> str:
    """The different levels of anomalous pixels as a text; empty if all have the same."""
    levels = np.unique(colors[found], axis=0)
    if len(levels) < 2:
        return ""
    if len(levels) > _SHOWN_LEVELS:
        return f"{len(levels)} from {_level(levels[0])} to {_level(levels[-1])}"
    return ", ".join(map(_level, levels))


def _level(level: NDArray[np.generic]) -> str:
    return str(level[0]) if len(level) == 1 else "#" + "".join(f"{int(value):02x}" for value in level)


def _turned(
    mask: NDArray[np.bool_], orientation: int, name: str, shape: tuple[int, int], scale: float
) -> tuple[NDArray[np.bool_], bool]:
    """The mask as the photo lies, and whether it would have fitted as it was."""
    turned: NDArray[np.bool_] = upright(mask, orientation)
    fits, fits_turned = (
        tuple(scaled(side, scale) for side in each.shape) == tuple(shape) for each in (mask, turned)
    )
    if fits_turned:
        return turned, fits and orientation != 1
    if fits:
        return mask, False
    found = f"{scaled(mask.shape[1], scale)}x{scaled(mask.shape[0], scale)}"
    raise refusal("mask_size", name=name, wanted=f"{shape[1]}x{shape[0]}", found=found)


def _reduce(mask: NDArray[np.bool_], length: int, axis: int) -> NDArray[np.bool_]:
    starts = np.arange(length) * mask.shape[axis] // length
    return np.logical_or.reduceat(mask, starts, axis=axis)
