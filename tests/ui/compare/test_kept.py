"""The page Compare before and after a change: the dimmed comparison, and a model that is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.ui.conftest import Open, Page


def _charts(page: Page) -> list[str]:
    return [chart.proto.id for chart in page.app.get("plotly_chart")]


def _shows(page: Page, key: str) -> bool:
    return any(key in chart for chart in _charts(page))


def test_change_of_settings_keeps_the_comparison_until_the_model_is_there(open_page: Open) -> None:
    page = open_page()
    page.set_number("latent", 3)
    assert _shows(page, "earlier_figure")
    assert not _shows(page, "comparison_figure")
    assert any("with the model **article**" in caption.value for caption in page.app.caption)
    page.set_number("latent", 2)
    assert not _shows(page, "earlier_figure")
    assert _shows(page, "comparison_figure")


def test_first_visit_without_a_model_has_nothing_to_dim(open_page: Open) -> None:
    assert not _shows(open_page(latent="3"), "earlier_figure")


def test_kept_model_stands_in_the_link_and_can_be_let_go(open_page: Open) -> None:
    page = open_page()
    page.click("keep")
    assert page.link["kept"] == "article-10-100000-2-0"
    assert any(caption.value.startswith("Kept: **article**.") for caption in page.app.caption)
    page.click("keep")
    assert "kept" not in page.link


def test_two_models_are_shown_on_the_same_image(open_page: Open) -> None:
    page = open_page(kept="article-10-100000-2-0", preset="multi-scale")
    assert _shows(page, "comparison_now_figure")
    assert _shows(page, "comparison_kept_figure")
    (now, kept) = (page.figure(f"comparison_{key}_figure")["data"] for key in ("now", "kept"))
    assert now[0]["z"] == kept[0]["z"]
    assert now[3]["z"] != kept[3]["z"]


def test_kept_model_that_is_not_trained_here_is_named(open_page: Open) -> None:
    page = open_page(kept="article-7-100000-2-0")
    assert not _shows(page, "comparison_kept_figure")
    assert any("not trained for this class" in caption.value for caption in page.app.caption)


@pytest.mark.parametrize(
    "bad", ["nonsense", "article-1-2", "article-0-100000-2-0", "other-10-100000-2-0", "article-x-1-2-0"]
)
def test_bad_kept_model_of_a_link_is_told(open_page: Open, bad: str) -> None:
    page = open_page(kept=bad)
    assert len(page.warnings) == 1
    assert "kept" in page.warnings[0]
