"""How many kinds of photos were told apart, in words."""

from msgspec.structs import replace

from vaead import shipped
from vaead.i18n.photo_kinds import photo_kinds
from vaead.i18n.texts import Texts
from vaead.model.folder import load_card


def test_only_several_kinds_are_told() -> None:
    card = load_card(shipped.MODELS / "screws" / "industrial")
    assert photo_kinds(card, Texts("en")) == []
    (sentence,) = photo_kinds(replace(card, kinds=2), Texts("en"))
    assert "of 2 kinds" in sentence
