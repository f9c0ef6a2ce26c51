import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from PIL import Image

from vaead.data.photos import Photo, Rejected
from vaead.errors import ModelFormatError, ModelNotFoundError
from vaead.inference import batches
from vaead.inference.batches import FEW, LocatedModel, current_folder, located_at, look_at_each
from vaead.inference.html_report import Entry
from vaead.inference.score_photos import Scoring, score_each
from vaead.model.model import Model
from vaead.model.prediction import judge
from vaead.model.store import save_model
from vaead.processes.workers import Workers


@pytest.fixture(scope="module")
def located(photo_model: Model, tmp_path_factory: pytest.TempPathFactory) -> LocatedModel:
    folder = tmp_path_factory.mktemp("located") / "model"
    save_model(folder, photo_model)
    return LocatedModel.load(folder)


def name_each(
    model: Model, photos: Sequence[Photo], said: Callable[[], str]
) -> Iterator[tuple[str, str, int]]:
    """For each photo its name, what the settings say, and the process; the model is one that can be used."""
    assert model.card.recipe.for_photos
    for photo in photos:
        yield photo.name, said(), os.getpid()


def named(count: int) -> list[Photo]:
    return [Photo(str(number), str(number)) for number in range(count)]


def processes(located: LocatedModel, count: int, workers: Workers) -> set[int]:
    found = list(look_at_each(name_each, lambda: "it", located, named(count), workers))
    assert [(name, said) for name, said, _ in found] == [(str(number), "it") for number in range(count)]
    return {process for *_, process in found}


def test_few_photos_do_not_wait_for_processes(located: LocatedModel) -> None:
    assert processes(located, FEW - 1, Workers()) == {os.getpid()}


def test_many_photos_go_to_processes_and_come_back_in_order(
    located: LocatedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("joblib.cpu_count", lambda: 2)
    assert os.getpid() not in processes(located, FEW, Workers())


def test_chosen_processes_get_few_photos_too(located: LocatedModel) -> None:
    assert os.getpid() not in processes(located, 3, Workers(jobs=2))
    assert processes(located, FEW, Workers(jobs=1)) == {os.getpid()}


def test_settings_are_asked_for_photo_by_photo_here(located: LocatedModel) -> None:
    said = iter("abc")
    found = look_at_each(name_each, lambda: next(said), located, named(3), Workers())
    assert [each for _, each, _ in found] == ["a", "b", "c"]


def test_worker_that_has_another_model_is_told(located: LocatedModel, tmp_path: Path) -> None:
    other = replace(located.model.card, created="2030-01-01T00:00:00+00:00")
    save_model(tmp_path / "other", Model(other, located.model.networks))
    mixed = LocatedModel(located.model, tmp_path / "other")
    with pytest.raises(ModelFormatError, match="model must be the same for all workers, got another one in"):
        processes(mixed, 3, Workers(jobs=2))
    absent = LocatedModel(located.model, tmp_path / "absent")
    with pytest.raises(ModelNotFoundError, match=r"model must be a folder with a card\.json"):
        processes(absent, 3, Workers(jobs=2))


def test_relative_sources_begin_where_the_command_was_given(tmp_path: Path) -> None:
    assert located_at("a/b.png", "/here") == "/here/a/b.png"
    assert located_at("/a/b.png", "/here") == "/a/b.png"
    assert located_at("s3://a/b.png", "/here") == "s3://a/b.png"


def test_photo_is_scored_from_where_it_is(
    located: LocatedModel,
    photos: list[NDArray[np.uint8]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Image.fromarray(photos[0]).save(tmp_path / "a.png")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    scoring = Scoring(0.1, str(tmp_path), maps=tmp_path / "maps", report=True)
    listed = [Photo("a.png", "a.png"), Photo("b.png", "b.png")]
    scored, rejected = score_each(located.model, listed, lambda: scoring)
    expected = judge(located.model, photos[0], 0.1)
    assert not isinstance(scored, Rejected)
    assert (scored.photo, scored.flagged) == (listed[0], expected.flagged)
    assert scored.scores == pytest.approx(expected.scores)
    assert {file.name for file in (tmp_path / "maps").iterdir()} == {
        f"a.{name}.{kind}" for name in expected.scores for kind in ("npy", "png")
    }
    assert isinstance(rejected, Rejected)
    assert rejected.reason.startswith("image 'b.png' must be an existing file, got")


def test_no_picture_is_drawn_of_what_the_report_would_not_show(
    located: LocatedModel, photos: list[NDArray[np.uint8]]
) -> None:
    judgement = judge(located.model, photos[0], 0.1)
    card, score = located.model.card, judgement.scores["calibrated"]
    drawn = [Entry.of(card, photos[0], judgement, above) for above in (None, (True, score / 2), (False, 1e9))]
    assert all(entry == drawn[0] and entry.pictures is not None for entry in drawn)
    assert Entry.of(card, photos[0], judgement, (True, score)) == dataclasses.replace(drawn[0], pictures=None)


def test_model_is_read_once_a_process(located: LocatedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    place, digest = located.place, batches._digest(located.model.card)
    first = batches._load(place, digest)
    assert batches._load(place, digest) is first
    assert current_folder() == str(Path.cwd())
