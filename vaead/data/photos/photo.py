"""One photo of a user, not yet read, and all of a folder, sorted by their use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from vaead.data.photos.names import Rejected

NORMAL = "good"
"""The 'defect' of a normal photo, as in the layout of MVTec AD."""


@dataclass(frozen=True)
class Photo:
    """One image, not yet read.

    Attributes:
        name: Path relative to its folder, ZIP or upload.
        source: What to read: a path or URL, or the name inside a ZIP or upload.
        defect: Kind of defect, 'good' for a normal photo; None where nothing is known.
        masks: What to read for its masks, of the same kind as `source`; several are joined.
        title: Name of the photo and its masks in messages and tables; None where these are their sources.
    """

    name: str
    source: str
    defect: str | None = None
    masks: tuple[str, ...] = ()
    title: str | None = None

    @property
    def label(self) -> str:
        """Name of the photo in messages and tables."""
        return self.title or self.source

    def relocated(self, sources: Mapping[str, str]) -> Photo:
        """The same, to be read from elsewhere: sources by the present ones."""
        masks = tuple(sources[mask] for mask in self.masks)
        return replace(self, source=sources[self.source], masks=masks)


@dataclass(frozen=True)
class Photos:
    """Photos, sorted.

    Attributes:
        train: Normal photos to train on.
        test: Photos to test, each with its defect, where a folder tells it, and its masks.
        unsorted: All photos of a plain folder, in which nothing says what is normal; else empty.
        rejected: Files that are left out, each with its reason.
        validation: Normal photos to calibrate with, not to train on.
        has_split: False if normal photos are all for training, as their folders tell classes alone.
    """

    train: tuple[Photo, ...] = ()
    test: tuple[Photo, ...] = ()
    unsorted: tuple[Photo, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    validation: tuple[Photo, ...] = ()
    has_split: bool = True

    @property
    def to_train(self) -> tuple[Photo, ...]:
        """Photos to train on, if the user says that this folder is for training."""
        return self.unsorted or self.train

    @property
    def to_score(self) -> tuple[Photo, ...]:
        """Photos to score, if the user says that this folder is to be scored."""
        return self.unsorted or (self.test if self.has_split else (*self.train, *self.test))

    def relocated(self, sources: Mapping[str, str]) -> Photos:
        """The same, to be read from elsewhere; see `Photo.relocated`."""
        names = ("train", "test", "unsorted", "validation")
        moved: dict[str, Any] = {
            name: tuple(each.relocated(sources) for each in getattr(self, name)) for name in names
        }
        return replace(self, **moved)
