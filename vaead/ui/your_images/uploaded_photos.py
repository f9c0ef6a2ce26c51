"""Images of a visitor, in the visitor's own folder, each decoded once when it is uploaded."""

from __future__ import annotations

import io
import statistics
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaead.data.photos import (
    Limits,
    Photo,
    Photos,
    ReadOptions,
    Rejected,
    check_amount,
    open_zip,
    pixel_digest,
    read_mask,
    read_photo,
    sort_photos,
    sort_uploads,
)
from vaead.data.photos.reasons import refusal
from vaead.errors import InvalidInputError, VaeadError
from vaead.ui.your_images.upload_queue import Upload

LIMITS = Limits()
"""Limits of one visitor."""

THUMBNAIL_PX = 160
_COLOR_STEP = 4 / 255
"""Channels that differ by more are a colour; less may be left by the compression of a grey image."""
_SAMPLED_PX = 512
"""Colours are looked for, and thumbnails made, in so many pixels of the longer side at least."""


@dataclass(frozen=True, eq=False)
class OwnPhoto:
    """A readable image.

    Attributes:
        name: Name of the file as uploaded.
        path: The file as it came, under a made-up name.
        size: Height and width in pixels.
        has_colors: Whether it is not grey.
        digest: The same for images with the same pixels.
        thumbnail: A small JPEG.
        defect: Kind of defect, 'good' for a normal one, None where nothing is known.
        mask: File of its mask, None where there is none.
    """

    name: str
    path: Path
    size: tuple[int, int]
    has_colors: bool
    digest: str
    thumbnail: bytes
    defect: str | None = None
    mask: Path | None = None


@dataclass
class OwnPhotos:
    """Images of a visitor.

    Attributes:
        folder: Folder of their files.
        normal: Normal images, to train on.
        test: Images to test.
        rejected: Rejected files, each with its reason.
        n_bytes: Size of all files.
    """

    folder: Path
    normal: list[OwnPhoto] = field(default_factory=list)
    test: list[OwnPhoto] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    n_bytes: int = 0
    _written: int = 0

    @property
    def longer_px(self) -> int:
        """The longer side of a typical normal image."""
        return round(statistics.median(max(photo.size) for photo in self.normal))

    @property
    def normal_digests(self) -> frozenset[str]:
        """Digests of the normal images."""
        return frozenset(photo.digest for photo in self.normal)

    def write(self, data: bytes, ending: str) -> Path:
        """Write a file under a new name and return its path.

        Raises:
            InvalidInputError: It would be too much in all.
        """
        check_amount(len(self.normal) + len(self.test) + 1, self.n_bytes + len(data), LIMITS)
        path = self.folder / f"{self._written:05d}{ending}"
        path.write_bytes(data)
        self._written += 1
        self.n_bytes += len(data)
        return path


@dataclass(frozen=True)
class Batch:
    """Photos that are read the same way: those of one ZIP, or all loose files."""

    photos: Photos
    read: Callable[[str], bytes]


def read_uploads(own: OwnPhotos, files: Sequence[tuple[str, BinaryIO]], role: str) -> Upload:
    """Begin to read uploaded files; images read before a problem are kept.

    A dataset in the layout of MVTec AD has normal images and test images; all others get the role.

    Args:
        own: Images to add to.
        files: Names and contents: images, or ZIPs of images. They must stay open until all are read.
        role: "normal" or "test".
    """
    archives = ExitStack()
    return read_batches(own, list(_batches(own, files, archives)), role, archives)


def read_batches(
    own: OwnPhotos, batches: Sequence[Batch], role: str = "", archives: ExitStack | None = None
) -> Upload:
    """Begin to read batches; see `read_uploads`. The archives are closed at the end."""
    plan = [(batch, photo, target) for batch in batches for target, photo in _with_roles(batch.photos, role)]

    def steps() -> Generator[None]:
        with archives or ExitStack():
            for batch, photo, target in plan:
                _read_photo(own, photo, batch.read, own.normal if target == "normal" else own.test)
                yield

    return Upload(steps(), len(plan), role)


def _batches(own: OwnPhotos, files: Sequence[tuple[str, BinaryIO]], stack: ExitStack) -> Iterator[Batch]:
    loose = [(name, file) for name, file in files if not name.lower().endswith(".zip")]
    contents = dict(reversed(loose))  # of files of one name, the first is read and the others are refused
    if loose:
        photos = _sorted(own, "upload", lambda: sort_uploads(name for name, _ in loose))
        yield Batch(photos, lambda name: _read_limited(contents[name]))
    for name, file in files:
        if name.lower().endswith(".zip"):
            try:
                archive = stack.enter_context(open_zip(file, name, LIMITS))
            except InvalidInputError as error:
                own.rejected.append(Rejected.of(name, error))
                continue
            own.rejected += archive.rejected
            photos = _sorted(own, name, lambda names=archive.names: sort_photos(names))  # type: ignore[misc]
            if not (photos.train or photos.test or photos.unsorted or photos.rejected or archive.rejected):
                own.rejected.append(Rejected.of(name, refusal("zip_empty", name=name)))
            yield Batch(photos, archive.read)


def _sorted(own: OwnPhotos, name: str, sort: Callable[[], Photos]) -> Photos:
    try:
        photos = sort()
    except InvalidInputError as error:
        own.rejected.append(Rejected.of(name, error))
        return Photos((), (), (), ())
    own.rejected += photos.rejected
    return photos


def _with_roles(photos: Photos, role: str) -> Iterator[tuple[str, Photo]]:
    yield from (("normal", photo) for photo in photos.train)
    yield from (("test", photo) for photo in photos.test)
    yield from ((role, photo) for photo in photos.unsorted)


def _read_limited(file: BinaryIO) -> bytes:
    # One more than is accepted, so that `read_photo` finds out and says so.
    return file.read(LIMITS.image_bytes + 1)


def _read_photo(own: OwnPhotos, photo: Photo, read: Callable[[str], bytes], into: list[OwnPhoto]) -> None:
    """Add one photo, or the reason why not."""
    try:
        data = read(photo.source)
        taken = examine(data, photo.name)
    except VaeadError as error:
        own.rejected.append(Rejected.of(photo.name, error))
        return
    path = own.write(data, PurePosixPath(photo.name).suffix.lower())
    taken = replace(taken, path=path, defect=photo.defect)
    if photo.mask is not None:
        try:
            mask = read(photo.mask)
            read_mask(mask, photo.mask, taken.size, ReadOptions(limits=LIMITS))
            taken = replace(taken, mask=own.write(mask, PurePosixPath(photo.mask).suffix.lower()))
        except VaeadError as error:
            own.rejected.append(Rejected.of(photo.mask, error))
    into.append(taken)


def examine(data: bytes, name: str) -> OwnPhoto:
    """Decode an image once; its path is not known yet.

    Raises:
        InvalidInputError: It cannot be read, or is too large.
    """
    pixels = read_photo(data, name, ReadOptions(color="rgb", limits=LIMITS))
    step = max(1, max(pixels.shape[:2]) // _SAMPLED_PX)
    part = pixels[::step, ::step]
    return OwnPhoto(
        name=name,
        path=Path(),
        size=(pixels.shape[0], pixels.shape[1]),
        has_colors=bool((part.max(axis=2) - part.min(axis=2)).max() > _COLOR_STEP),
        digest=pixel_digest(pixels),
        thumbnail=_thumbnail(part),
    )


def _thumbnail(pixels: NDArray[np.float32]) -> bytes:
    image = Image.fromarray(np.round(pixels * 255).astype(np.uint8))
    image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
