"""The command `try-settings`."""

from __future__ import annotations

import json
import math

import click

from vaead.cli.inputs import Skipped
from vaead.cli.take_stock import find_normals, read_normals, take_stock
from vaead.data.photos import check_normals, pixel_digest
from vaead.i18n.photo_defaults import photo_defaults, variant_name
from vaead.i18n.texts import Texts
from vaead.model.card import ModelCard
from vaead.photo_defaults import PhotoDefaults, setting_variants
from vaead.presets import preset_names
from vaead.recipe import Recipe


@click.command("try-settings")
@click.option("--images", required=True, help="Folder or URL of normal photos, or of a dataset.")
@click.option("--epochs", type=int, help="Passes over the crops.  [default: the preset's]")
@click.option("--crops", type=int, help="Random patches to train on.  [default: the preset's]")
@click.option("--seed", type=int, help="Seed of everything random.  [default: the preset's]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def try_settings(images: str, epochs: int | None, crops: int | None, seed: int | None, as_json: bool) -> None:
    """Compare settings for photos, without any photo of a defect.

    Trains a model with the settings that `train` proposes, and others that differ from these in one way
    each: patch size, scale, light, alignment. Each is tried on defects that are made in held-out normal
    photos. That takes a minute or more for each; nothing is stored.
    """
    found, skipped = find_normals(images), Skipped()
    defaults = PhotoDefaults.choose(list(take_stock(found, skipped, err=True).values()))
    for line in photo_defaults(defaults, Texts("en")):
        click.echo(line, err=True)
    cards: dict[str, ModelCard] = {}
    from vaead.training.retry import train_sound  # TensorFlow takes seconds to import

    for variant in setting_variants(defaults):
        name = variant_name(variant, Texts("en"))
        settings = {"patch_size": variant.patch_size, "epochs": epochs, "crops": crops, "seed": seed}
        recipe = Recipe.from_preset(preset_names(for_photos=True)[0], variant.source, **settings)
        photos, validation = read_normals(found, recipe, skipped)
        check_normals(map(pixel_digest, photos))
        cards[name] = train_sound(photos, recipe, validation=validation).card
        _show(name, cards[name], as_json)
    skipped.sum_up(len(found.to_train) + len(found.validation) - skipped.count)
    click.echo(_advice(cards), err=True)


def _show(name: str, card: ModelCard, as_json: bool) -> None:
    auroc, error = card.trial_auroc, card.trial_error
    assert auroc is not None
    assert error is not None
    if as_json:
        source = json.loads(card.recipe.to_json())["source"]
        record = {"settings": name, "auroc": round(auroc, 4), "standard_error": round(error, 4)}
        patch = card.recipe.networks[0].patch_size
        record |= {"seconds": card.training_s, "patch_size": patch, **source}
        click.echo(json.dumps(record))
    else:
        click.echo(f"{name}\tAUROC on made-up defects {auroc:.3f} +- {error:.3f}\t{card.training_s:.0f} s")


def _advice(cards: dict[str, ModelCard]) -> str:
    """Which settings to take, and whether they are better than the proposed ones by more than chance."""
    best = max(cards, key=lambda name: cards[name].trial_auroc or 0.0)
    first = next(iter(cards.values()))
    gain = (cards[best].trial_auroc or 0.0) - (first.trial_auroc or 0.0)
    if gain <= math.hypot(cards[best].trial_error or 0.0, first.trial_error or 0.0):
        return "No other settings are better than the proposed ones by more than chance; keep these."
    return f"Better than the proposed settings by more than chance: {best}; give that to train as an option."
