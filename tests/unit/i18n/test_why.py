"""What it means that a window is like normal ones or not, in words."""

import pytest

from vaead.i18n.texts import Texts
from vaead.i18n.why import why
from vaead.model.kept_windows import Likeness


@pytest.mark.parametrize(
    ("share", "first"),
    [
        (0.0, "**To the network, none of 2,000 normal windows is like this one**"),
        (0.05, "**To the network, this is an unusual window**"),
        # What is flagged, though its content is usual, is so by its score.
        (0.4, "The new score is higher here than in 99\u00a0% of the windows"),
    ],
)
def test_what_speaks_for_a_defect_is_said_first(share: float, first: str) -> None:
    said = why(Likeness((), share, 2_000), "new", 0.99, Texts("en"))
    assert said.startswith(first)
    assert "99\u00a0%" in said
    assert "To the network" in said


def test_window_without_others_to_compare_with_keeps_its_rank() -> None:
    said = why(None, "new", 1.0, Texts("en"))
    assert said.startswith("This model keeps no normal windows")
    assert said.endswith("The new score is higher here than in any window of a calibration image.")
