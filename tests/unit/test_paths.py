import os
import uuid
from pathlib import Path

import pytest

from vaead.paths import (
    AnyPath,
    UrlPath,
    absolute,
    identity,
    open_text,
    require_writable,
    to_path,
    write_whole,
)


@pytest.fixture(params=["path", "file", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> AnyPath:
    """A folder that is not there yet, on this machine, as a URL of it, and in memory."""
    if request.param == "memory":
        return UrlPath(f"memory://{uuid.uuid4().hex}/new")
    return tmp_path / "new" if request.param == "path" else UrlPath(f"file://{tmp_path}/new")


def test_file_is_what_was_written_last(folder: AnyPath) -> None:
    file = folder / "a" / "b.bin"
    assert not file.is_file()
    write_whole(file, b"first, and longer")
    write_whole(file, b"second")
    assert file.is_file()
    assert (file.read_bytes(), file.read_text()) == (b"second", "second")
    assert (file.name, file.parent, str(file)) == ("b.bin", folder / "a", f"{folder}/a/b.bin")


def test_file_that_cannot_be_finished_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(OSError, match="Is a directory"):
        write_whole(tmp_path / "x", b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_text_may_have_any_name_of_a_file(folder: AnyPath) -> None:
    with open_text(folder / "a.csv") as stream:
        stream.write("é " + os.fsdecode(b"caf\xe9") + "\n")
    assert (folder / "a.csv").read_bytes() == b"\xc3\xa9 caf\\udce9\n"


def test_path_is_found_writable_without_a_trace(folder: AnyPath) -> None:
    require_writable(folder)
    assert (folder.files() if isinstance(folder, UrlPath) else list(folder.iterdir())) == []


@pytest.mark.parametrize("url", ["no-such-system://a", "file:///proc/no-such-folder"])
def test_path_that_cannot_be_written_is_an_os_error(url: str) -> None:
    for write in (
        require_writable,
        lambda path: write_whole(path / "a", b""),
        lambda path: open_text(path / "a"),
    ):
        with pytest.raises(OSError, match=r"."):
            write(UrlPath(url))


def test_files_below_a_url_are_listed(tmp_path: Path) -> None:
    folder = UrlPath(f"file://{tmp_path}")
    for name in ("b.txt", "a/c.txt", "a/b/d.txt"):
        write_whole(folder / name, b"")
    assert folder.files() == ["a/b/d.txt", "a/c.txt", "b.txt"]
    assert (folder / "a").files() == ["b/d.txt", "c.txt"]
    (folder / "b.txt").unlink()
    (folder / "b.txt").unlink()
    assert folder.files() == ["a/b/d.txt", "a/c.txt"]
    assert (folder / "nothing").files() == []


def test_folder_is_no_file(tmp_path: Path) -> None:
    assert not UrlPath(f"file://{tmp_path}").is_file()


def test_two_names_of_a_file_have_one_identity(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "a")
    names = [tmp_path / "a", UrlPath(f"file://{tmp_path}/a"), UrlPath(f"local://{tmp_path}/link")]
    assert {identity(name) for name in names} == {os.path.realpath(tmp_path / "a")}
    assert identity(UrlPath("memory://x/a/")) == identity(UrlPath("memory://x/a")) != identity(Path("x/a"))


def test_here_is_left_out_of_a_url() -> None:
    assert UrlPath("s3://b/a") / "." == UrlPath("s3://b/a")
    assert UrlPath("s3://b/a/") / "./c//d" == UrlPath("s3://b/a/c/d")


def test_path_and_url_are_told_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert to_path("s3://b/a") == to_path(UrlPath("s3://b/a")) == UrlPath("s3://b/a")
    assert to_path("a::b") == Path("a::b")
    assert absolute(to_path("a")) == tmp_path / "a"
    assert absolute(to_path("s3://b/a")) == UrlPath("s3://b/a")
