"""The command watch, on folders as cameras leave them; `test_arrivals.py` has the rules of looks."""

import importlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.unit.cli.command_line import assert_refused, lines_of, run
from vaead.inference.arrivals import ArrivalFolder
from vaead.inference.score_log import open_log
from vaead.inference.tables import from_csv
from vaead.model.folder import save_model
from vaead.model.model import Model

command = importlib.import_module("vaead.cli.watch")  # `vaead.cli.watch` is the command itself


@pytest.fixture(scope="module")
def model_folder(photo_model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("watch") / "model"
    save_model(folder, photo_model)
    return folder


@pytest.fixture
def camera(tmp_path: Path, photos: list[NDArray[np.uint8]]) -> Path:
    """A folder with two images."""
    folder = tmp_path / "camera"
    folder.mkdir()
    for number in range(2):
        Image.fromarray(photos[number]).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def once(model_folder: Path, camera: Path, tmp_path: Path) -> Any:
    """Runs the command on what is there."""

    def look(*options: object) -> Any:
        log = tmp_path / "log.csv"
        return run("watch", "--model", model_folder, "--csv", log, "--interval", 0.05, *options, camera)

    return lambda *options: look("--once", *options)


def rows(tmp_path: Path) -> list[dict[str, str]]:
    return from_csv((tmp_path / "log.csv").read_text(encoding="utf-8"))


def test_model_of_a_session_watches_at_its_rate(model_folder: Path, camera: Path, tmp_path: Path) -> None:
    kept, rate = tmp_path / "kept.zip", ("--false-alarm-rate", 0.9)
    run("session", "save", "--model", model_folder, "--images", camera, "--out", kept, *rate)
    watched = [
        lines_of(run("watch", "--model", *model, "--csv", tmp_path / f"{number}.csv", "--once", camera))
        for number, model in enumerate(((kept,), (model_folder, *rate), (model_folder,)))
    ]
    assert watched[0] == watched[1] != watched[2]


def test_each_image_is_scored_once_as_score_does_it(
    once: Any, model_folder: Path, camera: Path, tmp_path: Path
) -> None:
    result = once()
    assert [line.split("\t")[0] for line in lines_of(result)] == ["0.png", "1.png"]
    table = tmp_path / "scores.csv"
    run("score", "--model", model_folder, "--csv", table, "--false-alarm-rate", 0.05, camera)
    wanted = from_csv(table.read_text(encoding="utf-8"))
    for row, other in zip(rows(tmp_path), wanted, strict=True):
        assert [row[name] for name in ("old", "new", "calibrated")] == [
            other[name] for name in ("old", "new", "calibrated")
        ]
        assert row["flagged"] == other["flagged_calibrated"]
    assert lines_of(once()) == []
    (camera / "1.png").write_bytes((camera / "0.png").read_bytes())
    assert [line.split("\t")[0] for line in lines_of(once())] == ["1.png"]
    assert [row["image"] for row in rows(tmp_path)] == ["0.png", "1.png", "1.png"]


def test_broken_image_is_named_and_the_others_scored(once: Any, camera: Path, tmp_path: Path) -> None:
    whole = (camera / "0.png").read_bytes()
    (camera / "half.png").write_bytes(whole[: len(whole) // 2])
    result = once()
    assert result.exit_code == 1
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == ["0.png", "1.png"]
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Not scored")]
    assert "'half.png' must be" in line
    (camera / "half.png").write_bytes(whole)
    assert [line.split("\t")[0] for line in lines_of(once())] == ["half.png"]


def test_image_that_changes_while_it_is_read_counts_later(
    once: Any, camera: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known = command.predict_each

    def predict(*arguments: Any) -> Any:
        for each in known(*arguments):
            os.utime(camera / "1.png", (1, 1))
            yield each

    monkeypatch.setattr(command, "predict_each", predict)
    result = once()
    assert (result.exit_code, result.stdout.count("\n")) == (1, 1)
    assert result.stderr.endswith("Not scored: image '1.png' is still being written\n")
    assert [line.split("\t")[0] for line in lines_of(once())] == ["1.png"]
    assert rows(tmp_path)[1]["modified"] == "1970-01-01T00:00:01.000000Z"


def test_folder_may_vanish_and_come_back_until_a_signal_ends_it(
    once: Any, model_folder: Path, camera: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away, known, looks = tmp_path / "away", ArrivalFolder.look, iter(range(20))

    def look(folder: ArrivalFolder) -> Any:
        match next(looks):
            case 1:
                camera.rename(away)
            case 3:
                away.rename(camera)
            case 5:
                signal.raise_signal(signal.SIGTERM)
        return known(folder)

    monkeypatch.setattr(ArrivalFolder, "look", look)
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    arguments = ["--model", model_folder, "--csv", tmp_path / "log.csv", "--interval", 0.05, camera]
    result = run("watch", *arguments)
    assert [line.split("\t")[0] for line in lines_of(result)] == ["0.png", "1.png"]
    _, gone, back = result.stderr.splitlines()
    assert gone == f"Folder {str(camera)!r} is away (No such file or directory); waiting for it"
    assert back == f"Folder {str(camera)!r} is there again"
    assert next(looks) == 6
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_signal_ends_it_after_the_image_at_hand(
    model_folder: Path, camera: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = command.predict_each

    def predict(*arguments: Any) -> Any:
        for each in known(*arguments):
            signal.raise_signal(signal.SIGINT)
            yield each

    monkeypatch.setattr(command, "predict_each", predict)
    log = tmp_path / "log.csv"
    result = run("watch", "--model", model_folder, "--csv", log, "--interval", 0.05, camera)
    assert len(lines_of(result)) == 1
    assert [row["image"] for row in rows(tmp_path)] == ["0.png"]


def test_signal_ends_a_wait_whenever_it_comes() -> None:
    def signal_at(step: int) -> Any:
        steps = iter(range(10**6))

        def trace(*_: object) -> Any:
            if next(steps) == step:
                signal.raise_signal(signal.SIGTERM)
            return trace

        return trace

    for step in range(8):
        with command._stopped_by_signals() as stop:
            sys.settrace(signal_at(step))
            try:
                stop.wait(1)
            finally:
                sys.settrace(None)
            assert stop.asked
            assert stop.wait(60)


def test_line_that_was_not_whole_is_told_and_its_image_scored_again(once: Any, tmp_path: Path) -> None:
    assert len(lines_of(once())) == 2
    log = tmp_path / "log.csv"
    log.write_bytes(log.read_bytes()[:-20])
    result = once()
    assert [line.split("\t")[0] for line in lines_of(result)] == ["1.png"]
    assert result.stderr.startswith(f"The last line of {str(log)!r} was not whole")
    assert [row["image"] for row in rows(tmp_path)] == ["0.png", "1.png"]


def test_what_cannot_be_watched_is_refused(
    once: Any, model_folder: Path, camera: Path, tmp_path: Path
) -> None:
    log, model = tmp_path / "log.csv", ["--model", model_folder]
    assert_refused(
        run("watch", *model, "--csv", log, tmp_path / "no"), "FOLDER must be a folder, got .*check"
    )
    assert_refused(run("watch", *model, "--csv", log, "s3://a/b"), "FOLDER must be a path on this machine")
    assert_refused(run("watch", *model, "--csv", "s3://a/b.csv", camera), "--csv must be a path on this")
    assert_refused(
        run("watch", *model, "--csv", tmp_path / "log.png", camera), "must not be named like an image"
    )
    assert_refused(
        run("watch", *model, "--csv", model_folder / "log.csv", camera), "must lie outside the folder"
    )
    assert_refused(once("--false-alarm-rate", 2), "false_alarm_rate must be above 0")
    assert not log.exists()
    with open_log(log):
        assert_refused(once(), "must be written by one watcher at a time")
    log.write_text("image,score\n")
    assert_refused(once(), "must be a new file or a table of watch, with the columns time, image")
