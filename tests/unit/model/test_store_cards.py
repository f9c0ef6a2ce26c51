"""A card by itself, and models that lie where those of other recipes belong."""

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from vaead.errors import ModelFormatError, ModelNotFoundError
from vaead.model.files import CARD
from vaead.model.folder import load_card
from vaead.model.model import Model
from vaead.model.store import ModelStore
from vaead.recipe import ClassSource


@pytest.fixture
def own(tmp_path: Path, model: Model) -> ModelStore:
    """A store of one model."""
    store = ModelStore(tmp_path / "models")
    store.save(model)
    return store


def test_card_is_read_without_the_rest_of_the_model(own: ModelStore, model: Model) -> None:
    folder = own.folder(model.card.recipe)
    (folder / "network0.tflite.gz").unlink()
    assert load_card(folder) == own.load_card(model.card.recipe) == model.card


def test_absent_or_damaged_card_is_refused(own: ModelStore, model: Model) -> None:
    folder = own.folder(model.card.recipe)
    with pytest.raises(ModelNotFoundError, match=r"model must be a folder with a card\.json, got .*; train"):
        load_card(folder.parent)
    (folder / CARD).write_text("{")
    with pytest.raises(ModelFormatError, match=r"card\.json must be a model card .* cannot be read"):
        load_card(folder)


def test_model_of_another_recipe_is_refused(own: ModelStore, model: Model) -> None:
    card = model.card
    folder = own.folder(model.card.recipe)
    other = replace(card.recipe, source=ClassSource("digits", 2))
    shutil.copytree(folder, own.folder(other))
    message = "model must be made from the recipe asked for, got one with other settings in .*; train the"
    with pytest.raises(ModelFormatError, match=message):
        own.load(other)
    with pytest.raises(ModelFormatError, match=message):
        own.load_card(other)
    assert own.load(card.recipe).card == card
