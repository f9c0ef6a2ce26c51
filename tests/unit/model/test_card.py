import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from vaead.errors import ModelFormatError
from vaead.model.card import FORMAT_VERSION, ModelCard
from vaead.model.model import Model
from vaead.recipe import PhotoOptions

Content = dict[str, Any]


def test_card_is_read_as_it_was_written(multi_scale: Model) -> None:
    auroc = {"new": {"0": 0.5, "all": 0.75}}
    card = dataclasses.replace(multi_scale.card, auroc=auroc)
    assert len(card.companions) == len(card.recipe.companions) == 1
    assert ModelCard.from_json(card.to_json({"scorer.tflite.gz": "1f"})) == (card, {"scorer.tflite.gz": "1f"})


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
        lambda content: content.pop("companions"),
        lambda content: content["companions"][0].pop("health"),
        lambda content: content["companions"][0]["health"].update(surprise=1),
        lambda content: content["recipe"].pop("companions"),
        lambda content: content["recipe"]["companions"][0].update(patch_size=7),
        lambda content: content.update(recipe=None),
        lambda content: content.update(longer_side_px=[1, 2, 3]),
    ],
)
def test_damaged_card_is_refused(multi_scale: Model, damage: Callable[[Content], object]) -> None:
    content = json.loads(multi_scale.card.to_json({}))
    damage(content)
    with pytest.raises(ModelFormatError, match=r"card\.json must be a model card .* cannot be read"):
        ModelCard.from_json(json.dumps(content))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"card"', "\x00"])
def test_text_that_is_no_card_is_refused(text: str) -> None:
    with pytest.raises(ModelFormatError, match=r"card\.json must be a model card .* cannot be read"):
        ModelCard.from_json(text)


@pytest.mark.parametrize("version", [FORMAT_VERSION - 1, FORMAT_VERSION + 1, "new", None])
def test_card_of_another_format_is_refused_whatever_it_holds(version: object) -> None:
    other = json.dumps({"format_version": version, "hologram": True})
    message = f"format_version must be {FORMAT_VERSION}, got {version!r}; update vaead or train the model"
    with pytest.raises(ModelFormatError, match=message):
        ModelCard.from_json(other)


def test_training_took_as_long_as_all_networks(multi_scale: Model) -> None:
    card = multi_scale.card
    last = [card.history[-1], card.companions[0].history[-1]]
    assert card.training_s == pytest.approx(sum(epoch["elapsed_s"] for epoch in last))


def test_card_of_photos_is_read_as_it_was_written(photo_model: Model) -> None:
    options = PhotoOptions(color="rgb", scale=0.5, aligned=True)
    recipe = dataclasses.replace(photo_model.card.recipe, photos=options)
    for image_shape in (None, (40, 48)):
        card = dataclasses.replace(photo_model.card, recipe=recipe, image_shape=image_shape)
        assert card.longer_side_px == (45, 48)
        assert ModelCard.from_json(card.to_json({})) == (card, {})


def test_card_from_before_there_were_photos_has_none(model: Model) -> None:
    content = json.loads(model.card.to_json({}))
    del content["recipe"]["photos"], content["recipe"]["model"]["channels"]
    assert ModelCard.from_json(json.dumps(content))[0] == model.card


def test_card_from_before_sizes_were_kept_has_none(photo_model: Model) -> None:
    content = json.loads(photo_model.card.to_json({}))
    del content["longer_side_px"]
    assert ModelCard.from_json(json.dumps(content))[0] == dataclasses.replace(
        photo_model.card, longer_side_px=None
    )


@pytest.mark.parametrize("options", [{"color": "cmyk"}, {"scale": 0}, {"surprise": 1}, "rgb", [1]])
def test_damaged_options_of_photos_are_refused(photo_model: Model, options: object) -> None:
    content = json.loads(photo_model.card.to_json({}))
    content["recipe"]["photos"] = options
    with pytest.raises(ModelFormatError, match=r"card\.json must be a model card .* cannot be read"):
        ModelCard.from_json(json.dumps(content))
