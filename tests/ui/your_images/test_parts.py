"""What the page "Your images" is made of: the visitor's folder, the estimate, downloads, memory."""

from __future__ import annotations

import gc
import io
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from tests.ui.your_images.helpers import png, screw
from vaead.cli import main
from vaead.data.photos import Limits, read_photo
from vaead.data.photos.examine import examine
from vaead.data.screws.generator import DEFECTS
from vaead.data.screws.screw_set import ScrewSet
from vaead.errors import InvalidInputError
from vaead.i18n.texts import Texts
from vaead.inference.map_files import file_name
from vaead.inference.read_photos import read_options
from vaead.inference.tables import from_csv
from vaead.metrics.baselines import BASELINES, Baselines
from vaead.metrics.groups import ALL, MEASURES
from vaead.metrics.image import Metrics
from vaead.model.folder import load_card, load_model
from vaead.recipe import PhotoSource, Recipe
from vaead.scoring.loss_terms import SCORES
from vaead.ui.your_images import downloads, predictions
from vaead.ui.your_images.own_photos import OwnPhotos
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.session_folder import FolderWatch, PrivateFolder
from vaead.ui.your_images.training_settings import held_out_windows, memory_bytes
from vaead.ui.your_images.upload_queue import Upload
from vaead.ui.your_images.upload_reading import Batch, read_batches, read_uploads

RATE = 0.05
SCREWS = ScrewSet(train=2, good=2, defective=1, severities=(1.0,), scale=0.5)


def ignore(done: int, total: int) -> None:
    pass


def finish(upload: Upload) -> None:
    for _ in upload.steps:
        pass


@pytest.fixture
def photos(tmp_path: Path) -> OwnPhotos:
    own = OwnPhotos(tmp_path / "photos")
    own.folder.mkdir()
    finish(read_batches(own, [Batch(SCREWS.photos, SCREWS.read)]))
    return own


@pytest.fixture
def results(photos: OwnPhotos, photo_model: Path) -> Results:
    made = Results(load_card(photo_model), photo_model)
    made.score(photos.test, ignore)
    return made


@pytest.fixture
def folder() -> Iterator[PrivateFolder]:
    made = PrivateFolder()
    yield made
    made.close()


def test_folder_is_private_and_goes_with_its_owner() -> None:
    folder = PrivateFolder()
    path, done = folder.path, []
    folder.before_removal(lambda: done.append(path.exists()))
    assert path.stat().st_mode & 0o077 == 0
    del folder
    gc.collect()
    assert not path.exists()
    assert done == [True]


def test_folder_of_a_session_that_left_is_closed_after_a_while(folder: PrivateFolder) -> None:
    active = {"here": True}
    watch = FolderWatch(active.__getitem__, absent_s=0.0)
    watch.add("here", folder)
    watch.sweep()
    assert folder.path.exists()
    active["here"] = False
    watch.sweep()
    assert not folder.path.exists()


def test_session_that_comes_back_in_time_keeps_its_folder(folder: PrivateFolder) -> None:
    watch = FolderWatch(lambda session: False, absent_s=1000.0)
    watch.add("gone", folder)
    watch.sweep()
    assert folder.path.exists()


def test_training_of_a_visitor_who_is_away_ends_before_the_folder_goes(folder: PrivateFolder) -> None:
    watch, ended = FolderWatch(lambda session: False, absent_s=1000.0, left_s=0.0), []
    folder.before_removal(lambda: ended.append("training"))
    watch.add("away", folder)
    watch.sweep()
    watch.sweep()
    assert ended == ["training"]
    assert folder.path.exists()


def test_files_are_kept_under_made_up_names(photos: OwnPhotos) -> None:
    finish(read_uploads(photos, [("a b/../c 😀.png", io.BytesIO(screw(1)))], "normal"))
    finish(read_uploads(photos, [("part 😀.png", io.BytesIO(screw(1)))], "normal"))
    assert "must be a path inside its folder" in photos.rejected[0].reason
    assert photos.normal[-1].name == "part 😀.png"
    assert photos.normal[-1].path.parent == photos.folder
    assert photos.normal[-1].path.stem.isdigit()
    assert photos.normal[-1].path.read_bytes() == screw(1)


def test_colours_are_found_and_grey_stored_as_colour_is_grey() -> None:
    grey = np.full((30, 40, 3), 90, np.uint8)
    assert not examine(png(grey), "grey.png", Limits()).has_colors
    grey[:10, :, 0] = 200
    assert examine(png(grey), "red.png", Limits()).has_colors


def test_memory_grows_with_crops_and_patches(photos: OwnPhotos) -> None:
    def n_bytes(**settings: int) -> float:
        return memory_bytes(Recipe.from_preset("industrial", PhotoSource(), **settings), photos.normal)

    base = n_bytes(patch_size=24, crops=5000)
    assert n_bytes(patch_size=24, crops=9000) > base
    assert n_bytes(patch_size=32, crops=5000) > base


def test_memory_grows_with_the_windows_of_many_images(photos: OwnPhotos) -> None:
    recipe = Recipe.from_preset("industrial", PhotoSource(scale=0.5), patch_size=24, stride=4)
    few, many = (memory_bytes(recipe, photos.normal * count) for count in (1, 1000))
    # 875 windows in each of 2,000 images of 160x120, half of them held out; and the images themselves.
    assert many - few == pytest.approx(1e6 * 875 * 1e-6 * 1000 * 1400 + 2000 * 8 * 19_200, rel=0.01)
    assert held_out_windows(recipe, photos.normal * 1000) == 875_000


def test_model_knows_how_large_the_images_were(results: Results) -> None:
    assert results.learned_sides_px == [320, 320]  # 160 pixels at half the size


def test_each_image_is_scored_once(
    results: Results, photos: OwnPhotos, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Results, "_predict", lambda *_: pytest.fail("scored again"))
    results.score(photos.test, ignore)
    assert len(results.scored) == len(photos.test)


def test_maps_that_were_dropped_are_computed_again(
    photos: OwnPhotos, photo_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "_KEPT_BYTES", 1)
    results = Results(load_card(photo_model), photo_model)
    results.score(photos.test, ignore)
    assert len(results._kept) == 1
    photo, first = next(iter(results.scored.items()))
    again = results.prediction(photo, RATE)
    assert again.scores == pytest.approx(first.scores)
    assert again.anomaly_map("new").shape == again.shape


def test_metrics_follow_labels_and_masks(results: Results) -> None:
    *defects, joint = results.metrics()
    assert [each.group for each in defects] == list(DEFECTS)
    assert (joint.n_normal, joint.n_anomalous) == (2, 5)
    for each in (*defects, joint):
        for name in MEASURES:
            assert all(0 <= each.measure(name)[score] <= 1 for score in SCORES)


def test_metrics_are_computed_anew_when_images_came(
    results: Results, photos: OwnPhotos, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = results.metrics()
    assert results.metrics() is before
    finish(read_uploads(photos, [("x.png", io.BytesIO(screw(3)))], "test"))
    results.score(photos.test, ignore)
    assert results.metrics() is before  # it has no label
    results.score([replace(photos.test[0])], ignore)
    assert results.metrics()[-1].n_normal == before[-1].n_normal + 1


def test_simple_methods_join_the_metrics_until_images_come_that_they_have_not_scored(
    photos: OwnPhotos, photo_model: Path
) -> None:
    results = Results(load_card(photo_model), photo_model)
    results.score(photos.test, ignore)
    before = results.metrics()[-1]
    shares: list[float] = []
    results.compare(photos.normal, shares.append)
    joint = results.metrics()[-1]
    assert shares[-1] == 1
    assert list(joint.auroc) == [*SCORES, *BASELINES]
    assert {score: joint.aupro[score] for score in SCORES} == before.aupro
    assert joint.aupro["per_place"] is None
    options = read_options(results.card.recipe)
    read = {
        photo: read_photo(str(photo.path), photo.name, options) for photo in (*photos.normal, *photos.test)
    }
    expected = Baselines.fit([read[photo] for photo in photos.normal])
    sides = [
        [read[each] for each in photos.test if (each.defect == "good") == good] for good in (True, False)
    ]
    low, high = (expected.scores(side)["per_place"] for side in sides)
    assert joint.auroc["per_place"] == pytest.approx(Metrics.compute(low, high).auroc)
    results.score([replace(photos.test[0])], ignore)
    assert list(results.metrics()[-1].auroc) == list(SCORES)
    assert len(results.to_compare()) == 1


def test_simple_methods_need_two_normal_images(photos: OwnPhotos, photo_model: Path) -> None:
    results = Results(load_card(photo_model), photo_model)
    results.score(photos.test[:2], ignore)
    results.compare(photos.normal[:1], lambda _: None)
    assert list(results.metrics()[-1].auroc) == list(SCORES)


def test_files_are_those_of_the_command_line(
    results: Results, photos: OwnPhotos, photo_model: Path, tmp_path: Path
) -> None:
    folder, out = tmp_path / "set", tmp_path / "out"
    for photo in photos.test:
        (folder / photo.name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(photo.path, folder / photo.name)
    options = ["--csv", out / "s.csv", "--maps", out / "maps", "--masks", out / "masks"]
    arguments = ["score", "--model", photo_model, folder, "--false-alarm-rate", RATE, *options]
    done = CliRunner().invoke(main, [str(each) for each in arguments])
    assert done.exit_code == 0, done.output
    table = (out / "s.csv").read_text(encoding="utf-8").replace(f"{folder}/", "")
    assert sorted(downloads.scores_csv(results, RATE).splitlines()) == sorted(table.splitlines())
    with zipfile.ZipFile(io.BytesIO(downloads.maps_zip(results, "new", RATE))) as archive:
        packed = {name: archive.read(name) for name in archive.namelist()}
    found = (path for path in out.rglob("*.new.*"))
    assert packed == {path.relative_to(out).as_posix(): path.read_bytes() for path in found}
    assert len(packed) == 3 * len(results.scored)


def test_table_of_metrics_has_a_row_for_each_defect_and_score(results: Results) -> None:
    rows = from_csv(downloads.metrics_csv(results))
    assert [(row["group"], row["score"]) for row in rows] == [
        (defect, score) for defect in (*DEFECTS, ALL) for score in SCORES
    ]
    assert float(rows[-1]["aupro"]) == results.metrics()[-1].aupro["calibrated"]


def test_there_are_no_metrics_without_labels(photos: OwnPhotos, photo_model: Path) -> None:
    results = Results(load_card(photo_model), photo_model)
    finish(read_uploads(photos, [("x.png", io.BytesIO(screw(3)))], "test"))
    results.score(photos.test[-1:], ignore)
    assert results.metrics() == []


def test_table_of_scores_has_a_row_an_image(results: Results) -> None:
    rows = from_csv(downloads.scores_csv(results, RATE))
    assert [row["image"] for row in rows] == [photo.name for photo in results.scored]
    assert [row["label"] for row in rows[:3]] == ["good", "good", "scratch"]
    limit = results.calibration.threshold_value("new", RATE)
    assert [row["flagged_new"] for row in rows] == [str(int(float(row["new"]) > limit)) for row in rows]


def test_maps_and_masks_are_packed_for_every_image(results: Results) -> None:
    photo = next(iter(results.scored))
    with zipfile.ZipFile(io.BytesIO(downloads.maps_zip(results, "new", RATE))) as archive:
        assert len(archive.namelist()) == 3 * len(results.scored)
        numbers = np.load(io.BytesIO(archive.read(f"maps/{file_name(photo.name, 'new', 'npy')}")))
        mask = Image.open(io.BytesIO(archive.read(f"masks/{file_name(photo.name, 'new', 'mask.png')}")))
    np.testing.assert_array_equal(numbers, results.prediction(photo, RATE).anomaly_map("new"))
    assert mask.size == (320, 240)


def test_maps_of_images_with_one_name_are_all_packed(results: Results) -> None:
    first = next(iter(results.scored))
    results.score([replace(first)], ignore)
    with zipfile.ZipFile(io.BytesIO(downloads.maps_zip(results, "new", RATE))) as archive:
        names = archive.namelist()
    assert len(names) == len(set(names)) == 3 * len(results.scored)
    assert f"maps/{len(results.scored) - 1:04d}/{file_name(first.name, 'new', 'npy')}" in names


def test_model_can_be_loaded_after_unpacking(results: Results, tmp_path: Path) -> None:
    zipfile.ZipFile(io.BytesIO(downloads.model_zip(results))).extractall(tmp_path)
    assert load_model(tmp_path / "model").card.recipe == results.card.recipe


def test_report_names_every_image(results: Results) -> None:
    page = downloads.report_html(results, RATE, Texts("en"))
    assert all(photo.name in page for photo in results.scored)


def test_image_that_is_too_small_for_the_model_is_told(results: Results, photos: OwnPhotos) -> None:
    finish(read_uploads(photos, [("tiny.png", io.BytesIO(png(np.zeros((9, 9), np.uint8))))], "test"))
    results.score(photos.test, ignore)
    assert "must be at least 24x24 px" in results.rejected[0].reason
    with pytest.raises(InvalidInputError, match="at least 24x24"):
        results.prediction(photos.test[-1], RATE)
