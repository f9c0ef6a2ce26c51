"""Images of a visitor, in the visitor's own folder, each decoded once when it is uploaded."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from vaead.data.photos import (
    Photo,
    Photos,
    Rejected,
    check_amount,
    open_zip,
    sort_photos,
    sort_uploads,
)
from vaead.data.photos.examine import PhotoFacts
from vaead.data.photos.limits import VISITOR_LIMITS
from vaead.data.photos.reasons import Reason, refusal
from vaead.data.photos.survey import Copies, count_copies
from vaead.errors import InvalidInputError, VaeadError
from vaead.photo_defaults import PhotoDefaults
from vaead.session import KeptPhoto, OpenSession, is_session
from vaead.ui.shared.cache import photo_service
from vaead.ui.your_images.upload_queue import Upload


@dataclass(frozen=True, eq=False)
class OwnPhoto(PhotoFacts):
    """A readable image.

    Attributes:
        name: Name of the file as uploaded.
        path: The file as it came, under a made-up name.
        defect: Kind of defect, 'good' for a normal one, None where nothing is known.
        masks: Files of its masks.
        is_validation: True if it is not to be trained on, but to be calibrated with.
    """

    name: str = ""
    path: Path = Path()
    defect: str | None = None
    masks: tuple[Path, ...] = ()
    is_validation: bool = False


@dataclass
class OwnPhotos:
    """Images of a visitor.

    Attributes:
        folder: Folder of their files.
        normal: Normal images, to train on.
        test: Images to test.
        rejected: Rejected files, each with its reason.
        notes: Choices that were made in reading masks.
        n_bytes: Size of all files.
        awaited: Photos of a session that was opened without them, by their place in it.
        returned: Those that have come back, by place.
    """

    folder: Path
    normal: list[OwnPhoto] = field(default_factory=list)
    test: list[OwnPhoto] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    notes: list[Reason] = field(default_factory=list)
    n_bytes: int = 0
    awaited: dict[int, KeptPhoto] = field(default_factory=dict)
    returned: dict[int, OwnPhoto] = field(default_factory=dict)
    _written: int = 0
    _copies: tuple[int, int, Copies] = (0, 0, Copies())
    _defaults: tuple[int, PhotoDefaults] | None = None

    @property
    def defaults(self) -> PhotoDefaults:
        """Settings that suit the normal images, at least one; chosen anew after others have come."""
        if self._defaults is None or self._defaults[0] != len(self.normal):
            self._defaults = (len(self.normal), PhotoDefaults.choose(self.normal))
        return self._defaults[1]

    @property
    def normal_digests(self) -> frozenset[str]:
        """Digests of the normal images."""
        return frozenset(photo.digest for photo in self.normal)

    @property
    def copies(self) -> Copies:
        """Images that are there more than once; counted anew after others have come."""
        if self._copies[:2] != (len(self.normal), len(self.test)):
            found = count_copies(self.normal, self.test)
            self._copies = (len(self.normal), len(self.test), found)
        return self._copies[2]

    def write(self, data: bytes, ending: str) -> Path:
        """Write a file under a new name and return its path.

        Raises:
            InvalidInputError: It would be too much in all.
        """
        check_amount(len(self.normal) + len(self.test) + 1, self.n_bytes + len(data), VISITOR_LIMITS)
        path = self.folder / f"{self._written:05d}{ending}"
        path.write_bytes(data)
        self._written += 1
        self.n_bytes += len(data)
        return path

    def delete(self, path: Path) -> None:
        """Delete a file."""
        self.n_bytes -= path.stat().st_size
        path.unlink()

    def add(self, photo: OwnPhoto, role: str) -> None:
        """Add a photo to those of its role, or to those that a session says of a photo that it waits for."""
        place = self._place(photo)
        if place is not None:
            kept = self.awaited.pop(place)
            role = kept.role
            photo = replace(
                photo, name=kept.name, defect=kept.defect or photo.defect, is_validation=role == "validation"
            )
            self.returned[place] = photo
        (self.test if role == "test" else self.normal).append(photo)

    def remove(self, photo: OwnPhoto) -> None:
        """Remove an image and its files; nothing where it was removed before."""
        if photo in self.normal or photo in self.test:
            self._list_of(photo).remove(photo)
            for file in (photo.path, *photo.masks):
                self.delete(file)
            self._recount()

    def move(self, photo: OwnPhoto) -> None:
        """Make a test image of a normal one, or the other way round."""
        if photo in self.normal or photo in self.test:
            old = self._list_of(photo)
            old.remove(photo)
            (self.test if old is self.normal else self.normal).append(photo)
            self._recount()

    def _list_of(self, photo: OwnPhoto) -> list[OwnPhoto]:
        return self.normal if photo in self.normal else self.test

    def _recount(self) -> None:
        """Forget what follows from all images, although there may be as many as before."""
        self._copies, self._defaults = (0, 0, Copies()), None

    def _place(self, photo: OwnPhoto) -> int | None:
        """Place of a photo in the session that waits for it; of copies, preferably that of the same name."""
        places = [place for place, each in self.awaited.items() if each.digest == photo.digest]
        named = [place for place in places if self.awaited[place].name == photo.name]
        return next(iter(named or places), None)

    def become(self, other: OwnPhotos) -> None:
        """Take over other photos and their folder in place of these, also for uploads that still wait."""
        shutil.rmtree(self.folder, ignore_errors=True)
        vars(self).update(vars(other))


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
                _read_photo(own, photo, batch.read, target)
                yield

    return Upload(steps(), len(plan), role)


def read_kept(own: OwnPhotos, kept: OpenSession) -> Generator[None]:
    """Read the photos of a session one by one; those that are not in it, or have changed, are awaited."""
    own.awaited = dict(enumerate(kept.session.photos))
    for each in kept.session.photos:
        if each.file is not None:
            photo = Photo(each.name, each.file, each.defect, each.masks)
            _read_photo(own, photo, kept.read, each.role, each.digest)
            yield


def _batches(own: OwnPhotos, files: Sequence[tuple[str, BinaryIO]], stack: ExitStack) -> Iterator[Batch]:
    loose = [(name, file) for name, file in files if not name.lower().endswith(".zip")]
    for contents in _rounds(loose):
        yield _batch_of_files(own, contents)
    for name, file in files:
        if name.lower().endswith(".zip"):
            if is_session(file, name):
                own.rejected.append(Rejected.of(name, refusal("session_here", name=name)))
                continue
            try:
                archive = stack.enter_context(open_zip(file, name, VISITOR_LIMITS))
            except InvalidInputError as error:
                own.rejected.append(Rejected.of(name, error))
                continue
            own.rejected += archive.rejected
            photos = _sorted(own, name, lambda names=archive.names: sort_photos(names))  # type: ignore[misc]
            if not (
                photos.to_train or photos.to_score or photos.validation or photos.rejected or archive.rejected
            ):
                own.rejected.append(Rejected.of(name, refusal("zip_empty", name=name)))
            yield Batch(photos, archive.read)


def _batch_of_files(own: OwnPhotos, contents: dict[str, BinaryIO]) -> Batch:
    photos = _sorted(own, "upload", lambda: sort_uploads(contents))
    return Batch(photos, lambda name: _read_limited(contents[name]))


def _rounds(files: Sequence[tuple[str, BinaryIO]]) -> list[dict[str, BinaryIO]]:
    """The first file of each name, the second, and so on: a browser does not tell their folders."""
    rounds: list[dict[str, BinaryIO]] = []
    counts: Counter[str] = Counter()
    for name, file in files:
        if counts[name] == len(rounds):
            rounds.append({})
        rounds[counts[name]][name] = file
        counts[name] += 1
    return rounds


def _sorted(own: OwnPhotos, name: str, sort: Callable[[], Photos]) -> Photos:
    try:
        photos = sort()
    except InvalidInputError as error:
        own.rejected.append(Rejected.of(name, error))
        return Photos()
    own.rejected += photos.rejected
    return photos


def _with_roles(photos: Photos, role: str) -> Iterator[tuple[str, Photo]]:
    yield from (("normal", photo) for photo in photos.train)
    yield from (("validation", photo) for photo in photos.validation)
    yield from (("test", photo) for photo in photos.test)
    yield from ((role, photo) for photo in photos.unsorted)


def _read_limited(file: BinaryIO) -> bytes:
    # One more than is accepted, so that `read_photo` finds out and says so.
    return file.read(VISITOR_LIMITS.image_bytes + 1)


def _read_photo(
    own: OwnPhotos, photo: Photo, read: Callable[[str], bytes], target: str, digest: str | None = None
) -> None:
    """Add one photo to those of its target, or the reason why not: also if it has not the digest given."""
    file = _write(own, photo.source, read)
    if file is None:
        return
    masks = [(path, mask) for mask in photo.masks if (path := _write(own, mask, read)) is not None]
    try:
        found = photo_service().examine(file, photo.name, masks)
        if digest is not None and found.facts.digest != digest:
            raise refusal("session_photo", name=photo.name)
    except VaeadError as error:
        own.rejected.append(Rejected.of(photo.name, error))
        for path in (file, *(path for path, _ in masks)):
            own.delete(path)
        return
    if found.rejected_mask is not None:
        own.rejected.append(found.rejected_mask)
        for path, _ in masks:
            own.delete(path)
        masks.clear()
    own.notes += found.notes
    taken = OwnPhoto(
        **vars(found.facts),
        name=photo.name,
        path=file,
        defect=photo.defect,
        masks=tuple(path for path, _ in masks),
        is_validation=target == "validation",
    )
    own.add(taken, target)


def _write(own: OwnPhotos, source: str, read: Callable[[str], bytes]) -> Path | None:
    """Write a file of an upload into the visitor's folder; None if it cannot be read."""
    try:
        data = read(source)
    except VaeadError as error:
        own.rejected.append(Rejected.of(source, error))
        return None
    return own.write(data, PurePosixPath(source).suffix.lower())
