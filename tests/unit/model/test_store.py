import errno
import gzip
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from vaead.errors import ModelFormatError, ModelNotFoundError, StoreError
from vaead.model.card import FORMAT_VERSION, ModelCard
from vaead.model.files import CARD
from vaead.model.folder import load_model
from vaead.model.model import Model
from vaead.model.store import ModelStore
from vaead.recipe import ClassSource, Recipe
from vaead.scoring.loss_terms import SCORES

FILES = {"card.json", "network0.tflite.gz", "reference0.npz"}


@pytest.fixture
def newer(model: Model) -> Model:
    """The same model, made at another time."""
    return Model(replace(model.card, created="2030-01-01T00:00:00+00:00"), model.networks)


@pytest.fixture
def own(tmp_path: Path) -> ModelStore:
    """An empty store."""
    return ModelStore(tmp_path / "models")


def assert_holds(store: ModelStore, card: ModelCard) -> None:
    """The store has this one model, whole, and nothing else."""
    folder = store.folder(card.recipe)
    assert {path for path in store.root.rglob("*") if path.is_file()} == {folder / name for name in FILES}
    assert not list(store.root.rglob(".*"))
    assert store.load(card.recipe).card == card


def test_saved_model_scores_as_before(own: ModelStore, model: Model, images: NDArray[np.uint8]) -> None:
    card = model.card
    assert own.save(model) == own.folder(card.recipe)
    assert_holds(own, card)
    for score in SCORES:
        again = own.load(card.recipe).anomaly_map(images, score)
        np.testing.assert_array_equal(again, model.anomaly_map(images, score))


def test_model_of_two_networks_has_the_files_of_both(
    own: ModelStore, multi_scale: Model, images: NDArray[np.uint8]
) -> None:
    folder = own.save(multi_scale)
    further = {"network1.tflite.gz", "reference1.npz"}
    assert {path.name for path in folder.iterdir()} == FILES | further
    actual = load_model(folder).anomaly_score(images, "calibrated")
    np.testing.assert_array_equal(actual, multi_scale.anomaly_score(images, "calibrated"))


def test_program_is_compressed_the_same_way_each_time(own: ModelStore, model: Model) -> None:
    first = (own.save(model) / "network0.tflite.gz").read_bytes()
    assert (own.save(model) / "network0.tflite.gz").read_bytes() == first
    assert gzip.decompress(first) == model.networks[0].program


def test_folder_can_be_read_by_others(own: ModelStore, model: Model) -> None:
    assert own.save(model).stat().st_mode & 0o777 == 0o755


def test_new_model_replaces_the_old_one(own: ModelStore, model: Model, newer: Model) -> None:
    own.save(model)
    own.save(newer)
    assert_holds(own, newer.card)


def test_store_knows_what_it_holds(own: ModelStore, model: Model) -> None:
    recipe = model.card.recipe
    assert recipe not in own
    own.save(model)
    assert recipe in own
    assert Recipe.from_preset("article", ClassSource("digits", 2)) not in own


@pytest.mark.parametrize("place", ["absent", "absent/" + "x" * 300, "file/below"])
def test_absent_model_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelNotFoundError, match=r"model must be a folder with a card\.json, got .*; train"):
        load_model(tmp_path / place)


@pytest.mark.parametrize("name", sorted(FILES - {CARD}))
def test_model_without_one_of_its_files_is_refused(own: ModelStore, model: Model, name: str) -> None:
    folder = own.save(model)
    (folder / name).unlink()
    with pytest.raises(ModelFormatError, match=f"must hold a readable {name}, got .* without it; train"):
        load_model(folder)


def test_model_without_its_second_network_is_refused(own: ModelStore, multi_scale: Model) -> None:
    folder = own.save(Model(multi_scale.card, multi_scale.networks[:1]))
    with pytest.raises(ModelFormatError, match=r"must hold a readable network1\..* got .* without it"):
        load_model(folder)


@pytest.mark.parametrize("name", sorted(FILES - {CARD}))
def test_model_with_a_truncated_file_is_refused(own: ModelStore, model: Model, name: str) -> None:
    folder = own.save(model)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-1])
    with pytest.raises(
        ModelFormatError, match=f"{name} must match its checksum .* damaged file in .*; train"
    ):
        load_model(folder)


def test_model_with_a_damaged_card_is_refused(own: ModelStore, model: Model) -> None:
    folder = own.save(model)
    content = (folder / CARD).read_bytes()
    (folder / CARD).write_bytes(content[: len(content) // 2] + b"\xff")
    with pytest.raises(ModelFormatError, match=r"card\.json must be a model card .* cannot be read"):
        load_model(folder)


def test_model_of_a_newer_version_is_refused(own: ModelStore, model: Model) -> None:
    folder = own.save(model)
    text = (folder / CARD).read_text()
    old, new = (f'"format_version":{FORMAT_VERSION + more}' for more in (0, 1))
    assert old in text
    (folder / CARD).write_text(text.replace(old, new))
    with pytest.raises(ModelFormatError, match=f"format_version must be {FORMAT_VERSION}, got"):
        load_model(folder)


def test_store_below_a_file_cannot_be_written(tmp_path: Path, model: Model) -> None:
    (tmp_path / "file").touch()
    store = ModelStore(tmp_path / "file" / "models")
    with pytest.raises(StoreError, match=r"store must be a folder that can be written, got .*; free some"):
        store.save(model)


def test_store_is_checked_before_training(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = ModelStore(tmp_path / "file" / "models")
    with pytest.raises(StoreError, match=r"store must be a folder that can be written, got .*; free some"):
        store.check_writable()


def test_check_leaves_nothing_behind(own: ModelStore) -> None:
    own.check_writable()
    assert list(own.root.iterdir()) == []


def fill_disk(monkeypatch: pytest.MonkeyPatch, files_that_fit: int) -> None:
    """From now on, writing a file fails after so many files, halfway through."""
    write_bytes = Path.write_bytes
    written: list[Path] = []

    def fail_when_full(path: Path, content: bytes) -> int:
        if len(written) >= files_that_fit:
            write_bytes(path, content[: len(content) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", fail_when_full)


@pytest.mark.parametrize("files_that_fit", [0, 1, 2])
def test_full_disk_leaves_no_model(
    own: ModelStore, model: Model, files_that_fit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_disk(monkeypatch, files_that_fit)
    with pytest.raises(StoreError, match=r"got .* \(No space left on device\); free some space"):
        own.save(model)
    assert not any(path.is_file() or path.name.startswith(".") for path in own.root.rglob("*"))


def test_full_disk_keeps_the_old_model(
    own: ModelStore, model: Model, newer: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.save(model)
    fill_disk(monkeypatch, 2)
    with pytest.raises(StoreError, match="No space left on device"):
        own.save(newer)
    assert_holds(own, model.card)


def test_old_model_comes_back_if_the_new_one_cannot_take_its_place(
    own: ModelStore, model: Model, newer: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = own.save(model)
    move = Path.replace

    def fail_for_the_new_one(path: Path, target: Path) -> Path:
        if target == folder and (path / CARD).read_text() != (moved / CARD).read_text():
            raise OSError(errno.EIO, "Input/output error")
        return move(path, target)

    moved = folder.with_name("copy")
    shutil.copytree(folder, moved)
    monkeypatch.setattr(Path, "replace", fail_for_the_new_one)
    with pytest.raises(StoreError, match="Input/output error"):
        own.save(newer)
    shutil.rmtree(moved)
    assert_holds(own, model.card)


def test_writer_that_comes_in_between_does_no_harm(
    own: ModelStore, model: Model, newer: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = own.save(model)
    move = Path.replace
    others = [newer]

    def replace_after_another_writer(path: Path, target: Path) -> Path:
        # The old model has been moved away, and the new one is about to take its place.
        if target == folder and others:
            own.save(others.pop())
        return move(path, target)

    monkeypatch.setattr(Path, "replace", replace_after_another_writer)
    own.save(model)
    assert others == []
    assert_holds(own, model.card)


def test_writers_at_the_same_time_leave_one_whole_model(own: ModelStore, model: Model) -> None:
    faults: list[BaseException] = []
    start = threading.Barrier(4)

    def write() -> None:
        start.wait()
        try:
            for _ in range(25):
                own.save(model)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert_holds(own, model.card)


def test_default_store_is_the_folder_of_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VAEAD_STORE", str(tmp_path))
    assert ModelStore().root == tmp_path


def test_default_store_is_beside_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAEAD_STORE", raising=False)
    assert (ModelStore().root.parent / "vaead" / "model" / "store.py").is_file()
