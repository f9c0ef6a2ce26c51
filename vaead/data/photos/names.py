"""Names of files: which are images, which are safe, and in which order they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from vaead.data.photos.reasons import PhotoError, Reason, refusal
from vaead.errors import VaeadError

IMAGE_ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".tif", ".tiff", ".webp"})

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SYSTEM_FILES = frozenset(
    {
        # Windows and macOS
        *("thumbs.db", "desktop.ini", "ehthumbs.db", "ehthumbs_vista.db", "__macosx", "icon\r"),
        *("$recycle.bin", "recycler", "recycled", "system volume information"),
        # Linux, and network drives of Synology and QNAP
        *("lost+found", "@eadir", "#recycle", "#snapshot", "@tmp", "@recycle", "@recently-snapshot"),
    }
)
"""Files and folders that systems leave beside images."""


@dataclass(frozen=True)
class Rejected:
    """A file that is left out.

    Attributes:
        name: Its name, relative to the folder, ZIP or upload it came in.
        reason: A sentence that names the file and says what to do.
        why: The same for programs, where the reason is one of `vaead.data.photos.reasons`.
    """

    name: str
    reason: str
    why: Reason | None = None

    @classmethod
    def of(cls, name: str, error: VaeadError) -> Rejected:
        """Leave a file out for an error, of which nothing but the reason is kept."""
        return cls(name, str(error), error.reason if isinstance(error, PhotoError) else None)


def is_system_file(name: str) -> bool:
    """Tell whether a file belongs to the system and not to the user: hidden files, thumbnails and such.

    >>> is_system_file("__MACOSX/a.png"), is_system_file("parts/.DS_Store"), is_system_file("parts/a.png")
    (True, True, False)
    """
    return any(
        (part.startswith(".") and part not in (".", "..")) or part.casefold() in _SYSTEM_FILES
        for part in name.split("/")
    )


def is_image_name(name: str) -> bool:
    """Tell whether a name has the ending of an image format that can be read.

    >>> is_image_name("a.JPG"), is_image_name("a.gif"), is_image_name("jpg")
    (True, False, False)
    """
    return PurePosixPath(name).suffix.lower() in IMAGE_ENDINGS


def natural_key(name: str) -> tuple[object, ...]:
    """Sort key that counts: a2 comes before a10, and a folder's files stay together.

    >>> sorted(["a10.png", "b/a.png", "A2.png", "a1.png"], key=natural_key)
    ['a1.png', 'A2.png', 'a10.png', 'b/a.png']
    """
    # Numbers are compared by length and then as text, since int() refuses more than 4,300 digits.
    folders = [
        tuple(
            (len(piece.lstrip("0")), piece.lstrip("0")) if index % 2 else piece
            for index, piece in enumerate(re.split(r"([0-9]+)", part.casefold()))
        )
        for part in name.split("/")
    ]
    return (folders, name)


def printable(name: str) -> str:
    r"""Return a name that can be printed and saved, whatever bytes it came from.

    >>> printable("ok 😀.png"), printable("caf\udce9\n.png")
    ('ok 😀.png', 'caf\\udce9\\x0a.png')
    """
    text = name.encode("utf-8", "backslashreplace").decode("utf-8")
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def require_text(name: str) -> None:
    """Refuse a name that cannot be written to a table or a terminal.

    Raises:
        InvalidInputError: The name has bytes that are not UTF-8, or control characters.
    """
    if printable(name) != name:
        raise refusal("not_text", name=name)


def clean_name(name: str) -> str:
    r"""Return a stranger's file name as a relative path with forward slashes.

    Backslashes are read as slashes, since some programs for Windows write them into ZIPs.

    >>> clean_name("train\\good\\my photo.png")
    'train/good/my photo.png'

    Raises:
        InvalidInputError: The name leads out of its folder, or is not text.
    """
    require_text(name)
    path = name.replace("\\", "/")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or path.startswith("/") or re.match(r"[A-Za-z]:", path):
        raise refusal("outside", name=name)
    return "/".join(parts)
