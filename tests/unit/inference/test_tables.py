"""Tables that Excel opens as they were meant, and that vaead reads back."""

import pytest

from vaead.inference.tables import from_csv, to_csv


def test_table_begins_with_the_mark_of_utf_8() -> None:
    assert to_csv([["image"], ["正常.png"]]).encode().startswith(b"\xef\xbb\xbfimage\n")


@pytest.mark.parametrize("name", ["=1+1.png", "+a", "-a", "@a", "\ta", "=HYPERLINK(1)", "'=a", "''+a"])
def test_formulas_are_defused_and_read_back_unchanged(name: str) -> None:
    text = to_csv([["image", "old"], [name, -1.5]])
    assert f"\n'{name}," in text or f"\n\"'{name}" in text
    assert from_csv(text) == [{"image": name, "old": "-1.5"}]


@pytest.mark.parametrize("name", ["a=b.png", "'a'", "-1.5", "+2e-05", "画像, 1.png", 'quoted "a"', "a\nb"])
def test_other_text_stays_as_it_is(name: str) -> None:
    text = to_csv([["image"], [name]])
    assert "'" not in text.replace("'a'", "")
    assert from_csv(text) == [{"image": name}]
