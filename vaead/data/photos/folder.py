"""Photos in a folder, on this machine or anywhere fsspec reaches."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from vaead.data.photos.layout import sort_photos
from vaead.data.photos.names import Rejected, printable
from vaead.data.photos.photo import Photos
from vaead.data.photos.reasons import FORMATS_TEXT
from vaead.errors import DataUnavailableError, InvalidInputError
from vaead.paths import UrlPath, is_url


def find_photos(root: str | Path) -> Photos:
    """List the photos of a folder; none is opened.

    Args:
        root: A path, or a URL that fsspec knows, such as 's3://bucket/parts'. `sort_photos` says which
            layouts are known.

    Returns:
        Photos whose `name` is relative to `root` and whose `source` can be read wherever `root` can.

    Raises:
        InvalidInputError: `root` is missing, is not a folder, holds no image, or holds several datasets.
        DataUnavailableError: `root` is there but cannot be listed.
    """
    names, rejected = _list_url(str(root)) if is_url(root) else _list_local(Path(root))
    photos = sort_photos(names)
    if not (photos.train or photos.test or photos.unsorted):
        raise InvalidInputError(
            f"folder must hold at least one image ({FORMATS_TEXT}), got none in {str(root)!r}; name another "
            "folder"
        )
    if is_url(root):
        sources = {name: f"{str(root).rstrip('/')}/{name}" for name in names}
    else:
        sources = {name: str(Path(root) / name) for name in names}
    return replace(photos.relocated(sources), rejected=(*rejected, *photos.rejected))


def _list_local(root: Path) -> tuple[list[str], list[Rejected]]:
    _require_folder(root)
    rejected: list[Rejected] = []

    def reject(error: OSError) -> None:
        name = printable(os.path.relpath(error.filename, root))
        reason = (
            f"folder {name!r} must be a folder that can be read, got {error.strerror!r}; check its "
            "permissions"
        )
        rejected.append(Rejected(name, reason))

    names: list[str] = []
    seen: set[str] = set()
    for folder, folders, files in os.walk(root, onerror=reject, followlinks=True):
        # A link may lead back to a folder that was already listed.
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        names += [(Path(folder) / file).relative_to(root).as_posix() for file in files]
    return names, rejected


def _require_folder(root: Path) -> None:
    try:
        if root.is_dir():
            return
        found = "a file" if root.exists() else "nothing"
    except OSError as error:
        raise _unavailable(str(root), error) from error
    raise InvalidInputError(
        f"folder must be an existing folder, got {found} at {str(root)!r}; check its name, or name the "
        "folder of the file"
    )


def _list_url(url: str) -> tuple[list[str], list[Rejected]]:
    place = UrlPath(url)
    try:
        names = place.files()
        is_file = not names and place.is_file()
    except OSError as error:
        raise _unavailable(url, error) from error
    if not names:
        what = "a file" if is_file else "no file"
        raise InvalidInputError(
            f"folder must be an existing folder, got {what} at {url!r}; check the URL, or name the folder of "
            "the file"
        )
    return names, []


def _unavailable(root: str, error: Exception) -> DataUnavailableError:
    return DataUnavailableError(
        f"folder must be a folder that can be listed, got {str(error) or type(error).__name__!r} for "
        f"{root!r}; check its permissions and the connection"
    )
