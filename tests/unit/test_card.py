import json
from collections.abc import Callable
from typing import Any

import pytest

from vaead.card import FORMAT_VERSION, ModelCard
from vaead.errors import ModelFormatError
from vaead.store import Model

Content = dict[str, Any]


def test_card_is_read_as_it_was_written(model: Model) -> None:
    assert ModelCard.from_json(model.card.to_json({"scorer.tflite": "1f"})) == (
        model.card,
        {"scorer.tflite": "1f"},
    )


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content.pop("format_version"),
        lambda content: content.pop("sha256"),
        lambda content: content.pop("fingerprint"),
        lambda content: content["recipe"].pop("seed", content["recipe"].pop("train")),
        lambda content: content["recipe"]["model"].update(patch_size=7),
        lambda content: content["recipe"]["train"].update(epochs="ten"),
        lambda content: content["recipe"]["model"].update(network="unheard of"),
        lambda content: content["calibration"].update(surprise=1),
        lambda content: content.pop("health"),
        lambda content: content["health"].update(surprise=1),
        lambda content: content.update(format_version="new"),
        lambda content: content.update(recipe=None),
    ],
)
def test_damaged_card_is_refused(model: Model, damage: Callable[[Content], object]) -> None:
    content = json.loads(model.card.to_json({}))
    damage(content)
    with pytest.raises(ModelFormatError, match=r"card\.json must be a model card .* cannot be read"):
        ModelCard.from_json(json.dumps(content))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"card"', "\x00"])
def test_text_that_is_no_card_is_refused(text: str) -> None:
    with pytest.raises(ModelFormatError, match=r"card\.json must be a model card .* cannot be read"):
        ModelCard.from_json(text)


def test_newer_card_is_refused_whatever_it_holds() -> None:
    newer = json.dumps({"format_version": FORMAT_VERSION + 1, "hologram": True})
    message = f"format_version must be at most {FORMAT_VERSION}, got {FORMAT_VERSION + 1}; update vaead"
    with pytest.raises(ModelFormatError, match=message):
        ModelCard.from_json(newer)
