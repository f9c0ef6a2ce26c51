"""What a model of photos would find, in words."""

from __future__ import annotations

from itertools import groupby

from vaead.i18n.texts import Texts
from vaead.model.card import ModelCard


def defect_trials(card: ModelCard, texts: Texts) -> list[str]:
    """A heading and one line for each kind of made-up defect; empty for a model that was not tried.

    Sizes are in pixels of the photos before scaling; those that round alike count together.
    """
    if not card.trials:
        return []
    lines = [texts("defect_trials.intro")]
    scale = card.recipe.source.scale
    for kind, trials in groupby(card.trials, lambda trial: trial.kind):
        sizes = []
        for size, group in groupby(trials, lambda trial: f"{trial.size_px / scale:.0f}"):
            alike = list(group)
            found, tried = sum(each.found for each in alike), sum(each.tried for each in alike)
            sizes.append(texts("defect_trials.size", size=size, found=found, tried=tried))
        lines.append(texts(f"defect_trials.{kind}", sizes=", ".join(sizes)))
    return lines
