"""The canvas of the page Compare, and the edited image in its address."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

import numpy as np

from vaead.ui.compare.drawing import pack

if TYPE_CHECKING:
    from tests.ui.conftest import Open, Page


def _second(page: Page) -> np.ndarray:
    drawn = page.figure("comparison_figure")["data"][4]["z"]
    return np.frombuffer(b64decode(drawn["bdata"]), np.uint8).reshape(28, 28)


def test_edited_image_starts_as_the_test_image(open_page: Open) -> None:
    assert np.array_equal(_second(open_page(instead="edited")), _second(open_page()))


def test_link_shows_an_edited_image_until_another_pair_is_drawn(open_page: Open) -> None:
    image = np.tile(np.arange(28, dtype=np.uint8) * 8, (28, 1))
    page = open_page(instead="edited", drawing=pack(image))
    assert page.warnings == []
    assert np.array_equal(_second(page), image)
    (title,) = (title.value for title in page.app.title)
    assert "edited image" in title
    page.click("draw")
    assert "drawing" not in page.link
    assert page["instead"] == "edited"


def test_bad_drawing_of_a_link_is_told_and_replaced_by_the_test_image(open_page: Open) -> None:
    page = open_page(instead="edited", drawing="nonsense")
    assert len(page.warnings) == 1
    assert "drawing" in page.warnings[0]
    assert np.array_equal(_second(page), _second(open_page()))
