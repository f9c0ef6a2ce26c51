"""Links: each control is a parameter of the address, and a bad value falls back with a notice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.ui.conftest import Open


def notice(key: str, value: str) -> str:
    return f"The link asks for {key} = `{value}`, which does not exist here; the default is shown instead."


Rows = list[tuple[str, str, object]]
"""Key, value in the address, and value of the control."""


@pytest.mark.parametrize(
    "rows",
    [
        [("dataset", "CIFAR", "fashion_mnist")],
        [("dataset", "digits", "fashion_mnist")],
        [
            ("normal", "12", 1),
            ("preset", "paper", "article"),
            ("epochs", "0", 10),
            ("crops", "999", 100_000),
            ("latent", "65", 2),
            ("seed", "-1", 0),
            ("view", "maybe", "mean"),
            ("false_alarms", "0", 5),
            ("rule", "none", "score"),
            ("colors", "Reds", "Blues"),
            ("lang", "xx", "en"),
            ("pair", "abc", 0),
            ("instead", "white", "test image"),
            ("window", "242", None),
            ("normal_image", "46", None),
            ("anomalous_image", "-1", None),
        ],
        [("normal", "7 Sneaker", 1), ("anomalous", "1", 9), ("epochs", "101", 10), ("pair", "1000000", 0)],
        [("epochs", "ten", 10)],
    ],
)
def test_each_bad_value_falls_back_with_a_notice(open_page: Open, rows: Rows) -> None:
    page = open_page(**{key: value for key, value, _ in rows})
    assert sorted(page.warnings) == sorted(notice(key, value) for key, value, _ in rows)
    assert [page[key] for key, *_ in rows] == [default for *_, default in rows]
    assert page.caption


@pytest.mark.parametrize(
    "rows",
    [
        [
            ("preset", "position-aware", "position-aware"),
            ("epochs", "3", 3),
            ("crops", "2000", 2000),
            ("latent", "64", 64),
            ("seed", "999999", 999_999),
        ],
        [
            ("pair", "0", 0),
            ("instead", "noise", "noise"),
            ("window", "241", 241),
            ("normal_image", "45", 45),
            ("anomalous_image", "0", 0),
            ("view", "article", "article"),
            ("false_alarms", "50", 50),
            ("rule", "window", "window"),
            ("colors", "Cividis", "Cividis"),
            ("lang", "日本語", "ja"),
        ],
        [("preset", "multi-scale", "multi-scale"), ("pair", "999999", 999_999), ("lang", "English", "en")],
        [("normal", "3", 3), ("lang", "en", "en")],
        [("anomalous", "4", 4), ("view", "mean", "mean"), ("lang", "ja", "ja")],
        [("view", "rank", "rank")],
    ],
)
def test_good_values_are_taken_without_a_notice(open_page: Open, rows: Rows) -> None:
    page = open_page(**{key: value for key, value, _ in rows})
    assert page.warnings == []
    assert [page[key] for key, *_ in rows] == [taken for *_, taken in rows]


@pytest.mark.parametrize(
    ("key", "label", "number"), [("normal", "2 Pullover", 2), ("anomalous", "0 T-shirt/top", 0)]
)
def test_class_is_named_by_number_and_name(open_page: Open, key: str, label: str, number: int) -> None:
    page = open_page(dataset="Fashion-MNIST", **{key: label})
    assert page.warnings == []
    assert page[key] == number


def test_unknown_parameter_is_left_alone(open_page: Open) -> None:
    page = open_page(utm_source="mail")
    assert page.warnings == []
    assert page.caption


def test_notice_goes_with_the_next_click(open_page: Open) -> None:
    page = open_page(pair="abc")
    page.click("draw")
    assert page.warnings == []


def test_notice_is_in_the_language_of_the_page(open_page: Open) -> None:
    page = open_page(lang="日本語", pair="abc")
    assert page.warnings == ["リンクにある pair = `abc` はここにはないため、既定値を表示しています。"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("![x](https://example.org/x.png)", "![x](https://example.org/x.png)"),
        ("a`![x](y)`b", "a'![x](y)'b"),
        ("a\n\n# b", "a # b"),
        ("x" * 1000, "x" * 60),
    ],
)
def test_notice_shows_a_bad_value_as_plain_text(open_page: Open, value: str, shown: str) -> None:
    assert open_page(pair=value).warnings == [notice("pair", shown)]


def test_link_of_a_page_opens_the_same_page(open_page: Open) -> None:
    page = open_page(dataset="Fashion-MNIST", normal="2 Pullover", anomalous="5 Sandal", lang="日本語")
    page.set_number("pair", 12)
    again = open_page(**{"dataset": "Fashion-MNIST"} | page.link)
    assert again.warnings == []
    assert again.caption == page.caption


def test_link_follows_the_classes_when_the_normal_one_changes(open_page: Open) -> None:
    # With normal class 1 the 9 is the default and stands in no link; with 2 it is not.
    page = open_page(dataset="MNIST")
    assert (page["normal"], page["anomalous"]) == (1, 9)
    page.select("normal", 2)
    assert page.link == {"dataset": "MNIST", "normal": "2", "anomalous": "9"}


def test_link_drops_a_class_that_has_become_the_default(open_page: Open) -> None:
    page = open_page(dataset="MNIST", normal="2", anomalous="9")
    page.select("normal", 1)
    assert "anomalous" not in page.link


def test_link_names_no_class_of_another_dataset(open_page: Open) -> None:
    page = open_page(dataset="MNIST", normal="2", anomalous="5")
    page.select("dataset", "fashion_mnist")
    assert page.link == {"pair": "0"}  # the default of the pair that the first visit opens on is another


def test_link_names_no_setting_of_another_preset(open_page: Open) -> None:
    page = open_page(epochs="3", latent="5")
    page.select("preset", "position-aware")
    assert page.link == {"dataset": "Digits (scikit-learn)", "preset": "position-aware"}


def test_link_keeps_the_words_of_the_address_until_the_choice_changes(open_page: Open) -> None:
    link = {"utm_source": "mail", "lang": "English", "pair": "007", "epochs": "10"}
    page = open_page(**link)
    page.run()
    assert page.link == {"dataset": "Digits (scikit-learn)"} | link
    page.set_number("pair", 8)
    assert page.link == {"dataset": "Digits (scikit-learn)", "utm_source": "mail", "pair": "8"}


def test_link_of_a_pair_of_the_article(open_page: Open) -> None:
    page = open_page(normal="5", anomalous="6")
    page.click("fashion_mnist_7_9")
    assert page.link == {"normal": "7 Sneaker"}
