"""ZIPs: what can be read, and each kind of entry that is left out."""

import io
import stat
import struct
import zipfile
import zlib

import pytest

from tests.unit.data.photos.files import GREY, encode, pack
from vaead.data.photos import Limits, open_zip
from vaead.data.photos.archive import Archive
from vaead.errors import InvalidInputError

PHOTO = encode(GREY)


def look(stream: io.BytesIO, limits: Limits | None = None) -> Archive:
    return open_zip(stream, "all.zip", limits)


def special(kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("a.png")
    info.create_system = 3
    info.external_attr = (kind | 0o644) << 16
    return info


def changed(stream: io.BytesIO, offset: int, value: bytes, local: int | None = None) -> io.BytesIO:
    """Overwrite a field of the first entry: in the table of contents, and in its local header too."""
    data = bytearray(stream.getvalue())
    contents = data.index(b"PK\x01\x02")
    data[contents + offset : contents + offset + len(value)] = value
    if local is not None:
        data[local : local + len(value)] = value
    return io.BytesIO(bytes(data))


def test_files_are_read_one_by_one_by_name() -> None:
    names = ["a b.png", "ひび 😀.png", "deep/er/c.png"]
    with look(pack({name: name.encode() for name in names})) as archive:
        assert archive.names == tuple(names)
        assert [archive.read(name) for name in names] == [name.encode() for name in names]
        assert archive.rejected == ()


def test_stored_file_may_be_longer_than_any_table_of_contents() -> None:
    archive = look(pack({"a.bmp": bytes(100_000)}, 0), Limits(zip_entries=10))
    assert archive.read("a.bmp") == bytes(100_000)


def test_folders_and_litter_are_left_out_without_a_word() -> None:
    litter = ["parts/", "__MACOSX/parts/._a.png", "parts/.DS_Store", "Thumbs.db", ".git/config"]
    archive = look(pack(dict.fromkeys([*litter, "parts/a.png"], PHOTO)))
    assert (archive.names, archive.rejected) == (("parts/a.png",), ())


def test_backslashes_are_folders() -> None:
    assert look(pack({"train\\good\\a.png": PHOTO})).names == ("train/good/a.png",)


def test_names_in_utf8_without_its_flag_are_understood() -> None:
    stream = changed(pack({"é.png": PHOTO}), 8, b"\0\0", local=6)
    archive = look(stream)
    assert archive.names == ("é.png",)
    assert archive.read("é.png") == PHOTO


def test_names_in_another_encoding_stay_readable_files() -> None:
    stream = pack({"xx.png": PHOTO})
    archive = look(io.BytesIO(stream.getvalue().replace(b"xx.png", b"\x83\xfe.png")))
    assert len(archive.names) == 1
    assert archive.read(archive.names[0]) == PHOTO


@pytest.mark.parametrize(
    "name",
    ["../a.png", "a/../../b.png", "/etc/a.png", "C:\\a.png", "c:a.png", "..\\a.png", "\\\\host\\a.png"],
)
def test_name_that_leads_out_of_its_folder_is_rejected(name: str) -> None:
    archive = look(pack({name: PHOTO, "good.png": PHOTO}))
    assert archive.names == ("good.png",)
    assert archive.rejected[0].name == name
    assert "must be a path inside its folder, got" in archive.rejected[0].reason


REJECTED = {
    "symbolic link": (pack([(special(stat.S_IFLNK), b"/etc/passwd")]), "got a symbolic link; pack the image"),
    "device": (pack([(special(stat.S_IFCHR), b"")]), "got a special file"),
    "encrypted": (changed(pack({"a.png": PHOTO}), 8, b"\1\0", local=6), "must be packed without a password"),
    "ZIP inside": (pack({"a.zip": pack({"b.png": PHOTO}).getvalue()}), "got a ZIP inside a ZIP; unpack it"),
    "other method": (
        pack({"a.png": PHOTO}, zipfile.ZIP_BZIP2),
        "with the usual method 'deflate', got another",
    ),
    "bomb": (pack({"a.png": bytes(2_000_000)}), "must unpack to at most 200 times its packed size, got 1"),
    "no name": (changed(pack({"a": PHOTO}), 28, b"\0\0\1\0"), "must be a path inside its folder, got ''"),
    "control characters": (pack({"a\n.png": PHOTO}), "must be UTF-8 text without control characters"),
}


@pytest.mark.parametrize("fault", REJECTED)
def test_bad_entry_is_rejected(fault: str) -> None:
    stream, reason = REJECTED[fault]
    archive = look(stream)
    assert archive.names == ()
    assert reason in archive.rejected[0].reason


def test_entry_that_is_too_large_is_rejected() -> None:
    archive = look(pack({"a.png": bytes(3_000_000), "b.png": PHOTO}, 0), Limits(image_bytes=2_000_000))
    assert archive.names == ("b.png",)
    assert "file 'a.png' must have at most 2 MB, got 3 MB; save it smaller" in archive.rejected[0].reason


def test_small_file_may_pack_very_well() -> None:
    assert look(pack({"mask.bmp": bytes(900_000)})).names == ("mask.bmp",)


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_second_file_of_a_name_is_rejected() -> None:
    archive = look(pack([("a.png", b"first"), ("./a.png", b"second")]))
    assert archive.read("a.png") == b"first"
    assert "file 'a.png' must stand in its ZIP once, got it again; rename" in archive.rejected[0].reason


@pytest.mark.parametrize("declared", [10, 999])
def test_entry_that_lies_about_its_size_is_refused(declared: int) -> None:
    stream = pack({"a.png": bytes(range(100)), "b.png": PHOTO})
    archive = look(changed(stream, 24, struct.pack("<I", declared)))
    with pytest.raises(InvalidInputError, match=r"file 'a\.png' must .* pack it again"):
        archive.read("a.png")
    assert archive.read("b.png") == PHOTO


def test_damaged_entry_is_refused() -> None:
    data = pack({"a.png": bytes(range(100))}, 0).getvalue()
    archive = look(io.BytesIO(data.replace(bytes(range(100)), bytes(100))))
    with pytest.raises(InvalidInputError, match=r"file 'a\.png' must be undamaged in its ZIP, got .*CRC"):
        archive.read("a.png")


@pytest.mark.parametrize(
    "data", [b"", b"hello", pack({"a.png": PHOTO}).getvalue()[:-30]], ids=["empty", "text", "truncated"]
)
def test_file_that_is_no_zip_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInputError, match=r"ZIP 'all\.zip' must be a complete ZIP file, got"):
        look(io.BytesIO(data))


def test_zip_of_too_many_files_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"ZIP 'all\.zip' must hold at most 2 files, got more; split"):
        look(pack(dict.fromkeys("abc", b"")), Limits(zip_entries=2))


def test_long_table_of_contents_is_not_even_read() -> None:
    stream = pack({"a.png": PHOTO})
    data = bytearray(stream.getvalue())
    # The end record says that the contents have 1 GB.
    end = data.index(b"PK\x05\x06")
    data[end + 12 : end + 16] = struct.pack("<I", 10**9)
    contents = data.index(b"PK\x01\x02")
    padded = data[:contents] + bytes(200_000) + data[contents:]
    end += 200_000
    padded[end + 12 : end + 16] = struct.pack("<I", 200_000)
    with pytest.raises(InvalidInputError, match=r"must hold at most 10 files, got more"):
        look(io.BytesIO(bytes(padded)), Limits(zip_entries=10))


def test_zip_that_unpacks_to_too_much_is_refused() -> None:
    stream = pack({f"{index}.png": bytes(900_000) for index in range(4)})
    with pytest.raises(InvalidInputError, match=r"ZIP 'all\.zip' must unpack to at most 3 MB, got 3\.6 MB"):
        look(stream, Limits(zip_unpacked_bytes=3_000_000))


def with_names(names: dict[str, bytes], flags: int = 0) -> io.BytesIO:
    """A ZIP whose names are these bytes; keys are stand-ins of the same length."""
    data = pack(dict.fromkeys(names, PHOTO)).getvalue()
    for stand_in, name in names.items():
        assert len(stand_in) == len(name)
        data = data.replace(stand_in.encode(), name)
    return io.BytesIO(data)


def stand_ins(names: list[str], encoding: str) -> dict[str, bytes]:
    encoded = [name.encode(encoding) for name in names]
    return {chr(65 + index) * len(name): name for index, name in enumerate(encoded)}


def test_names_of_windows_in_japanese() -> None:
    names = ["正常/表面.png", "正常/ソ能.png", "異常\\十.png"]
    archive = look(with_names(stand_ins(names, "cp932")))
    assert archive.names == ("正常/表面.png", "正常/ソ能.png", "異常/十.png")
    assert archive.read("正常/表面.png") == PHOTO
    assert archive.rejected == ()


@pytest.mark.parametrize("encoding", ["utf-8", "cp437"])
def test_names_in_other_encodings(encoding: str) -> None:
    names = ["größe é.png", "plain.png"]
    assert look(with_names(stand_ins(names, encoding))).names == tuple(names)


def test_names_that_are_not_all_japanese_are_read_as_before() -> None:
    names = {"A" * 9: "ö x é.png".encode("cp437"), "B" * 9: "正常.png".encode("cp932") + b"x"}
    assert look(with_names(names)).names[0] == "ö x é.png"


def test_unicode_path_of_info_zip_comes_first() -> None:
    raw = b"AAAA.png"
    wanted = "正常.png".encode()
    extra = struct.pack("<HHBL", 0x7075, 5 + len(wanted), 1, zlib.crc32(raw)) + wanted
    info = zipfile.ZipInfo(raw.decode())
    info.extra = extra
    assert look(pack([(info, PHOTO)])).names == ("正常.png",)
    info.extra = extra[:5] + b"\0\0\0\0" + extra[9:]  # of another name
    assert look(pack([(info, PHOTO)])).names == ("AAAA.png",)
