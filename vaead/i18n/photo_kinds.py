"""How many kinds of photos a model was calibrated with, in words."""

from __future__ import annotations

from vaead.i18n.texts import Texts
from vaead.model.card import ModelCard


def photo_kinds(card: ModelCard, texts: Texts) -> list[str]:
    """One sentence; none where all photos are of one kind."""
    return [texts("photo_kinds.several", count=card.kinds)] if card.kinds > 1 else []
