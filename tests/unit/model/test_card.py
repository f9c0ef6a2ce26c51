import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from vaead.errors import ModelFormatError
from vaead.model.card import FORMAT_VERSION, ModelCard
from vaead.model.model import Model
from vaead.recipe import PhotoSource

Content = dict[str, Any]


def test_card_is_read_as_it_was_written(multi_scale: Model) -> None:
    card = replace(multi_scale.card, auroc={"new": {"0": 0.5, "all": 0.75}})
    assert len(card.networks) == len(card.recipe.networks) == 2
    assert ModelCard.from_json(card.to_json({"network0.tflite.gz": "1f"})) == (
        card,
        {"network0.tflite.gz": "1f"},
    )


def first(card: Content) -> Content:
    network: Content = card["networks"][0]
    return network


@pytest.mark.parametrize(
    "damage",
    [
        lambda card: card.pop("fingerprint"),
        lambda card: card.update(surprise=1),
        lambda card: card.pop("networks"),
        lambda card: card.update(networks=card["networks"][:1]),
        lambda card: card.update(image_shape=None),
        lambda card: card.update(image_shape=[28, 0]),
        lambda card: card.update(image_shape=[28, 28.5]),
        lambda card: card.update(longer_side_px=[1, 2, 3]),
        lambda card: card.update(versions={}),
        lambda card: card.update(versions={"vaead": 1}),
        lambda card: card.update(created=2026),
        lambda card: card.update(auroc={"new": 0.5}),
        lambda card: card.update(auroc={"new": {"all": "0.5"}}),
        lambda card: card.update(recipe=None),
        lambda card: card["recipe"].pop("train"),
        lambda card: card["recipe"].update(preset="unheard of"),
        lambda card: card["recipe"].update(preset="industrial"),
        lambda card: card["recipe"].update(networks=[]),
        lambda card: card["recipe"]["networks"][1].update(patch_size=7),
        lambda card: card["recipe"]["networks"][0].update(network="unheard of"),
        lambda card: card["recipe"]["networks"][0].update(surprise=1),
        lambda card: card["recipe"]["train"].update(epochs="ten"),
        lambda card: card["recipe"]["source"].update(normal=True),
        lambda card: card["recipe"]["source"].update(kind="photos"),
        lambda card: card["recipe"]["source"].pop("kind"),
        lambda card: first(card).update(history=[]),
        lambda card: first(card)["history"][0].update(elapsed_s=None),
        lambda card: first(card)["history"][0].pop("loss"),
        lambda card: first(card).pop("diagnostics"),
        lambda card: first(card)["diagnostics"].update(surprise=1),
        lambda card: first(card)["diagnostics"].update(explained_variance=None),
        lambda card: first(card)["diagnostics"].update(error_per_pixel={}),
        lambda card: first(card)["layers"][0].update(parameters="many"),
        lambda card: card["normal_scores"].update(surprise=1),
        lambda card: card["normal_scores"].update(n_images=0),
        lambda card: card["normal_scores"].update(n_images=10**400),
        lambda card: card["normal_scores"].update(n_images=10**12),
        lambda card: card["normal_scores"]["image"].pop("old"),
        lambda card: card["normal_scores"].update(window_max=None),
        lambda card: card["normal_scores"]["window"].update(new=[1.0]),
        lambda card: card["normal_scores"]["window"].update(new=[float("nan")] * 203),
        lambda card: card["normal_scores"]["image"]["new"].reverse(),
    ],
)
def test_damaged_card_is_refused(multi_scale: Model, damage: Callable[[Content], object]) -> None:
    content = json.loads(multi_scale.card.to_json({}))
    damage(content["card"])
    with pytest.raises(ModelFormatError, match=r"card\.json must be a model card .* cannot be read"):
        ModelCard.from_json(json.dumps(content))


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content.pop("format_version"),
        lambda content: content.pop("sha256"),
        lambda content: content.update(sha256=None),
        lambda content: content.update(sha256=[1]),
        lambda content: content.update(surprise=1),
        lambda content: content.update(card=[]),
    ],
)
def test_damaged_file_is_refused(multi_scale: Model, damage: Callable[[Content], object]) -> None:
    content = json.loads(multi_scale.card.to_json({}))
    damage(content)
    with pytest.raises(ModelFormatError, match=r"card\.json must be a model card .* cannot be read"):
        ModelCard.from_json(json.dumps(content))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"card"', "\x00", "[" * 100_000])
def test_text_that_is_no_card_is_refused(text: str) -> None:
    with pytest.raises(ModelFormatError, match=r"card\.json must be a model card .* cannot be read"):
        ModelCard.from_json(text)


@pytest.mark.parametrize("version", [FORMAT_VERSION - 1, FORMAT_VERSION + 1, "new", None])
def test_card_of_another_format_is_refused_whatever_it_holds(version: object) -> None:
    other = json.dumps({"format_version": version, "hologram": True})
    message = f"format_version must be {FORMAT_VERSION}, got {version!r}: the model is from another version"
    with pytest.raises(ModelFormatError, match=message):
        ModelCard.from_json(other)


def test_training_took_as_long_as_all_networks(multi_scale: Model) -> None:
    card = replace(multi_scale.card, elapsed_s=None)
    last = [network.history[-1].elapsed_s for network in card.networks]
    assert card.training_s == pytest.approx(sum(last))
    assert replace(card, elapsed_s=99.0).training_s == 99


def test_card_of_photos_is_read_as_it_was_written(photo_model: Model) -> None:
    card = photo_model.card
    assert card.longer_side_px == (45, 48)
    aligned = replace(card.recipe, source=PhotoSource(color="rgb", scale=0.5, aligned=True))
    for each in (card, replace(card, recipe=aligned, image_shape=(40, 48))):
        assert ModelCard.from_json(each.to_json({})) == (each, {})


@pytest.mark.parametrize("options", [{"color": "cmyk"}, {"scale": 0}, {"surprise": 1}, "rgb", [1]])
def test_damaged_source_of_photos_is_refused(photo_model: Model, options: Any) -> None:
    content = json.loads(photo_model.card.to_json({}))
    source = {"kind": "photos", **options} if isinstance(options, dict) else options
    content["card"]["recipe"]["source"] = source
    with pytest.raises(ModelFormatError, match=r"card\.json must be a model card .* cannot be read"):
        ModelCard.from_json(json.dumps(content))
