"""A click while images are taken in or judged: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import io
import shutil
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner_utils.exceptions import RerunException, StopException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

from tests.ui.your_images.helpers import OwnPage, screw, screws, small_demo
from vaead.data.photos import Rejected
from vaead.inference.prediction import Prediction
from vaead.model.store import load_model
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.upload_queue import Intake
from vaead.ui.your_images.uploaded_photos import OwnPhoto, OwnPhotos, examine, take_in
from vaead.zoo import screw_demo

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
    assert len(names(page)) == 3
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
    assert page.titles[0] == "1. Images: 4 normal, 7 to judge"
    assert len({photo.digest for photo in page["_own"].photos.judged}) == 7
    assert len(page.tiles) == 7


def test_what_is_removed_while_it_comes_in_does_not_come_back(click_at: Click) -> None:
    page = OwnPage()
    click_at(2, StopException())
    page.upload("normal", *screws(5))
    page["_own"].clear()  # the button, which a click finds although the page is not drawn anew yet
    page.run()
    assert page.titles == ["1. Bring images"]
    assert page.errors == []


def test_two_runs_of_the_page_take_each_image_in_once() -> None:
    taken: list[int] = []

    def steps() -> Generator[None]:
        for number in range(2000):
            taken.append(number)
            yield

    def run() -> int:
        return sum(iter(intake.advance, False))

    intake = Intake(steps(), 2000)
    with ThreadPoolExecutor(2) as runs:
        shares = [runs.submit(run) for _ in range(2)]
    assert sum(share.result() for share in shares) == 2000
    assert taken == list(range(2000))


def test_of_two_uploads_with_one_name_the_first_is_taken(photos: OwnPhotos) -> None:
    first, second = screw(1), screw(2)
    intake = take_in(photos, [("a.png", io.BytesIO(first)), ("a.png", io.BytesIO(second))], "normal")
    while intake.advance():
        pass
    assert [photo.digest for photo in photos.normal] == [examine(first, "a.png").digest]
    assert [each.name for each in photos.rejected] == ["a.png"]


class TwoAtOnce:
    """Has two threads ask for something at the same time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.both = threading.Barrier(2, timeout=30)
        predict = Results._predict

        def waiting(results: Results, photo: OwnPhoto) -> Prediction | Rejected:
            self.both.wait()
            return predict(results, photo)

        monkeypatch.setattr(Results, "_predict", waiting)

    def run(self, ask: Callable[[], object]) -> list[object]:
        with ThreadPoolExecutor(2) as threads:
            asked = [threads.submit(ask) for _ in range(2)]
        return [each.result() for each in asked]


@pytest.fixture
def judged(photos: OwnPhotos, photo_model: Path) -> Results:
    """A model without results, and one image to judge."""
    intake = take_in(photos, [("a.png", io.BytesIO(screw(1)))], "judged")
    assert intake.advance()
    return Results(load_model(photo_model), photo_model)


def test_maps_that_a_download_and_the_page_compute_at_once_are_kept_once(
    judged: Results, photos: OwnPhotos, monkeypatch: pytest.MonkeyPatch
) -> None:
    for found in TwoAtOnce(monkeypatch).run(lambda: judged.prediction(photos.judged[0], 0.05)):
        assert isinstance(found, Prediction)
    assert judged._kept_bytes == sum(each.n_bytes for each in judged._kept.values()) > 0


def test_image_that_two_runs_of_the_page_judge_at_once_is_listed_once(
    judged: Results, photos: OwnPhotos, monkeypatch: pytest.MonkeyPatch
) -> None:
    TwoAtOnce(monkeypatch).run(lambda: judged.score(photos.judged, lambda done, total: None))
    assert len(judged.scored) == 1
