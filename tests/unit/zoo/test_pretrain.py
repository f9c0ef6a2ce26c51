import json
from collections.abc import Iterable
from dataclasses import replace as replace_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from vaead.config import NetworkConfig
from vaead.data.datasets import Dataset
from vaead.errors import InvalidInputError, UnknownNameError
from vaead.metrics.class_pairs import pairs_file
from vaead.metrics.image import class_aurocs
from vaead.model.folder import load_model
from vaead.model.model import Model
from vaead.model.store import ModelStore
from vaead.presets import SHIPPED_PRESETS
from vaead.processes.workers import Workers
from vaead.recipe import ClassSource, Recipe
from vaead.scoring.loss_terms import SCORES
from vaead.zoo import pretrain as pretraining
from vaead.zoo import screw_demo
from vaead.zoo.pretrain import is_measured, pretrain, pretrain_demo, recipes, write_pairs

CLASSES = range(10)
AUROC = {score: {**{str(number): 0.5 for number in CLASSES}, "all": 0.5} for score in SCORES}
TINY = Recipe.from_preset("article", ClassSource("digits", 3), epochs=1, crops=128)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
    """An empty store; what a training does to the environment is undone."""
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "TF_CPP_MIN_LOG_LEVEL"):
        monkeypatch.setenv(name, "1")
    return ModelStore(tmp_path)


def put(store: ModelStore, model: Model, recipe: Recipe, **changes: object) -> None:
    """Store a copy of a model as that of another recipe."""
    store.save(Model(replace(model.card, **{"auroc": AUROC, **changes}, recipe=recipe), model.networks))


def test_all_classes_of_a_seed_come_before_the_next_seed() -> None:
    wanted = recipes(["mnist", "digits"], SHIPPED_PRESETS, seeds=2)
    assert len(set(wanted)) == len(wanted) == 2 * 10 * len(SHIPPED_PRESETS) * 2
    assert [recipe.train.seed for recipe in wanted] == [0] * 40 + [1] * 40
    assert [recipe.class_source.normal for recipe in wanted[:10]] == list(CLASSES)
    assert wanted[10] == Recipe.from_preset(SHIPPED_PRESETS[0], ClassSource("digits", 0))


def test_unknown_dataset_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"dataset must be one of .*, got 'digit'"):
        recipes(["digit"], ["article"], 1)


def test_unknown_preset_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"preset must be one of .*, got 'articel'"):
        recipes(["digits"], ["articel"], 1)


@pytest.mark.usefixtures("no_arithmetic")
def test_model_is_trained_and_measured_on_the_test_images(own: ModelStore, digits: Dataset) -> None:
    assert not is_measured(TINY, own)
    assert list(pretrain([TINY], own, Workers(jobs=1))) == [TINY]
    assert is_measured(TINY, own)
    model = own.load(TINY)
    for score in SCORES:
        scores = model.anomaly_score(digits.test.images, score)
        assert model.card.auroc[score] == pytest.approx(class_aurocs(scores, digits.test.labels, 3), abs=1e-4)
    assert model.card.auroc["new"].keys() == {*map(str, CLASSES), "all"} - {"3"}


def classes(recipes: Iterable[Recipe]) -> list[int]:
    return sorted(recipe.class_source.normal for recipe in recipes)


def test_models_that_are_there_are_not_trained_again(
    own: ModelStore, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, unmeasured, absent, damaged = (
        Recipe.from_preset("article", ClassSource("digits", number)) for number in (1, 2, 3, 4)
    )
    put(own, model, there)
    put(own, model, unmeasured, auroc={})
    put(own, model, damaged)
    (own.folder(damaged) / "reference0.npz").write_bytes(b"")
    trained: list[Recipe] = []

    def train(task: tuple[Recipe, Path]) -> Recipe:
        recipe, root = task
        assert root == own.root
        put(own, model, recipe)
        trained.append(recipe)
        return recipe

    monkeypatch.setattr(pretraining, "_train_and_measure", train)
    wanted = [absent, damaged, there, unmeasured]
    assert sorted(recipe.class_source.normal for recipe in pretrain(wanted, own, Workers(jobs=1))) == [
        1,
        2,
        3,
        4,
    ]
    assert classes(trained) == [2, 3, 4]
    assert sorted(recipe.class_source.normal for recipe in pretrain(wanted, own, Workers(jobs=1))) == [
        1,
        2,
        3,
        4,
    ]
    assert len(trained) == 3


def test_training_that_fails_leaves_other_models_alone(own: ModelStore, model: Model) -> None:
    put(own, model, TINY)
    too_large = replace(TINY, networks=(NetworkConfig(patch_size=32),))
    with pytest.raises(InvalidInputError, match="image must be at least 32x32 pixels"):
        list(pretrain([too_large, TINY], own, Workers(jobs=1)))
    assert is_measured(TINY, own)
    assert too_large not in own


def test_model_of_the_demo_is_trained_once(
    own: ModelStore, photo_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[int] = []

    def train_photos(photos: list[NDArray[np.float32]], recipe: Recipe) -> Model:
        assert recipe == photo_model.card.recipe
        assert {photo.shape for photo in photos} == {(240, 320)}
        trained.append(len(photos))
        return photo_model

    monkeypatch.setattr(screw_demo, "SET", replace_dataclass(screw_demo.SET, train=3))
    monkeypatch.setattr(screw_demo, "recipe", lambda: photo_model.card.recipe)
    monkeypatch.setattr("vaead.training.pipeline.train_photos", train_photos)
    folder = pretrain_demo(own)
    assert folder == own.root / screw_demo.model_folder()
    assert load_model(folder).card.recipe == screw_demo.recipe()
    assert pretrain_demo(own) == folder
    (folder / "reference0.npz").write_bytes(b"")
    assert pretrain_demo(own) == folder
    assert trained == [3, 3]


def test_table_of_pairs_has_a_row_for_each_normal_class(own: ModelStore, model: Model) -> None:
    trained = [
        Recipe.from_preset("article", ClassSource("digits", normal), seed=seed)
        for seed, normal in ((0, 1), (0, 4), (7, 1))
    ]
    for recipe in trained:
        value = recipe.class_source.normal / 10 + recipe.train.seed / 100
        row = {str(number): value for number in CLASSES if number != recipe.class_source.normal}
        auroc = {score: {name: v / (1 + i) for name, v in row.items()} for i, score in enumerate(SCORES)}
        day = f"2026-01-{1 + recipe.class_source.normal:02}T10:00:00+00:00"
        put(own, model, recipe, auroc=auroc, created=day)

    (file,) = write_pairs(trained, own)
    assert file == own.root / pairs_file("digits", "article")
    assert file.relative_to(own.root) == Path("digits", "article.pairs.json")
    content = json.loads(file.read_text())
    assert content["measured"] == "2026-01-05"
    assert content["seeds"].keys() == {"0", "7"}
    for index, score in enumerate(SCORES):
        first, second = (content["seeds"][seed][score] for seed in ("0", "7"))
        assert first[1] == pytest.approx([0.1 / (1 + index)] + [None] + [0.1 / (1 + index)] * 8)
        assert first[4][4] is None
        assert first[4][5] == pytest.approx(0.4 / (1 + index))
        assert second[1][0] == pytest.approx(0.17 / (1 + index))
        assert first[0] == second[4] == [None] * 10


def test_table_of_pairs_keeps_the_seeds_that_were_not_measured(own: ModelStore, model: Model) -> None:
    def measure(seed: int, value: float, day: str) -> dict[str, Any]:
        recipe = Recipe.from_preset("article", ClassSource("digits", 1), seed=seed)
        auroc = {score: {str(number): value for number in CLASSES if number != 1} for score in SCORES}
        put(own, model, recipe, auroc=auroc, created=f"{day}T10:00:00+00:00")
        (file,) = write_pairs([recipe], own)
        content: dict[str, Any] = json.loads(file.read_text())
        return content

    second = measure(1, 0.25, "2026-03-03")["seeds"]
    measure(0, 0.5, "2026-02-02")
    content = measure(0, 0.75, "2026-02-04")
    assert content["measured"] == "2026-03-03"
    assert list(content["seeds"]) == ["0", "1"]
    assert content["seeds"]["1"] == second["1"]
    for score in SCORES:
        assert content["seeds"]["0"][score][1] == [0.75, None, *[0.75] * 8]
        assert content["seeds"]["0"][score][0] == [None] * 10


def test_damaged_table_of_pairs_is_replaced(own: ModelStore, model: Model) -> None:
    recipe = Recipe.from_preset("article", ClassSource("digits", 1))
    put(own, model, recipe)
    (file,) = write_pairs([recipe], own)
    whole = file.read_text()
    file.write_text(whole[:-9])
    assert write_pairs([recipe], own) == [file]
    assert file.read_text() == whole


def test_each_dataset_and_preset_has_a_table_of_its_own(
    own: ModelStore, model: Model, multi_scale: Model
) -> None:
    of_article, of_multi_scale = (
        Recipe.from_preset(preset, ClassSource("digits", 1)) for preset in SHIPPED_PRESETS
    )
    of_mnist = Recipe.from_preset("article", ClassSource("mnist", 1))
    put(own, model, of_article)
    put(own, multi_scale, of_multi_scale)
    put(own, model, of_mnist)
    files = write_pairs([of_mnist, of_multi_scale, of_article], own)
    names = [file.relative_to(own.root).as_posix() for file in files]
    assert names == ["digits/article.pairs.json", "digits/multi-scale.pairs.json", "mnist/article.pairs.json"]
