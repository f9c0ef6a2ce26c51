"""A set of made-up screw holes: normal and defective images with masks, in the layout of MVTec AD."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaead.data.photos.photo import NORMAL, Photo, Photos
from vaead.data.screws.generator import DEFECTS, Screw, make_screw, require_scale, require_whole
from vaead.errors import InvalidInputError

_BLOCKS = {"train/good": (0, 1000), "test/good": (1000, 1000)}
_BLOCKS |= {f"test/{defect}": (2000 + 100 * number, 100) for number, defect in enumerate(DEFECTS)}
"""First index and length of the block of each folder: no image depends on the size of another folder."""
_ALL_BLOCKS = 2000 + 100 * len(DEFECTS)
"""Distance from a block to the next one of the same folder."""


@dataclass(frozen=True)
class ScrewImage:
    """An image of a set; `make` always makes the same.

    Attributes:
        folder: Its folder in the set.
        number: Position in the folder, from 0.
        seed: Seed of the set.
        severity: Severity of the defect; None in a normal image, or to draw it at random.
        scale: 1 makes 640x480 pixels.
    """

    folder: str
    number: int
    seed: int
    severity: float | None
    scale: float

    @property
    def name(self) -> str:
        """Its file in the set."""
        return f"{self.folder}/{self.number:03d}.png"

    @property
    def to_train(self) -> bool:
        """True if it is for training, and not for testing."""
        return self.folder.startswith("train/")

    @property
    def defect(self) -> str:
        """Kind of its defect, 'good' in a normal image."""
        return self.folder.split("/")[1]

    @property
    def mask_name(self) -> str | None:
        """File of its mask, None for a normal image."""
        return None if self.defect == NORMAL else f"ground_truth/{self.defect}/{self.number:03d}_mask.png"

    @property
    def index(self) -> int:
        """Its index, see `make_screw`; no other image of the set has it."""
        first, length = _BLOCKS[self.folder]
        return self.number // length * _ALL_BLOCKS + first + self.number % length

    def make(self) -> Screw:
        """Draw the image and its mask."""
        defect = None if self.defect == NORMAL else self.defect
        return make_screw(self.seed, self.index, defect, self.severity, self.scale)


@dataclass(frozen=True)
class ScrewSet:
    """A set of images of screw holes, each made when it is asked for.

    Iterates the images: normal ones for training, normal ones for testing, then each kind of defect. A file
    is the same however large the set is.

    Attributes:
        seed: Names the set; 0 or more.
        train: Number of normal images for training.
        good: Number of normal images for testing.
        defective: Number of images of each kind of defect.
        severities: Severities of the defects, see `make_screw`; the images of a kind take them in turn.
        scale: 1 makes 640x480 pixels; from 0.2 to 4.

    Raises:
        InvalidInputError: A number is out of its range.
    """

    seed: int = 0
    train: int = 100
    good: int = 20
    defective: int = 10
    severities: tuple[float | None, ...] = (None,)
    scale: float = 1.0

    def __post_init__(self) -> None:
        for name in ("seed", "train", "good", "defective"):
            require_whole(name, getattr(self, name), 0)
        require_scale(self.scale)

    def __iter__(self) -> Iterator[ScrewImage]:
        counts = {"train/good": self.train, "test/good": self.good}
        for folder in _BLOCKS:
            severities = (None,) if folder in counts else self.severities
            for number in range(counts.get(folder, self.defective)):
                severity = severities[number % len(severities)]
                yield ScrewImage(folder, number, self.seed, severity, self.scale)

    def __len__(self) -> int:
        return self.train + self.good + self.defective * len(DEFECTS)

    @cached_property
    def _files(self) -> dict[str, ScrewImage]:
        return {name: image for image in self for name in (image.name, image.mask_name) if name is not None}

    @property
    def photos(self) -> Photos:
        """Images and masks for training and testing, in order; `read` takes their sources."""
        train: list[Photo] = []
        test: list[Photo] = []
        for image in self:
            masks = () if image.mask_name is None else (image.mask_name,)
            photo = Photo(image.name, image.name, image.defect, masks)
            (train if image.to_train else test).append(photo)
        return Photos(tuple(train), tuple(test))

    def read(self, name: str) -> bytes:
        """The PNG of an image, or of a mask: 0, and 255 where the defect is."""
        image = self._files[name]
        screw = _make(image)
        return _png(screw.image if name == image.name else screw.mask.astype(np.uint8) * np.uint8(255))

    def write(self, folder: Path, on_image: Callable[[int, int], None] | None = None) -> None:
        """Write all files.

        Args:
            folder: Where to; absent or empty.
            on_image: Called with the number of images written and of all after each.

        Raises:
            InvalidInputError: There is no image to train on, or the folder is not empty or cannot be written.
        """
        require_whole("train", self.train, 1)
        try:
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise InvalidInputError(
                    f"folder must be empty or new, got {str(folder)!r}; name another one, or empty it"
                )
            for written, image in enumerate(self, start=1):
                for name in filter(None, (image.name, image.mask_name)):
                    file = folder / name
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(self.read(name))
                if on_image is not None:
                    on_image(written, len(self))
        except OSError as error:
            raise InvalidInputError(
                f"folder must be one that can be written, got {str(folder)!r} ({error.strerror or error}); "
                "free some space, change its permissions, or name another folder"
            ) from error


@lru_cache(maxsize=2)  # a mask is read right after its image
def _make(image: ScrewImage) -> Screw:
    return image.make()


def _png(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
