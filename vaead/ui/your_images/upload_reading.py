"""Reading of uploads into the visitor's own folder; each image is decoded once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from vaead.data.photos import Photo, Photos, Rejected, open_zip, sort_photos, sort_uploads
from vaead.data.photos.limits import VISITOR_LIMITS
from vaead.data.photos.reasons import refusal
from vaead.errors import InvalidInputError, VaeadError
from vaead.session import OpenSession, is_session
from vaead.ui.shared.cache import photo_service
from vaead.ui.your_images.own_photos import OwnPhoto, OwnPhotos
from vaead.ui.your_images.upload_queue import Upload


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
