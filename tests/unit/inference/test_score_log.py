"""The table of watch after power cuts, by other hands, and with two writers."""

from pathlib import Path

import pytest
from filelock import FileLock

from vaead.data.photos import Photo
from vaead.errors import InvalidInputError
from vaead.inference.arrivals import Arrival
from vaead.inference.prediction import Prediction, Thresholds
from vaead.inference.score_log import COLUMNS, open_log
from vaead.inference.tables import from_csv

FIRST = Arrival('day 1/画像, "1".png', 12, "2026-01-02T03:04:05.678900Z")
SECOND = Arrival("=1+1.png", 13, "2026-01-02T03:04:06.000000Z")
THRESHOLDS = Thresholds({"old": 1.0, "new": 1.0, "calibrated": 1.0}, {})


def prediction(**scores: float) -> Prediction:
    return Prediction(Photo("a", "a"), (1, 1), scores, THRESHOLDS)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A table of two images."""
    file = tmp_path / "new" / "log.csv"
    with open_log(file) as log:
        assert (log.done, log.was_damaged) == ([], False)
        log.add(FIRST, prediction(old=2.5, new=0.5, calibrated=1.5))
        log.add(SECOND, prediction(old=2.5, new=0.5))
    return file


def done(file: Path) -> tuple[list[Arrival], bool]:
    with open_log(file) as log:
        return log.done, log.was_damaged


def test_lines_are_a_table_that_is_read_back(file: Path) -> None:
    rows = from_csv(file.read_text(encoding="utf-8"))
    assert [row.pop("time")[:2] for row in rows] == ["20", "20"]
    of_first = {"size_bytes": "12", "modified": FIRST.modified}
    assert (
        rows[0]
        == {"image": FIRST.name, "old": "2.5", "new": "0.5", "calibrated": "1.5", "flagged": "1"} | of_first
    )
    assert (rows[1]["calibrated"], rows[1]["flagged"], rows[1]["image"]) == ("", "0", "=1+1.png")
    assert done(file) == ([FIRST, SECOND], False)


def test_line_that_a_power_cut_has_left_is_cut_off(file: Path) -> None:
    whole = file.read_bytes()
    first = whole[: whole.rindex(b"\n", 0, -1) + 1]
    for cut in (len(first) + 5, len(whole) - 1):
        file.write_bytes(whole[:cut])
        assert done(file) == ([FIRST], True)
        assert file.read_bytes() == first
    for rest in (bytes(40), b"\xff\xfe", bytes(40) + b"\n", b"garbage\n"):
        file.write_bytes(first + rest)
        assert done(file) == ([FIRST], True)
        assert file.read_bytes() == first


@pytest.mark.parametrize("size", [0, 2, 30])
def test_file_without_whole_titles_gets_them(file: Path, size: int) -> None:
    titles = file.read_bytes().partition(b"\n")[0] + b"\n"
    file.write_bytes(titles[:size])
    assert done(file) == ([], size > 0)
    assert file.read_bytes() == titles


def test_table_that_was_saved_on_windows_is_taken_on(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert done(file) == ([FIRST, SECOND], False)


@pytest.mark.parametrize("content", ["image,old,new\n", "my notes", "my notes\n", "\n", "\x00" * 50])
def test_other_files_are_refused_and_stay_as_they_are(tmp_path: Path, content: str) -> None:
    file = tmp_path / "log.csv"
    file.write_text(content)
    with pytest.raises(InvalidInputError, match=f"with the columns {', '.join(COLUMNS)}, got others in "):
        done(file)
    assert file.read_text() == content


def test_damage_in_the_middle_is_named_and_nothing_lost(file: Path) -> None:
    titles, first, second, _ = file.read_bytes().split(b"\n")
    content = b"\n".join([titles, first[:9], second, b""])
    file.write_bytes(content)
    with pytest.raises(InvalidInputError, match=r"got another one in line 2 of .*; mend that line"):
        done(file)
    assert file.read_bytes() == content


def test_second_writer_is_refused_until_the_first_ends(file: Path) -> None:
    with (
        open_log(file),
        pytest.raises(InvalidInputError, match=r"one watcher at a time, got .*which another one"),
    ):
        done(file)
    assert done(file)[0] == [FIRST, SECOND]


def test_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInputError, match="--csv must be a place that can be written"):
        done(tmp_path / "file" / "log.csv")


def test_drive_without_locks_is_a_sentence(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def acquire(*_: object, **__: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(FileLock, "acquire", acquire)
    with pytest.raises(InvalidInputError, match="--csv must lie on a drive on which files can be locked"):
        done(file)
