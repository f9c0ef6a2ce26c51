"""A click while images are read or scored: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import io
import shutil
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
from streamlit.delta_generator import DeltaGenerator
from streamlit.proto.Common_pb2 import FileURLs as FileURLsProto
from streamlit.runtime.scriptrunner_utils.exceptions import RerunException, StopException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

from tests.ui.your_images.helpers import OwnPage, screw, screws, small_demo
from vaead.data.photos import Limits, Rejected
from vaead.data.photos.examine import examine
from vaead.inference.prediction import Prediction
from vaead.model.folder import load_card
from vaead.ui.your_images.own_photos import OwnPhoto, OwnPhotos
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.upload_queue import Upload, UploadQueue
from vaead.ui.your_images.upload_reading import read_uploads
from vaead.zoo import screw_demo

T = TypeVar("T")
Click = Callable[[int, BaseException], None]


@pytest.fixture
def click_at(monkeypatch: pytest.MonkeyPatch) -> Click:
    """Have Streamlit end the run when the progress of the page is told for the n-th time, as a click does."""

    def click(number: int, end: BaseException) -> None:
        told = iter(range(1, 1000))

        def progress(place: DeltaGenerator, *_: object) -> None:
            if next(told) == number:
                raise end

        monkeypatch.setattr(DeltaGenerator, "progress", progress)

    return click


@pytest.fixture
def photos(tmp_path: Path) -> OwnPhotos:
    own = OwnPhotos(tmp_path / "photos")
    own.folder.mkdir()
    return own


def names(page: OwnPage) -> list[str]:
    return [photo.name for photo in page["_own"].photos.normal]


def test_rest_of_an_upload_is_taken_in_after_a_click(click_at: Click) -> None:
    page = OwnPage()
    click_at(2, RerunException(RerunData()))
    page.upload("normal", *screws(5))
    assert names(page) == [f"part {index}.png" for index in range(5)]
    assert page.rejected == {}


def test_rest_of_an_upload_is_taken_in_when_the_visitor_comes_back(click_at: Click) -> None:
    page = OwnPage()
    click_at(3, StopException())
    page.upload("normal", *screws(5))
    assert len(names(page)) == 2  # progress is told before an image is read
    page.run()
    assert names(page) == [f"part {index}.png" for index in range(5)]


def test_demo_is_whole_and_has_its_model_after_a_click(
    click_at: Click, monkeypatch: pytest.MonkeyPatch, photo_model: Path, store: Path
) -> None:
    small_demo(monkeypatch)
    shutil.copytree(photo_model, store / screw_demo.model_folder())
    page = OwnPage()
    click_at(2, RerunException(RerunData()))
    page.click("own_demo")
    assert page.titles[0] == "1. Images: 4 normal, 7 to test"
    assert len({photo.digest for photo in page["_own"].photos.test}) == 7
    assert len(page.tiles) == 7


def test_what_is_removed_while_it_comes_in_does_not_come_back(click_at: Click) -> None:
    page = OwnPage()
    click_at(2, StopException())
    page.upload("normal", *screws(5))
    page["_own"].clear()  # the button, which a click finds although the page is not drawn anew yet
    page.run()
    assert page.titles == ["1. Bring images"]
    assert page.errors == []


def at_once(ask: Callable[[], T]) -> list[T]:
    """Results of two threads that ask the same."""
    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(ask) for _ in range(2)]
    return [each.result() for each in asked]


def test_two_runs_of_the_page_read_each_image_once_and_one_sees_the_end() -> None:
    read: list[int] = []

    def steps() -> Generator[None]:
        for number in range(2000):
            read.append(number)
            yield

    queue = UploadQueue()
    queue.put(Upload(steps(), 2000, "normal"))
    before = queue.keys("normal", "files")
    seen = at_once(lambda: [step.ended for step in iter(queue.advance, None)])
    assert sorted(ended for each in seen for ended in each) == [False] * 2000 + [True]
    assert read == list(range(2000))
    assert queue.keys("normal", "files")[0] == before[1]  # so the next upload finds an empty control


def test_two_runs_of_the_page_begin_one_upload_of_a_file() -> None:
    begun: list[str] = []
    both = threading.Barrier(2, timeout=30)

    def begin(files: Sequence[UploadedFile]) -> None:
        begun.extend(file.file_id for file in files)

    queue = UploadQueue()
    files = [
        UploadedFile(UploadedFileRec(f"{number}", "a.png", "", b""), FileURLsProto()) for number in range(2)
    ]

    def poll() -> bool:
        both.wait()
        return queue.poll(files, begin)

    assert sorted(at_once(poll)) == [False, True]
    assert begun == ["0", "1"]


def test_after_a_problem_the_next_upload_is_read() -> None:
    def full() -> Generator[None]:
        yield
        raise OSError("no room")

    queue = UploadQueue()
    queue.put(Upload(full(), 2))
    queue.put(Upload((None for _ in range(1)), 1))
    steps = list(iter(queue.advance, None))
    assert [(step.ended, str(step.problem or "")) for step in steps] == [
        (False, ""),
        (True, "no room"),
        (False, ""),
        (True, ""),
    ]


def test_images_of_one_name_from_several_folders_are_all_read(photos: OwnPhotos) -> None:
    names = ["a.png", "b.png", "a.png", "a.png"]
    contents = [screw(index) for index in range(len(names))]
    upload = read_uploads(photos, list(zip(names, map(io.BytesIO, contents), strict=True)), "normal")
    assert upload.total == len(list(upload.steps)) == len(names)
    assert [photo.name for photo in photos.normal] == ["a.png", "b.png", "a.png", "a.png"]
    assert {photo.digest for photo in photos.normal} == {
        examine(content, "a.png", Limits()).digest for content in contents
    }
    assert photos.rejected == []


@pytest.fixture
def two_predict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each prediction wait until another thread predicts, too."""
    both = threading.Barrier(2, timeout=30)
    predict = Results._predict

    def waiting(results: Results, photo: OwnPhoto) -> Prediction | Rejected:
        both.wait()
        return predict(results, photo)

    monkeypatch.setattr(Results, "_predict", waiting)


@pytest.fixture
def results(photos: OwnPhotos, photo_model: Path) -> Results:
    """A model without results, and one image to test."""
    list(read_uploads(photos, [("a.png", io.BytesIO(screw(1)))], "test").steps)
    return Results(load_card(photo_model), photo_model)


@pytest.mark.usefixtures("two_predict")
def test_maps_that_a_download_and_the_page_compute_at_once_are_kept_once(
    results: Results, photos: OwnPhotos
) -> None:
    for found in at_once(lambda: results.prediction(photos.test[0], 0.05)):
        assert isinstance(found, Prediction)
    assert results._kept_bytes == sum(each.n_bytes for each in results._kept.values()) > 0


@pytest.mark.usefixtures("two_predict")
def test_image_that_two_runs_of_the_page_score_at_once_is_listed_once(
    results: Results, photos: OwnPhotos
) -> None:
    at_once(lambda: results.score(photos.test, lambda done, total: None))
    assert len(results.scored) == 1
