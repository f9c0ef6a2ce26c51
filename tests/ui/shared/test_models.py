"""Stored models that the page cannot use, or uses again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vaead.errors import ModelNotFoundError
from vaead.recipe import Recipe

if TYPE_CHECKING:
    from tests.ui.conftest import Open


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


DAMAGES = {
    "truncated program": (
        lambda model: _cut(model / "network0.tflite.gz"),
        "network0.tflite.gz must match its checksum",
    ),
    "missing program": (
        lambda model: (model / "network0.tflite.gz").unlink(),
        "model folder must hold a readable network0",
    ),
    "truncated card": (lambda model: _cut(model / "card.json"), "card.json must be a model card"),
    "newer format": (
        lambda model: (model / "card.json").write_text('{"format_version": 99}'),
        "format_version must be 8, got 99",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_model_is_said_and_training_offered(open_page: Open, store: Path, damage: str) -> None:
    inflict, sentence = DAMAGES[damage]
    inflict(store / "digits/1/article")
    page = open_page()
    (error,) = page.errors
    assert error.startswith(sentence)
    assert page.infos == []
    assert page.has_button("train")


def test_model_that_vanishes_while_it_is_read_can_be_trained(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(recipe: Recipe) -> None:
        raise ModelNotFoundError("model must be a folder with a card.json, got none; train the model first")

    monkeypatch.setattr("vaead.ui.shared.loading.load_stored", load)
    page = open_page()
    assert page.errors == ["model must be a folder with a card.json, got none; train the model first"]
    assert page.has_button("train")


def test_model_that_is_damaged_while_it_is_shown_stays_usable(open_page: Open, store: Path) -> None:
    page = open_page()
    _cut(store / "digits/1/article/network0.tflite.gz")
    page.click("draw")
    assert page.errors == []
    assert page.caption


def test_models_are_shared_by_all_visitors(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    open_page()
    monkeypatch.setattr("vaead.model.store.load_model", lambda folder: pytest.fail("a model was read twice"))
    assert open_page().caption
