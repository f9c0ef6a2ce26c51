"""Train again where a network has learned nothing: that is a result of the training and not of the photos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from vaead.model.model import Model
from vaead.recipe import Recipe
from vaead.training.pipeline import OnReport, train_photos

OnRestart = Callable[[int, int, str], None]
"""Called with the number of the training that begins, of trainings at most, and the reason as a sentence."""

_WEAKER = 0.1
"""Factor for the weight of D, which pulls z of every patch to the same place."""


def train_sound(
    photos: Sequence[NDArray[np.generic]],
    recipe: Recipe,
    on_report: OnReport | None = None,
    on_restart: OnRestart | None = None,
    validation: Sequence[NDArray[np.generic]] = (),
) -> Model:
    """As `train_photos`, but while the bottleneck dies, again: with another seed, then with a weaker D.

    Returns:
        The first model that has learned something, or the last one. Its card has the settings that made it.
    """
    model = train_photos(photos, recipe, on_report, validation)
    changes = _changes(recipe)
    for number, (change, train) in enumerate(changes.items(), start=2):
        if not model.card.is_dead:
            break
        if on_restart is not None:
            reason = f"The network has learned nothing (its bottleneck has died); trying again with {change}"
            on_restart(number, 1 + len(changes), reason)
        model = train_photos(
            photos, replace(recipe, train=replace(recipe.train, **train)), on_report, validation
        )
    return model


def _changes(recipe: Recipe) -> dict[str, dict[str, Any]]:
    """Settings of the trainings after the first, each under its description."""
    seed, weight = recipe.train.seed + 1, _WEAKER * recipe.train.kl_weight
    return {
        f"seed {seed}": {"seed": seed},
        f"seed {seed + 1} and a weight of {weight:g} for D": {"seed": seed + 1, "kl_weight": weight},
    }
