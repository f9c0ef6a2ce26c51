"""Page "Your images": a session that is saved, and opened again by another visitor."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from tests.ui.your_images.helpers import File, OwnPage, screw, screws
from vaead.calibration.thresholds import LEVELS
from vaead.data.photos import Limits
from vaead.model.folder import load_card, load_model, save_model
from vaead.model.model import Model
from vaead.session import read_session
from vaead.ui.your_images import keeping, own_photos
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.session import OwnSession

Change = Callable[[dict[str, bytes]], object]


def own(page: OwnPage) -> OwnSession:
    session: OwnSession = page["_own"]
    return session


@pytest.fixture
def page(photo_model: Path, tmp_path: Path) -> OwnPage:
    """A page with two normal images, three to test, a model calibrated with one of these, and a miss."""
    model = load_model(photo_model)
    wide = tuple(np.linspace(0, 1000, len(LEVELS)).tolist())
    scores = replace(model.card.normal_scores, image=model.card.normal_scores.image | {"calibrated": wide})
    page = OwnPage()
    page.upload("normal", *screws(2, scale=0.5))
    page.upload("test", *((f"test {index}.png", screw(10 + index, scale=0.5), "") for index in range(3)))
    page.select("own_patch", 24)
    page.set_number("own_epochs", 3)
    session = own(page)
    session.boxes = [(0.0, 0.0, 0.1, 0.1)]
    before, after = session.new_run() / "model", session.new_run() / "model"
    shutil.copytree(photo_model, before)
    save_model(after, Model(replace(model.card, normal_scores=scores), model.networks))
    results = Results(load_card(before), before, normals=session.photos.normal_digests)
    session.take_model(results.calibrated_again(load_card(after), after, session.photos.test[1]))
    assert session.results is not None
    session.results.before = results
    session.missed = [session.photos.test[2]]
    page.run()
    page.app.select_slider(key="own_rate").set_value(10)
    page.run()
    return page


def saved(page: OwnPage, with_photos: bool = True) -> File:
    return "kept.zip", keeping.pack(own(page), with_photos, "new", 0.1), "application/zip"


def changed(file: File, change: Change) -> File:
    """The ZIP with other files."""
    with zipfile.ZipFile(io.BytesIO(file[1])) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file[0], buffer.getvalue(), file[2]


def bring(page: OwnPage, file: File) -> None:
    """Give a file to the control for sessions."""
    uploader = next(each for each in page.app.file_uploader if each.key.startswith("own_session_"))
    uploader.set_value([file])
    page.run()


def corrections(page: OwnPage) -> tuple[list[str], list[str]]:
    results = own(page).results
    assert results is not None
    return [photo.name for photo in results.taken], [photo.name for photo in own(page).missed]


def test_session_shows_the_same_page_again(page: OwnPage) -> None:
    again = OwnPage()
    bring(again, saved(page))
    assert again.errors == []
    assert again.titles == page.titles
    assert "**Calibrated with** `test 1.png`" in again.said
    assert "By the model of the session that you opened" in again.said
    assert corrections(again) == corrections(page) == (["test 1.png"], ["test 2.png"])
    assert (again["own_rate"], again["own_score"]) == (10, "new")
    assert (again["own_patch"], again["own_epochs"], again["own_stride"]) == (24, 3, page["own_stride"])
    assert own(again).boxes == [(0.0, 0.0, 0.1, 0.1)]
    page.app.segmented_control(key="own_score").set_value("new")
    page.run()
    assert [tile.label for tile in again.tiles] == [tile.label for tile in page.tiles]
    again.click("own_undo")
    results = own(again).results
    assert results is not None
    assert (results.before, results.taken) == (None, ())


def test_images_that_are_not_in_the_session_come_back_by_their_pixels(page: OwnPage) -> None:
    again = OwnPage()
    bring(again, saved(page, with_photos=False))
    assert again.warnings[0].startswith("5 of 5 images of the session are not here")
    assert again.titles == ["1. Bring images", "3. What it finds"]
    # All to the wrong place, and under other names.
    again.upload("normal", *((f"{index}.png", screw(10 + index, scale=0.5), "") for index in range(3)))
    assert again.warnings[0].startswith("2 of 5 images of the session are not here")
    assert again.titles[0] == "1. Images: 0 normal, 3 to test"
    assert corrections(again) == (["test 1.png"], ["test 2.png"])
    assert again["own_rate"] == 10
    again.upload("test", *screws(2, scale=0.5))
    assert again.titles[0] == "1. Images: 2 normal, 3 to test"
    assert not any("not here" in warning for warning in again.warnings)
    assert (again["own_patch"], again["own_epochs"]) == (24, 3)
    assert "**Calibrated with** `test 1.png`" in again.said


def test_session_that_is_saved_again_before_its_images_are_back_is_the_same(page: OwnPage) -> None:
    again = OwnPage()
    bring(again, saved(page, with_photos=False))
    again.upload("test", ("x.png", screw(11, scale=0.5), ""))
    with read_session(io.BytesIO(saved(again)[1]), "kept.zip") as kept:
        found = kept.session
    assert found.missing == 4
    assert [found.photos[place].name for place in (*found.taken, *found.missed)] == [
        "test 1.png",
        "test 2.png",
    ]
    assert found.models == 2
    again.click("own_without")
    assert again.titles[0] == "1. Images: 0 normal, 1 to test"
    with read_session(io.BytesIO(saved(again)[1]), "kept.zip") as kept:
        assert (len(kept.session.photos), kept.session.missed) == (1, ())


def test_session_without_a_model_or_test_images_can_be_kept() -> None:
    page = OwnPage()
    page.upload("normal", *screws(2))
    again = OwnPage()
    again.upload("test", saved(page))  # the wrong control, but nothing is there that would be lost
    assert again.titles[0] == "1. Images: 2 normal, 0 to test"
    assert again.has_button("own_train")


def test_session_takes_the_place_of_what_was_there(page: OwnPage, photo_model: Path) -> None:
    again = OwnPage()
    again.upload("normal", *screws(3))
    folder = own(again).photos.folder
    bring(again, saved(page))
    assert again.titles[0] == "1. Images: 2 normal, 3 to test"
    assert not folder.exists()
    again.upload("test", ("more.png", screw(30, scale=0.5), ""))
    assert again.titles[0] == "1. Images: 2 normal, 4 to test"


def test_session_in_another_control_is_told_where_it_belongs(page: OwnPage) -> None:
    again = OwnPage()
    again.upload("normal", *screws(1))
    again.upload("normal", saved(page))
    assert "open it with the button Open a session" in again.rejected["kept.zip"]
    again.bring_model(saved(page))
    assert "open it with the button Open a session" in again.errors[0]
    assert again.titles[0] == "1. Images: 1 normal, 0 to test"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda files: files.pop("session.json"), "must hold one session.json, got none"),
        (lambda files: files.update({"session.json": b"{}"}), "cannot be read"),
        (lambda files: files.pop("model/card.json"), "got none or a refused one as 'model/card.json'"),
        (
            lambda files: files.update({"before/1/network0.tflite.gz": b"other"}),
            "network0.tflite.gz must match its checksum",
        ),
    ],
)
def test_session_that_cannot_be_opened_leaves_the_page_as_it_is(
    page: OwnPage, change: Change, said: str
) -> None:
    again = OwnPage()
    again.upload("normal", *screws(2))
    bring(again, changed(saved(page), change))
    assert said in again.errors[0].replace("\\", "")
    assert again.titles[0] == "1. Images: 2 normal, 0 to test"
    bring(again, saved(page))
    assert again.errors == []
    assert again.titles[0] == "1. Images: 2 normal, 3 to test"


def test_image_with_other_pixels_is_left_out_and_awaited(page: OwnPage) -> None:
    again = OwnPage()
    bring(again, changed(saved(page), lambda files: files.update({"photos/00003.png": screw(40)})))
    assert again.titles[0] == "1. Images: 2 normal, 2 to test"
    assert "got other pixels" in again.rejected["test 1.png"]
    assert again.warnings[0].startswith("1 of 5 images of the session are not here")


def test_session_of_too_many_images_is_refused(page: OwnPage, monkeypatch: pytest.MonkeyPatch) -> None:
    file, again = saved(page), OwnPage()
    monkeypatch.setattr(own_photos, "VISITOR_LIMITS", Limits(upload_images=3))
    bring(again, file)
    assert again.errors[0].replace("\\", "").startswith("images must be at most 3, got 4")
    assert again.titles == ["1. Bring images"]


def test_file_that_is_no_zip_is_told_in_japanese() -> None:
    page = OwnPage(lang="日本語")
    bring(page, ("kept.zip", b"PK no zip", "application/zip"))
    assert "壊れているか" in page.errors[0]
