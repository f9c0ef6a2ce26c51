"""The ZIP of a session: `session.json`, photos and masks under made-up names, and the files of the models.

`model/` holds the model, `before/1/` the one before its last calibration, `before/2/` the one before that,
and so on, each with the files of a model folder. Nothing in it is trusted: limits and names are those of
uploaded ZIPs, and what `session.json` does not name is never read.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from vaead.data.photos import Archive, open_zip
from vaead.data.photos.limits import VISITOR_LIMITS
from vaead.data.photos.reasons import refusal
from vaead.errors import InvalidInputError
from vaead.model.files import CARD, is_beside_card, is_part
from vaead.session.record import KeptPhoto, Session

NAME = "session.json"
MOST_MODEL_BYTES = 120_000_000
"""A model of the largest patches has a tenth of that."""
LIMITS = replace(VISITOR_LIMITS, zip_unpacked_bytes=VISITOR_LIMITS.upload_bytes + MOST_MODEL_BYTES)
"""As for uploaded photos, and room for models."""
_MOST_BYTES = 5_000_000
"""Of `session.json`; one of 2,000 photos has a tenth of that."""


def write_session(
    stream: BinaryIO,
    session: Session,
    files: Sequence[Sequence[Path]] | None,
    models: Sequence[Path],
) -> None:
    """Write a session.

    Args:
        stream: Takes the ZIP.
        session: The session; the files of its photos are filled in.
        files: Of each photo its file and those of its masks, none for one that is not there; None to keep
            the digests of all alone.
        models: Folders of its models, the newest first.
    """
    photos = session.photos
    if files is not None:
        photos = tuple(
            _with_files(each, place, own) for place, (each, own) in enumerate(zip(photos, files, strict=True))
        )
    whole = msgspec.structs.replace(session, photos=photos)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(NAME, whole.to_json(), zipfile.ZIP_DEFLATED)
        for each, own in zip(photos, files or [()] * len(photos), strict=True):
            for name, file in zip((each.file, *each.masks), own, strict=False):
                archive.write(file, name)
        for step, folder in zip(range(session.models), models, strict=True):
            pack_model(archive, folder, _model_place(step))


def _with_files(photo: KeptPhoto, place: int, files: Sequence[Path]) -> KeptPhoto:
    if not files:
        return photo
    first, *masks = (file.suffix.lower() for file in files)
    names = tuple(f"masks/{place:05d}-{number}{ending}" for number, ending in enumerate(masks))
    return msgspec.structs.replace(photo, file=f"photos/{place:05d}{first}", masks=names)


def _model_place(step: int) -> str:
    return f"before/{step}" if step else "model"


def pack_model(archive: zipfile.ZipFile, folder: Path, place: str) -> None:
    """Add the files of a model, and what goes with it, to a folder in a ZIP."""
    for file in sorted(folder.iterdir()):
        if file.name == CARD or is_beside_card(file.name):
            archive.write(file, f"{place}/{file.name}")


def model_files(archive: Archive, place: PurePosixPath) -> dict[str, bytes]:
    """The files of the model in a folder of a ZIP by name, without what only goes with it.

    Raises:
        InvalidInputError: One is damaged, or they are larger than those of any model.
    """
    found = (each for each in map(PurePosixPath, archive.names) if each.parent == place)
    names = {each.name: str(each) for each in found if each.name == CARD or is_part(each.name)}
    archive.require_small(names.values(), MOST_MODEL_BYTES)
    return {name: archive.read(file) for name, file in names.items()}


def is_session(stream: BinaryIO, name: str) -> bool:
    """True if a file is a ZIP with a session in it; the stream is at its start afterwards."""
    try:
        with open_zip(stream, name, LIMITS) as archive:
            return _root(archive) is not None
    except InvalidInputError:
        return False
    finally:
        stream.seek(0)


def read_session(stream: BinaryIO, name: str) -> OpenSession:
    """Read `session.json` of a ZIP; photos and models are read when they are asked for.

    Args:
        stream: The ZIP, seekable; it must stay open until all is read.
        name: Its name in messages.

    Raises:
        PhotoError: It is no ZIP, not safe to read, or holds no session, a damaged one, or one of a format
            that this vaead does not know.
    """
    archive = open_zip(stream, name, LIMITS)
    try:
        root = _root(archive)
        if root is None:
            raise refusal("session_none", name=name)
        content = archive.read(str(root / NAME))
        if len(content) > _MOST_BYTES:
            raise refusal("session_damaged", name=name, problem=f"{NAME}: {len(content)} bytes")
        return OpenSession(Session.from_json(content, name), name, archive, root)
    except InvalidInputError:
        archive.close()
        raise


def _root(archive: Archive) -> PurePosixPath | None:
    """The folder of the one session in a ZIP: who packs a folder anew puts all into another one."""
    found = [path for path in map(PurePosixPath, archive.names) if path.name == NAME]
    return found[0].parent if len(found) == 1 else None


@dataclass(frozen=True)
class OpenSession:
    """A session whose ZIP is open. Use it in a `with` statement.

    Attributes:
        session: The session.
        name: Name of the ZIP.
    """

    session: Session
    name: str
    _archive: Archive
    _root: PurePosixPath

    def read(self, file: str) -> bytes:
        """Content of a photo or a mask.

        Args:
            file: As the session names it.

        Raises:
            PhotoError: It is not there, or is damaged.
        """
        place = str(self._root / file)
        if place not in self._archive.names:
            raise refusal("session_file", name=self.name, file=file)
        return self._archive.read(place)

    def read_model(self, step: int = 0) -> dict[str, bytes]:
        """Files of a model by name.

        Args:
            step: 0 for the model, 1 for the one before its last calibration, and so on.

        Raises:
            PhotoError: It is not there, or is damaged.
        """
        place = _model_place(step)
        files = model_files(self._archive, self._root / place)
        if CARD not in files:
            raise refusal("session_file", name=self.name, file=f"{place}/{CARD}")
        return files

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._archive.close()
