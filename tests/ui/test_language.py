"""The language of the page: the browser's, until another one is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import streamlit as st

from vaead.i18n.texts import Texts

if TYPE_CHECKING:
    from tests.ui.conftest import Open, Page


@pytest.fixture
def browser_speaks(monkeypatch: pytest.MonkeyPatch):
    def set_locale(locale: str | None) -> None:
        monkeypatch.setattr(type(st.context), "locale", property(lambda _: locale))

    return set_locale


def draw_label(page: Page) -> str:
    return str(page.app.button(key="draw").label)


@pytest.mark.parametrize(
    ("locale", "language"),
    [("ja", "ja"), ("ja-JP", "ja"), ("en-GB", "en"), ("de-DE", "en"), (None, "en")],
)
def test_language_follows_the_browser(open_page: Open, browser_speaks, locale, language: str) -> None:
    browser_speaks(locale)
    page = open_page()
    assert page["lang"] == language
    assert draw_label(page) == Texts(language)("compare.draw")


def test_link_goes_before_the_browser(open_page: Open, browser_speaks) -> None:
    browser_speaks("ja-JP")
    page = open_page(lang="English")
    assert draw_label(page) == "Draw another pair"
    assert page.warnings == []


def test_language_can_be_switched(open_page: Open) -> None:
    page = open_page(pair="7")
    numbers = [word for word in page.caption.split() if word.isdigit()]
    page.app.button_group(key="lang").set_value("ja")
    page.run()
    assert draw_label(page) == "別の組を引く"
    assert "表示中: クラス 1 のテスト画像" in page.caption
    assert all(number in page.caption for number in numbers)
    assert page["pair"] == 7


def test_figure_is_in_the_language_of_the_page(open_page: Open) -> None:
    figure = open_page(dataset="Fashion-MNIST", lang="日本語").figure("comparison_figure")
    assert figure["layout"]["annotations"][0]["text"] == "正常: プルオーバー"
    assert "行 %{y}、列 %{x}" in figure["data"][0]["hovertemplate"]
    assert figure["alt"].startswith("テスト画像 プルオーバー (正常)")


def test_options_are_in_the_language_of_the_page_and_links_are_not(open_page: Open) -> None:
    page = open_page(dataset="Fashion-MNIST", lang="ja")
    assert page.app.selectbox(key="anomalous").options[:2] == ["0 Tシャツ/トップス", "1 ズボン"]
    assert page.app.selectbox(key="preset").options == ["記事", "位置つき", "複数の縮尺"]
    page.select("anomalous", 1)
    page.select("preset", "position-aware")
    assert page.link["anomalous"] == "1 Trouser"
    assert page.link["preset"] == "position-aware"


def test_switch_of_the_language_keeps_what_was_chosen(open_page: Open) -> None:
    page = open_page(dataset="Fashion-MNIST", normal="7 Sneaker", anomalous="5 Sandal", view="rank")
    page.app.button_group(key="lang").set_value("ja")
    page.run()
    assert [page[key] for key in ("dataset", "normal", "anomalous", "view")] == [
        "fashion_mnist",
        7,
        5,
        "rank",
    ]
