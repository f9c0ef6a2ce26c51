"""Images of a visitor: what is known of each, and which of them are normal and which to test."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

from vaead.data.photos import Rejected, check_amount
from vaead.data.photos.examine import PhotoFacts
from vaead.data.photos.limits import VISITOR_LIMITS
from vaead.data.photos.reasons import Reason
from vaead.data.photos.survey import Copies, count_copies
from vaead.photo_defaults import PhotoDefaults
from vaead.session import KeptPhoto


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
