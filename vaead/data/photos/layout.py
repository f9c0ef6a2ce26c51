"""Layout of a folder: the photos for training, those for testing, and their masks.

Only names are looked at, so that a folder, a ZIP and an upload are all sorted by the same rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from vaead.data.photos.folder_names import Role, folded, role_of
from vaead.data.photos.mask_names import with_masks
from vaead.data.photos.names import (
    Rejected,
    clean_name,
    is_image_name,
    is_system_file,
    natural_key,
    printable,
    require_text,
)
from vaead.data.photos.photo import NORMAL, Photo, Photos
from vaead.data.photos.reasons import refusal
from vaead.errors import InvalidInputError


@dataclass(frozen=True)
class _Image:
    """An image file with the roles of its folders.

    Attributes:
        name: Its path.
        folders: Its folders, from the outermost.
        roles: A role for each of them, None where the name says nothing.
    """

    name: str
    folders: tuple[str, ...]
    roles: tuple[Role | None, ...]

    @classmethod
    def of(cls, name: str) -> _Image:
        folders = tuple(name.split("/")[:-1])
        return cls(name, folders, tuple(role_of(folder) for folder in folders))

    def first(self, *roles: Role) -> int | None:
        """Index of the outermost folder with one of the roles."""
        return next((index for index, role in enumerate(self.roles) if role in roles), None)

    def below(self, index: int) -> str:
        """Its path from a folder on, without its ending, to compare."""
        return folded(str(PurePosixPath(*self.folders[index:], PurePosixPath(self.name).stem)))


def sort_photos(names: Iterable[str]) -> Photos:
    """Sort files by the layout that their names show; `folder_names` has the words that are understood.

    - A dataset with a split, as MVTec AD, MVTec LOCO and BTAD: train/<normal>, test/<normal or defect>, and
      maybe validation/<normal> and ground_truth/<defect>.
    - One folder a class, as VisA: a folder of normal photos, and others beside it with defects or masks.
    - Anything else is a plain folder: all its images count, those in folders inside it too, unless the name
      of a folder means anomaly, mask or test. Then nothing says what is normal, and none is trained on.

    Each may lie in a folder of its own. Capitals do not matter. A mask has the name of its image, maybe with
    '_mask' added, or lies in a folder of that name. Photos come in natural order (2 before 10).

    Hidden files are left out without a word, and so are files beside the images of a dataset that are no
    images themselves (licences, notes).

    Args:
        names: Relative paths with forward slashes.

    Raises:
        InvalidInputError: There is more than one dataset, or two names differ in nothing but capitals.
    """
    images: list[_Image] = []
    others: list[str] = []
    rejected: list[Rejected] = []
    for name in sorted(set(names), key=natural_key):
        if is_system_file(name):
            continue
        try:
            require_text(name)
        except InvalidInputError as error:
            rejected.append(Rejected.of(printable(name), error))
            continue
        if is_image_name(name):
            images.append(_Image.of(name))
        else:
            others.append(name)
    _require_distinct(images)
    split = _split_root(images)
    if split is not None:
        rejected += [_no_image(name) for name in others if _split_role(name, split) in ("train", "test")]
        return _sort_split(images, split, rejected)
    classes = _classes_root(images)
    if classes is not None:
        return _sort_classes(images, classes, rejected)
    rejected += [_no_image(name) for name in others]
    if any(image.first("anomalous", "mask", "test", "validation") is not None for image in images):
        return _sort_doubtful(images, rejected)
    return Photos(unsorted=tuple(Photo(each.name, each.name) for each in images), rejected=tuple(rejected))


def sort_uploads(names: Iterable[str]) -> Photos:
    """Sort what a visitor uploaded, whose names are not to be trusted and may repeat.

    Returns:
        Photos whose `name` is a safe relative path and whose `source` is the name as it was uploaded.

    Raises:
        InvalidInputError: As for `sort_photos`.
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
    photos = sort_photos(originals).relocated(originals)
    return replace(photos, rejected=(*rejected, *photos.rejected))


def _require_distinct(images: Sequence[_Image]) -> None:
    """Refuse names that are one name on other systems: which of two files is meant would depend on it."""
    seen: dict[str, str] = {}
    for image in images:
        path = ""
        for part in image.name.split("/"):
            path = f"{path}/{part}" if path else part
            first = seen.setdefault(folded(path), path)
            if first != path:
                raise refusal("same_name", first=first, second=path)


def _no_image(name: str) -> Rejected:
    return Rejected.of(name, refusal("ending", name=name))


def _one_root(roots: Iterable[tuple[str, ...]]) -> tuple[str, ...] | None:
    found = list(dict.fromkeys(roots))
    if len(found) > 1:
        shown = ", ".join(repr("/".join(root) or ".") for root in found[:3])
        raise refusal("datasets", count=len(found), roots=shown + ", ..." * (len(found) > 3))
    return found[0] if found else None


def _split_root(images: Sequence[_Image]) -> tuple[str, ...] | None:
    """The folder above train and test.

    Looked for in this order: a folder above a dataset may be called 'test', but hardly 'train/good'. The
    outermost counts, so that a defect may be called 'test'.
    """

    def in_normal(image: _Image, index: int) -> bool:
        return image.roles[index] == "train" and image.roles[index + 1 : index + 2] == ("normal",)

    def in_class(image: _Image, index: int) -> bool:
        tells_more = {"normal", "anomalous", "mask"}.intersection(image.roles[index + 2 :])
        return image.roles[index] == "test" and index + 1 < len(image.folders) and not tells_more

    def in_train(image: _Image, index: int) -> bool:
        return image.roles[index] == "train" and index + 1 == len(image.folders)

    for fits in (in_normal, in_class, in_train):
        root = _one_root(
            image.folders[:index]
            for image in images
            for index in [next((i for i in range(len(image.folders)) if fits(image, i)), None)]
            if index is not None
        )
        if root is not None:
            return root
    return None


def _split_role(name: str, root: Sequence[str]) -> Role | None:
    """The role of the folder below the root in which a file lies."""
    folders = tuple(name.split("/")[:-1])
    below = folders[len(root) : len(root) + 1]
    return role_of(below[0]) if below and folders[: len(root)] == tuple(root) else None


def _sort_split(images: Sequence[_Image], root: tuple[str, ...], rejected: list[Rejected]) -> Photos:
    depth = len(root) + 1
    train: list[Photo] = []
    validation: list[Photo] = []
    test: list[tuple[Photo, str]] = []
    masks: list[tuple[str, str]] = []
    is_flat = not any(
        _split_role(image.name, root) == "train" and len(image.folders) > depth for image in images
    )
    for image in images:
        part = _split_role(image.name, root)
        label = image.folders[depth] if len(image.folders) > depth else None
        role = role_of(label) if label is not None else None
        photo = Photo(image.name, image.name, NORMAL if role == "normal" else label)
        if part == "mask" or (part == "test" and role == "mask"):
            masks.append((image.name, image.below(depth if part == "mask" else depth + 1)))
        elif part == "train" and (role == "normal" or (label is None and is_flat)):
            train.append(replace(photo, defect=NORMAL))
        elif part == "train" and role in ("anomalous", "mask", "test"):
            rejected.append(Rejected.of(image.name, refusal("not_trained", name=image.name, folder=label)))
        elif part == "validation" and role in (None, "normal") and (label is None or role):
            validation.append(replace(photo, defect=NORMAL))
        elif part in ("test", "validation"):
            test.append((photo, image.below(depth)))
        elif part == "normal":
            train.append(replace(photo, defect=NORMAL))
        elif part == "anomalous":
            test.append((replace(photo, defect=image.folders[depth - 1]), image.below(depth - 1)))
        else:
            rejected.append(Rejected.of(image.name, refusal("misplaced", name=image.name)))
    return Photos(
        tuple(train),
        with_masks(test, masks, rejected),
        rejected=tuple(rejected),
        validation=tuple(validation),
    )


def _classes_root(images: Sequence[_Image]) -> tuple[str, ...] | None:
    """The folder above a folder of normal photos."""
    first = ((image, image.first("normal", "anomalous", "mask")) for image in images)
    return _one_root(
        image.folders[:index]
        for image, index in first
        if index is not None and image.roles[index] == "normal"
    )


def _sort_classes(images: Sequence[_Image], root: tuple[str, ...], rejected: list[Rejected]) -> Photos:
    depth = len(root)
    train: list[Photo] = []
    test: list[tuple[Photo, str]] = []
    masks: list[tuple[str, str]] = []
    for image in images:
        in_mask = image.first("mask")
        is_below = image.folders[:depth] == root and len(image.folders) > depth
        if in_mask is not None:
            masks.append((image.name, image.below(in_mask + 1)))
        elif not is_below:
            rejected.append(Rejected.of(image.name, refusal("beside_classes", name=image.name)))
        elif image.roles[depth] == "normal":
            train.append(Photo(image.name, image.name, NORMAL))
        else:
            test.append((Photo(image.name, image.name, image.folders[depth]), image.below(depth)))
    sorted_test = with_masks(test, masks, rejected)
    return Photos(tuple(train), sorted_test, rejected=tuple(rejected), has_split=False)


def _sort_doubtful(images: Sequence[_Image], rejected: list[Rejected]) -> Photos:
    """Photos of which some are anomalous, are masks, or are for testing, but none is said to be normal."""
    test: list[tuple[Photo, str]] = []
    masks: list[tuple[str, str]] = []
    for image in images:
        in_mask, in_defect = image.first("mask"), image.first("anomalous")
        if in_mask is not None:
            masks.append((image.name, image.below(in_mask + 1)))
        else:
            defect = None if in_defect is None else image.folders[in_defect]
            test.append((Photo(image.name, image.name, defect), image.below(in_defect or 0)))
    return Photos(test=with_masks(test, masks, rejected), rejected=tuple(rejected))
