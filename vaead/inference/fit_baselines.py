"""Baselines fitted to normal photos, read as a model reads them."""

from __future__ import annotations

from collections.abc import Sequence

from vaead.data.photos import Limits, Photo, Rejected, read_each
from vaead.inference.read_photos import read_options
from vaead.metrics.baselines import FEWEST, MOST, Baselines
from vaead.model.model import Model


def fit_baselines(model: Model, normal: Sequence[Photo], limits: Limits) -> Baselines | None:
    """Fit them to normal photos, evenly chosen where there are many; None if fewer than two can be read."""
    step = max(1, len(normal) // MOST)
    read = read_each(normal[::step], read_options(model.card.recipe, limits))
    images = [model.blanked(each[1]) for each in read if not isinstance(each, Rejected)]
    return Baselines.fit(images) if len(images) >= FEWEST else None
