"""Made-up images of screw holes in metal, with defects and their exact masks.

They stand in for the private images of the paper: monochrome, 640x480, with a plate that is simple
and a thread that is complex.

Source: T. Matsubara, K. Hama, R. Tachibana, K. Uehara, arXiv:1807.05800, its experiment on screw holes.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
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
    _check_whole("seed", seed, 0)
    _check_whole("index", index, 0)
    _check_scale(scale)
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


def write_screws(
    folder: Path,
    seed: int,
    train: int,
    good: int,
    defective: int,
    scale: float,
    on_image: Callable[[int, int], None] | None = None,
) -> None:
    """Write a set of images in the layout of MVTec AD.

    Normal images go to train/good and test/good, others to test/<defect>, their masks (0 and 255) to
    ground_truth/<defect>. No image of one folder has the index of an image of another one, and a file
    is the same however many are written.

    Args:
        folder: Where to; absent or empty.
        seed: Names the set; 0 or more.
        train: Normal images for training, at least 1.
        good: Normal images for testing.
        defective: Images of each kind of defect.
        scale: As for `make_screw`.
        on_image: Called with the number of images written and of all after each.

    Raises:
        InvalidInputError: A number is out of its range, or the folder is not empty or cannot be written.
    """
    _check_whole("seed", seed, 0)
    _check_whole("train", train, 1)
    _check_whole("good", good, 0)
    _check_whole("defective", defective, 0)
    _check_scale(scale)
    plan = list(_plan(train, good, defective))
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InvalidInputError(
                f"folder must be empty or new, got {str(folder)!r}; name another one, or empty it"
            )
        for number, (file, mask_file, index, defect) in enumerate(plan, start=1):
            screw = make_screw(seed, index, defect, scale=scale)
            _write(folder / file, screw.image)
            if mask_file is not None:
                _write(folder / mask_file, screw.mask.astype(np.uint8) * 255)
            if on_image is not None:
                on_image(number, len(plan))
    except OSError as error:
        raise InvalidInputError(
            f"folder must be one that can be written, got {str(folder)!r} ({error.strerror or error}); "
            "free some space, change its permissions, or name another folder"
        ) from error


def _plan(train: int, good: int, defective: int) -> Iterator[tuple[Path, Path | None, int, str | None]]:
    """File, file of the mask, index and defect of each image.

    Each folder takes every seventh index, so that none depends on the number of files in another.
    """
    folders: list[tuple[str, int, str | None]] = [("train/good", train, None), ("test/good", good, None)]
    folders += [(f"test/{defect}", defective, defect) for defect in DEFECTS]
    for place, (folder, count, defect) in enumerate(folders):
        for number in range(count):
            mask_file = None if defect is None else Path("ground_truth", defect, f"{number:03d}_mask.png")
            yield Path(folder, f"{number:03d}.png"), mask_file, number * len(folders) + place, defect


def _write(file: Path, pixels: NDArray[np.uint8]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)


def _random(*names: int) -> np.random.RandomState:
    """Random numbers of their own for each seed, index and stream, or for each seed and stream.

    `RandomState` and not `default_rng`: NumPy promises that its numbers never change.
    """
    return np.random.RandomState(np.random.PCG64(np.random.SeedSequence(names)))


def _focus(grey: Field, blur_px: float) -> Field:
    """What a lens that is not quite sharp makes of a scene (H, W), 0 to 255."""
    blurred: Field = ndimage.gaussian_filter(np.clip(grey, 0, 255), blur_px, truncate=3)
    return blurred


def _expose(grey: Field, noise: Field) -> NDArray[np.uint8]:
    """Add the noise of a sensor, which grows with brightness, and round."""
    noisy = grey + noise * np.sqrt(1.2 + 0.018 * grey)
    return np.clip(np.round(noisy), 0, 255).astype(np.uint8)


def _check_whole(name: str, value: int, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InvalidInputError(
            f"{name} must be a whole number, {least} or more, got {value!r}; choose such a number"
        )


def _check_scale(scale: float) -> None:
    if not 0.2 <= scale <= 4:
        raise InvalidInputError(f"scale must be from 0.2 to 4, got {scale!r}; 1 makes 640x480 pixels")


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
