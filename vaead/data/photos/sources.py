"""Bytes of one file, from wherever it lies."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from vaead.data.photos.limits import megabytes
from vaead.data.photos.reasons import refusal
from vaead.errors import DataUnavailableError, InvalidInputError
from vaead.paths import is_url

Source = bytes | bytearray | memoryview | BinaryIO | Path | str


def read_bytes(source: Source, name: str, max_bytes: int) -> bytes:
    """Read one file, but never more than it may have.

    Args:
        source: The content itself, an open binary stream, a path, or a URL that fsspec knows, such as
            's3://bucket/a.png'.
        name: What the user calls the file.
        max_bytes: Largest size that is accepted.

    Raises:
        InvalidInputError: The file is missing, empty, too large, or not a file.
        DataUnavailableError: The file is there but cannot be read.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source[: max_bytes + 1])
    elif isinstance(source, str | Path):
        data = _read_file(source, name, max_bytes + 1)
    else:
        data = source.read(max_bytes + 1)
    if not data:
        raise refusal("empty", name=name)
    if len(data) > max_bytes:
        raise refusal("bytes", name=name, most=megabytes(max_bytes))
    return data


def _read_file(source: str | Path, name: str, n_bytes: int) -> bytes:
    try:
        if is_url(source):
            import fsspec.core

            filesystem, path = fsspec.core.url_to_fs(str(source))
            with filesystem.open(path, "rb") as stream:
                return bytes(stream.read(n_bytes))
        file = Path(source)
        # Reading a named pipe or a device could wait for ever.
        if file.exists() and not file.is_file():
            kind = "a folder" if file.is_dir() else "a device or a pipe"
            raise InvalidInputError(f"image {name!r} must be a file, got {kind}; name an image file")
        with file.open("rb") as stream:
            return stream.read(n_bytes)
    except InvalidInputError:
        raise
    except FileNotFoundError as error:
        raise InvalidInputError(
            f"image {name!r} must be an existing file, got {str(source)!r}; check its name"
        ) from error
    # Every file system of fsspec has errors of its own.
    except Exception as error:
        raise DataUnavailableError(
            f"image {name!r} must be a file that can be read, got {_message(error)!r} for {str(source)!r}; "
            "check its permissions and the connection"
        ) from error


def _message(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
