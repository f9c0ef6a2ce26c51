"""Layout of a folder: the photos for training, those for testing, and their masks.

Only names are looked at, so that a folder, a ZIP and an upload are all sorted by the same rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from vaead.data.photos.names import (
    Rejected,
    clean_name,
    is_image_name,
    is_system_file,
    natural_key,
    printable,
    require_text,
)
from vaead.data.photos.reasons import refusal
from vaead.errors import InvalidInputError

NORMAL = "good"
"""The folder of normal images in the layout of MVTec AD, and so the 'defect' of a normal test photo."""

# What shows a dataset, in the order in which it is looked for: a folder above a dataset may be called 'test',
# but hardly 'train/good'. The shortest root counts, so that a defect may be called 'test'.
_DATASET_FILES = (
    re.compile(r"(?P<root>(?:[^/]+/)*?)train/good/."),
    re.compile(r"(?P<root>(?:[^/]+/)*?)test/[^/]+/."),
)


@dataclass(frozen=True)
class Photo:
    """One image, not yet read.

    Attributes:
        name: Path relative to its folder, ZIP or upload.
        source: What to read: a path or URL, or the name inside a ZIP or upload.
        defect: Kind of defect, 'good' for a normal photo; None where nothing is known.
        mask: What to read for the mask, of the same kind as `source`; None where there is none.
        title: Name of the photo and its mask in messages and tables; None where these are their sources.
    """

    name: str
    source: str
    defect: str | None = None
    mask: str | None = None
    title: str | None = None

    @property
    def label(self) -> str:
        """Name of the photo in messages and tables."""
        return self.title or self.source


@dataclass(frozen=True)
class Photos:
    """Photos, sorted.

    Attributes:
        train: Photos in train/good.
        test: Photos in test/<defect>, each with its defect and, where there is one, its mask.
        unsorted: All photos of a plain folder, in which nothing says what is normal; empty for a dataset.
        rejected: Files that are left out, each with its reason.
    """

    train: tuple[Photo, ...]
    test: tuple[Photo, ...]
    unsorted: tuple[Photo, ...]
    rejected: tuple[Rejected, ...]

    @property
    def to_train(self) -> tuple[Photo, ...]:
        """Photos to train on, if the user says that this folder is for training."""
        return self.unsorted or self.train

    @property
    def to_score(self) -> tuple[Photo, ...]:
        """Photos to score, if the user says that this folder is to be scored."""
        return self.unsorted or self.test


def sort_photos(names: Iterable[str]) -> Photos:
    """Sort files by the layout that their names show.

    A dataset has train/good or test/<defect>, as MVTec AD and anomalib have it, and may have masks in
    ground_truth/<defect>, called like the image with '_mask' added; the '_mask' may be missing. It may lie
    in a folder of its own. Anything else is a plain folder: all its images count, those in folders inside it
    too. Photos come in natural order (2 before 10).

    Hidden files are left out without a word, and so are files beside the images of a dataset that are no
    images themselves (licences, notes).

    Args:
        names: Relative paths with forward slashes.

    Raises:
        InvalidInputError: There is more than one dataset.
    """
    images: list[str] = []
    others: list[str] = []
    rejected: list[Rejected] = []
    for name in sorted(set(names), key=natural_key):
        if is_system_file(name):
            continue
        try:
            require_text(name)
        except InvalidInputError as error:
            rejected.append(Rejected.of(printable(name), error))
        else:
            (images if is_image_name(name) else others).append(name)
    root = _dataset_root(images)
    if root is None:
        rejected += [_no_image(name) for name in others]
        return Photos((), (), tuple(Photo(name, name) for name in images), tuple(rejected))
    rejected += [_no_image(name) for name in others if re.match(r"(train|test)/", name.removeprefix(root))]
    return _sort_dataset(images, root, rejected)


def sort_uploads(names: Iterable[str]) -> Photos:
    """Sort what a visitor uploaded, whose names are not to be trusted and may repeat.

    Returns:
        Photos whose `name` is a safe relative path and whose `source` is the name as it was uploaded.

    Raises:
        InvalidInputError: There is more than one dataset.
    """
    originals: dict[str, str] = {}
    rejected: list[Rejected] = []
    for name in names:
        try:
            clean = clean_name(name)
            if clean in originals and not is_system_file(clean):
                raise refusal("repeated", name=clean)
        except InvalidInputError as error:
            rejected.append(Rejected.of(printable(name), error))
        else:
            originals.setdefault(clean, name)
    photos = relocate(sort_photos(originals), originals)
    return replace(photos, rejected=(*rejected, *photos.rejected))


def relocate(photos: Photos, sources: dict[str, str]) -> Photos:
    """Say where photos that were sorted by name are to be read from."""

    def moved(some: tuple[Photo, ...]) -> tuple[Photo, ...]:
        return tuple(
            replace(photo, source=sources[photo.source], mask=photo.mask and sources[photo.mask])
            for photo in some
        )

    return replace(
        photos, train=moved(photos.train), test=moved(photos.test), unsorted=moved(photos.unsorted)
    )


def _no_image(name: str) -> Rejected:
    return Rejected.of(name, refusal("ending", name=name))


def _dataset_root(images: list[str]) -> str | None:
    roots: list[str] = []
    for pattern in _DATASET_FILES:
        matches = (pattern.match(name) for name in images)
        roots = roots or list(dict.fromkeys(match["root"] for match in matches if match))
    if len(roots) > 1:
        shown = ", ".join(repr(root.rstrip("/") or ".") for root in roots[:3])
        raise refusal("datasets", count=len(roots), roots=shown + ", ..." * (len(roots) > 3))
    return roots[0] if roots else None


def _sort_dataset(images: list[str], root: str, rejected: list[Rejected]) -> Photos:
    train: list[Photo] = []
    test: list[Photo] = []
    masks: dict[str, str] = {}
    for name in images:
        part, _, rest = name.removeprefix(root).partition("/") if name.startswith(root) else ("", "", "")
        if part == "train" and rest.startswith(f"{NORMAL}/"):
            train.append(Photo(name, name, NORMAL))
        elif part == "test" and "/" in rest:
            test.append(Photo(name, name, rest.partition("/")[0]))
        elif part == "ground_truth" and "/" in rest:
            masks[_stem(rest)] = name
        else:
            rejected.append(_misplaced(name))
    test = [replace(photo, mask=_find_mask(photo, root, masks)) for photo in test]
    used = {photo.mask for photo in test}
    rejected += [_unused_mask(name) for name in masks.values() if name not in used]
    return Photos(tuple(train), tuple(test), (), tuple(rejected))


def _misplaced(name: str) -> Rejected:
    return Rejected.of(name, refusal("misplaced", name=name))


def _unused_mask(name: str) -> Rejected:
    return Rejected.of(name, refusal("unused_mask", name=name))


def _stem(path: str) -> str:
    return str(PurePosixPath(path).with_suffix(""))


def _find_mask(photo: Photo, root: str, masks: dict[str, str]) -> str | None:
    stem = _stem(photo.name.removeprefix(f"{root}test/"))
    return masks.get(f"{stem}_mask") or masks.get(stem)
