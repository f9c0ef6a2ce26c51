import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from PIL import Image

from vaead.data.photos import Photo, Rejected
from vaead.errors import ModelFormatError, ModelNotFoundError
from vaead.inference import predict as module
from vaead.inference.predict import FEW, LocatedModel, PredictSettings, predict_photos, summarize_each
from vaead.inference.prediction import Prediction, Thresholds, predict
from vaead.model.folder import save_model
from vaead.model.model import Model
from vaead.processes.workers import Workers


@pytest.fixture(scope="module")
def located(photo_model: Model, tmp_path_factory: pytest.TempPathFactory) -> LocatedModel:
    folder = tmp_path_factory.mktemp("located") / "model"
    save_model(folder, photo_model)
    return LocatedModel.load(folder)


@pytest.fixture
def settings(located: LocatedModel) -> PredictSettings:
    return PredictSettings(Thresholds.from_rate(located.model.card.normal_scores, 0.1))


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> list[Photo]:
    """The photos that this process has been asked for."""
    asked: list[Photo] = []

    def summarize(model: Model, photos: list[Photo], settings: PredictSettings) -> Iterator[object]:
        asked.extend(photos)
        yield from summarize_each(model, photos, settings)

    monkeypatch.setattr(module, "summarize_each", summarize)
    return asked


def absent(located: LocatedModel, settings: PredictSettings, count: int, workers: Workers) -> list[Photo]:
    """Predict photos that are not there, which come back in their order."""
    photos = [Photo(str(number), str(number)) for number in range(count)]
    found = list(predict_photos(located, photos, settings, workers))
    assert [each.name for each in found if isinstance(each, Rejected)] == [each.name for each in photos]
    return photos


def test_few_photos_do_not_wait_for_processes(
    located: LocatedModel, settings: PredictSettings, here: list[Photo]
) -> None:
    assert absent(located, settings, FEW - 1, Workers()) == here


def test_many_photos_go_to_processes_and_come_back_in_order(
    located: LocatedModel, settings: PredictSettings, here: list[Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("joblib.cpu_count", lambda: 2)
    absent(located, settings, FEW, Workers())
    assert here == []


def test_chosen_processes_get_few_photos_too(
    located: LocatedModel, settings: PredictSettings, here: list[Photo]
) -> None:
    absent(located, settings, 3, Workers(jobs=2))
    assert here == []
    assert absent(located, settings, FEW, Workers(jobs=1)) == here


def test_worker_that_has_another_model_is_named(
    located: LocatedModel, settings: PredictSettings, tmp_path: Path
) -> None:
    other = replace(located.model.card, created="2030-01-01T00:00:00+00:00")
    save_model(tmp_path / "other", Model(other, located.model.networks))
    mixed = LocatedModel(located.model, tmp_path / "other")
    with pytest.raises(ModelFormatError, match="model must be the same for all workers, got another one in"):
        absent(mixed, settings, 3, Workers(jobs=2))
    missing = LocatedModel(located.model, tmp_path / "absent")
    with pytest.raises(ModelNotFoundError, match=r"model must be a folder with a card\.json"):
        absent(missing, settings, 3, Workers(jobs=2))


@pytest.mark.parametrize("source", ["a.png", "{folder}/a.png", "file://{folder}/a.png"])
def test_photo_is_predicted_from_where_it_is(
    located: LocatedModel,
    photos: list[NDArray[np.uint8]],
    settings: PredictSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
) -> None:
    Image.fromarray(photos[0]).save(tmp_path / "a.png")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    elsewhere = dataclasses.replace(settings, base_dir=str(tmp_path), maps=tmp_path / "maps")
    written = source.format(folder=tmp_path)
    listed = [Photo("a.png", written), Photo("b.png", "b.png")]
    found, rejected = summarize_each(located.model, listed, elsewhere)
    expected = predict(located.model, listed[0], photos[0], settings.thresholds)
    assert isinstance(found, Prediction)
    assert (found.photo.label, found.flagged) == (written, expected.flagged)
    assert found.scores == pytest.approx(expected.scores)
    assert found.n_bytes == 0
    assert {file.name for file in (tmp_path / "maps").iterdir()} == {
        f"a.{name}.{kind}" for name in expected.scores for kind in ("npy", "png")
    }
    assert isinstance(rejected, Rejected)
    assert rejected.reason.startswith("image 'b.png' must be an existing file, got")


def test_model_is_read_once_a_process(located: LocatedModel) -> None:
    digest = module._digest(located.model.card)
    assert module._load(located.path, digest) is module._load(located.path, digest)
