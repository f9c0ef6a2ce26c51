"""Photos in a ZIP. They are unpacked into memory one at a time; nothing is written to disk."""

from __future__ import annotations

import math
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import BinaryIO, Self

from vaead.data.photos.limits import Limits, megabytes
from vaead.data.photos.names import Rejected, clean_name, is_system_file, printable
from vaead.data.photos.reasons import refusal
from vaead.errors import InvalidInputError

# What zipfile raises for damaged archives, encrypted ones and unknown versions. UnicodeDecodeError is
# a ValueError.
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
    OSError,
    struct.error,
    zlib.error,
)
# An entry of the table of contents has 46 bytes, its name, and often the file's times.
_CONTENTS_BYTES_PER_ENTRY = 256
_ENCRYPTED = 0x1
_UTF_8 = 0x800
_UNICODE_PATH = 0x7075
_KANA_OR_KANJI = re.compile("[\u3041-\u30ff\u4e00-\u9fff]")


@dataclass(frozen=True)
class Archive:
    """A ZIP that was found safe to read. Close it, or use it in a `with` statement.

    Attributes:
        names: Files that can be read, as relative paths with forward slashes, each once.
        rejected: Files that were left out, each with its reason.
    """

    names: tuple[str, ...]
    rejected: tuple[Rejected, ...]
    _file: zipfile.ZipFile = field(repr=False)
    _entries: dict[str, zipfile.ZipInfo] = field(repr=False)

    def read(self, name: str) -> bytes:
        """Unpack one file. It can not be larger than the table of contents said.

        Raises:
            InvalidInputError: The file is damaged, or its size was a lie.
            KeyError: `name` is not one of `names`.
        """
        entry = self._entries[name]
        try:
            with self._file.open(entry) as stream:
                data = stream.read(entry.file_size)
                # The checksum is compared when the end is reached.
                stream.read(1)
        except _ZIP_ERRORS as error:
            raise refusal("zip_damaged_file", name=name, problem=_message(error)) from error
        if len(data) != entry.file_size:
            raise refusal("zip_false_size", name=name, declared=entry.file_size, found=len(data))
        return data

    def require_small(self, names: Iterable[str], most_bytes: int) -> None:
        """Find out whether files unpack to so little in all that they may be in memory together.

        Raises:
            InvalidInputError: They do not.
        """
        n_bytes = sum(self._entries[name].file_size for name in names)
        if n_bytes > most_bytes:
            raise refusal("many_bytes", most=megabytes(most_bytes), found=megabytes(n_bytes))

    def close(self) -> None:
        """Let go of the ZIP; the stream it came from stays open."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _SmallReads:
    """A stream that refuses large reads, until it is told to trust.

    zipfile reads the whole table of contents before anyone can ask how long it is, and makes an object of
    each entry: a few megabytes of contents would fill gigabytes of memory.
    """

    def __init__(self, stream: BinaryIO, max_bytes: int) -> None:
        self._stream = stream
        self._max_bytes: float = max_bytes
        self.seek = stream.seek
        self.tell = stream.tell
        self.seekable = stream.seekable

    def trust(self) -> None:
        """Allow reads of any size: entries, once their sizes are known, are checked one by one."""
        self._max_bytes = math.inf

    def read(self, n_bytes: int = -1) -> bytes:
        if n_bytes > self._max_bytes:
            raise _TooManyEntriesError
        return self._stream.read(n_bytes)


class _TooManyEntriesError(Exception):
    """The table of contents is longer than that of any ZIP with few enough entries."""


def open_zip(stream: BinaryIO, name: str, limits: Limits | None = None) -> Archive:
    """Look into a ZIP and decide, from its table of contents, what can be read.

    Folders, hidden files and what macOS and Windows add are left out without a word.

    Args:
        stream: The ZIP, seekable; it must stay open as long as the archive is read.
        name: What the user calls the ZIP.
        limits: What is accepted; None takes the defaults.

    Raises:
        InvalidInputError: The file is no ZIP, or holds too many files or too much data as a whole.
    """
    limits = limits or Limits()
    file = _open(stream, name, limits)
    entries: dict[str, zipfile.ZipInfo] = {}
    rejected: list[Rejected] = []
    for entry, raw_name in _decoded(file.infolist()):
        if raw_name.endswith("/") or is_system_file(raw_name.replace("\\", "/")):
            continue
        try:
            clean = clean_name(raw_name)
            _require_safe(entry, clean, limits)
            if clean in entries:
                raise refusal("zip_repeated", name=clean)
        except InvalidInputError as error:
            rejected.append(Rejected.of(printable(raw_name), error))
        else:
            entries[clean] = entry
    _require_total(entries, name, limits)
    return Archive(tuple(entries), tuple(rejected), file, entries)


def _open(stream: BinaryIO, name: str, limits: Limits) -> zipfile.ZipFile:
    too_many = refusal("zip_entries", name=name, most=limits.zip_entries)
    max_bytes = max(65_536, limits.zip_entries * _CONTENTS_BYTES_PER_ENTRY)
    contents = _SmallReads(stream, max_bytes)
    try:
        file = zipfile.ZipFile(contents)
        contents.trust()
    except _TooManyEntriesError as error:
        raise too_many from error
    except _ZIP_ERRORS as error:
        raise refusal("zip_damaged", name=name, problem=_message(error)) from error
    if len(file.infolist()) > limits.zip_entries:
        raise too_many
    return file


def _decoded(entries: Sequence[zipfile.ZipInfo]) -> Iterator[tuple[zipfile.ZipInfo, str]]:
    """Entries with their names as they were meant: many programs write UTF-8 without setting its flag.

    Windows in Japanese writes code page 932, in which the byte of a backslash may be a part of a character,
    so separators are looked for afterwards. It is taken if it makes Japanese of all names that are not UTF-8.
    """
    names = [_unicode_name(entry) for entry in entries]
    unknown = [
        entry.orig_filename.encode("cp437", "replace")
        for entry, name in zip(entries, names, strict=True)
        if name is None
    ]
    encoding = "cp932" if _are_japanese(unknown) else "cp437"
    for entry, name in zip(entries, names, strict=True):
        raw = entry.orig_filename
        yield entry, raw.encode("cp437", "replace").decode(encoding) if name is None else name


def _unicode_name(entry: zipfile.ZipInfo) -> str | None:
    """The name, if the ZIP says or its bytes show that it is UTF-8."""
    if entry.flag_bits & _UTF_8:
        return entry.orig_filename
    try:
        raw = entry.orig_filename.encode("cp437")
        return _unicode_path(entry.extra, raw) or raw.decode("utf-8")
    except UnicodeError:
        return None


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    """The name in the Unicode path of Info-ZIP, unless it belongs to another name."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        content, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == _UNICODE_PATH and len(content) > 5 and content[1:5] == struct.pack("<L", zlib.crc32(raw)):
            return content[5:].decode("utf-8")
    return None


def _are_japanese(names: Sequence[bytes]) -> bool:
    """True if all are Japanese in code page 932."""
    try:
        return bool(names) and all(_KANA_OR_KANJI.search(name.decode("cp932")) for name in names)
    except UnicodeError:
        return False


def _require_safe(entry: zipfile.ZipInfo, name: str, limits: Limits) -> None:
    """Refuse one entry for what the table of contents says of it."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise refusal("zip_link" if stat.S_ISLNK(kind) else "zip_special", name=name)
    if entry.flag_bits & _ENCRYPTED:
        raise refusal("zip_password", name=name)
    if name.lower().endswith(".zip"):
        raise refusal("zip_in_zip", name=name)
    # The other methods can unpack a few bytes to gigabytes before zipfile gives the first of them away.
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise refusal("zip_method", name=name)
    if entry.file_size > limits.image_bytes:
        most, found = megabytes(limits.image_bytes), megabytes(entry.file_size)
        raise refusal("zip_file_bytes", name=name, most=most, found=found)
    if (
        entry.file_size > limits.zip_ratio_from_bytes
        and entry.file_size > limits.zip_ratio * entry.compress_size
    ):
        ratio = f"{entry.file_size / max(1, entry.compress_size):.0f}"
        raise refusal("zip_ratio", name=name, most=limits.zip_ratio, found=ratio)


def _require_total(entries: dict[str, zipfile.ZipInfo], name: str, limits: Limits) -> None:
    n_bytes = sum(entry.file_size for entry in entries.values())
    if n_bytes > limits.zip_unpacked_bytes:
        most, found = megabytes(limits.zip_unpacked_bytes), megabytes(n_bytes)
        raise refusal("zip_bytes", name=name, most=most, found=found)


def _message(error: Exception) -> str:
    return str(error) or type(error).__name__
