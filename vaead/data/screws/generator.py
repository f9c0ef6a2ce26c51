"""Made-up images of screw holes in metal, with defects and their exact masks.

They stand in for the private images of the paper: monochrome, 640x480, with a plate that is simple
and a thread that is complex.

Source: T. Matsubara, K. Hama, R. Tachibana, K. Uehara, arXiv:1807.05800, its experiment on screw holes.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vaead.data.screws.defects import DRAW
from vaead.data.screws.plate import Field
from vaead.data.screws.scene import make_scene
from vaead.errors import InvalidInputError, UnknownNameError

DEFECTS: tuple[str, ...] = tuple(DRAW)

_VISIBLE = 3.0  # grey levels; the camera's noise has a standard deviation of about 2
_SCENE, _CAMERA, _FIRST_DEFECT = 0, 1, 2  # independent streams of random numbers of one image
_WORKSHOP = 2**32 - 1  # and one for all images of a seed; no image has such an index


@dataclass(frozen=True, eq=False)
class Screw:
    """An image of a screw hole.

    Attributes:
        image: (H, W), 0 (black) to 255 (white).
        mask: (H, W), True where a defect can be seen; all False in a normal image.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.bool_]


def make_screw(
    seed: int, index: int, defect: str | None = None, severity: float | None = None, scale: float = 1.0
) -> Screw:
    """Make one image of a screw hole.

    The same arguments always give the same image. Outside its mask, an image with a defect equals
    the normal image of the same seed, index and scale.

    Args:
        seed: Names a set of images of one kind of part, under one lamp; 0 or more.
        index: Names an image of the set; 0 or more.
        defect: One of `DEFECTS`, or None for a normal image.
        severity: From 0 (just visible at a quarter of the size) to 1 (obvious); drawn at random unless given.
        scale: 1 makes 640x480 pixels; from 0.2 to 4.

    Returns:
        The image, of round(480 scale) rows and round(640 scale) columns, and its mask.

    Raises:
        InvalidInputError: A number is out of its range, or a severity was given without a defect.
        UnknownNameError: There is no such defect.

    >>> make_screw(seed=0, index=0, scale=0.2).image.shape
    (96, 128)
    """
    require_whole("seed", seed, 0)
    require_whole("index", index, 0)
    require_scale(scale)
    _check_defect(defect, severity)
    scene = make_scene(_random(seed, _WORKSHOP), _random(seed, index, _SCENE), scale)
    camera = _random(seed, index, _CAMERA)
    blur_px = camera.uniform(0.55, 0.85)
    normal = _focus(scene.grey, blur_px)
    noise = camera.standard_normal(normal.shape)
    if defect is None:
        return Screw(_expose(normal, noise), np.zeros(normal.shape, dtype=np.bool_))
    random = _random(seed, index, _FIRST_DEFECT + DEFECTS.index(defect))
    drawn = random.uniform()  # drawn in any case, so that what follows does not depend on the argument
    changed = _focus(DRAW[defect](scene, random, drawn if severity is None else severity), blur_px)
    mask = np.abs(changed - normal) >= _VISIBLE
    mask |= ndimage.binary_closing(mask)  # a pixel amid a defect belongs to it, whatever its grey
    return Screw(_expose(np.where(mask, changed, normal), noise), mask)


def require_whole(name: str, value: int, least: int) -> None:
    """Raise InvalidInputError unless a value is a whole number, and not too small."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InvalidInputError(
            f"{name} must be a whole number, {least} or more, got {value!r}; choose such a number"
        )


def require_scale(scale: float) -> None:
    """Raise InvalidInputError unless `make_screw` can make images of that scale."""
    if not 0.2 <= scale <= 4:
        raise InvalidInputError(f"scale must be from 0.2 to 4, got {scale!r}; 1 makes 640x480 pixels")


def _random(*names: int) -> np.random.RandomState:
    """Random numbers of their own for each seed, index and stream, or for each seed and stream.

    `RandomState` and not `default_rng`: NumPy promises that its numbers never change.
    """
    return np.random.RandomState(np.random.PCG64(np.random.SeedSequence(names)))


def _focus(grey: Field, blur_px: float) -> Field:
    """Blur a scene (H, W), 0 to 255, as a lens that is slightly out of focus."""
    blurred: Field = ndimage.gaussian_filter(np.clip(grey, 0, 255), blur_px, truncate=3)
    return blurred


def _expose(grey: Field, noise: Field) -> NDArray[np.uint8]:
    """Add the noise of a sensor, which grows with brightness, and round."""
    noisy = grey + noise * np.sqrt(1.2 + 0.018 * grey)
    return np.clip(np.round(noisy), 0, 255).astype(np.uint8)


def _check_defect(defect: str | None, severity: float | None) -> None:
    if defect is not None and defect not in DEFECTS:
        raise UnknownNameError(
            f"defect must be one of {', '.join(DEFECTS)}, got {defect!r}; choose one of these"
        )
    if severity is None:
        return
    if defect is None:
        raise InvalidInputError(
            f"severity must be left out of a normal image, got {severity!r}; name a defect"
        )
    if math.isnan(severity) or not 0 <= severity <= 1:
        raise InvalidInputError(f"severity must be from 0 to 1, got {severity!r}; 1 is obvious")
