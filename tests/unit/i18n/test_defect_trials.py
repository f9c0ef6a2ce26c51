"""What a model of photos would find, in words."""

from msgspec.structs import replace

from vaead import shipped
from vaead.i18n.defect_trials import defect_trials
from vaead.i18n.texts import Texts
from vaead.model.card import DefectTrial
from vaead.model.folder import load_card


def test_sizes_that_round_to_the_same_number_are_counted_together() -> None:
    card = load_card(shipped.MODELS / "screws" / "industrial")
    sizes = (("scratch", 2.0, 1), ("scratch", 2.1, 4), ("scratch", 4.0, 8), ("spot", 4.0, 9))
    trials = tuple(
        DefectTrial(kind, size * card.recipe.source.scale, 10, found, 0.5) for kind, size, found in sizes
    )
    _, scratches, spots = defect_trials(replace(card, trials=trials), Texts("en"))
    assert scratches.endswith(": 2 px 5 of 20, 4 px 8 of 10")
    assert spots.endswith(": 4 px 9 of 10")


def test_model_that_was_not_tried_says_nothing() -> None:
    card = load_card(shipped.MODELS / "screws" / "industrial")
    assert defect_trials(replace(card, trials=()), Texts("en")) == []
