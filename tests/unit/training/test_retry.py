"""A network that has learned nothing is trained again."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from vaead.recipe import PhotoSource, Recipe
from vaead.training import retry

RECIPE = Recipe.from_preset("industrial", PhotoSource(), seed=5)


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[tuple[int, float]]]:
    """Let the first trainings be dead; returns the seeds and weights of D of all."""

    def prepare(dead: int) -> list[tuple[int, float]]:
        made: list[tuple[int, float]] = []

        def train(_photos: object, recipe: Recipe, *_: object) -> Any:
            made.append((recipe.train.seed, recipe.train.kl_weight))
            return SimpleNamespace(card=SimpleNamespace(is_dead=len(made) <= dead, recipe=recipe))

        monkeypatch.setattr(retry, "train_photos", train)
        return made

    return prepare


@pytest.mark.parametrize("dead", range(4))
def test_other_settings_are_tried_until_the_network_lives(
    tried: Callable[[int], list[tuple[int, float]]], dead: int
) -> None:
    made = tried(dead)
    told: list[tuple[int, int, str]] = []
    model = retry.train_sound([], RECIPE, None, lambda *restart: told.append(restart))
    wanted = [(5, 1.0), (6, 1.0), (7, 0.1)]
    assert made == wanted[: dead + 1]
    assert [number for number, _, _ in told] == list(range(2, 1 + len(made)))
    assert model.card.is_dead == (dead == 3)
    assert all("has learned nothing" in reason and attempts == 3 for _, attempts, reason in told)
