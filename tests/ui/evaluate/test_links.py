"""Links from the page Evaluate to the page Compare, by what a visitor has chosen."""

from __future__ import annotations

from urllib.parse import parse_qsl

from streamlit.testing.v1 import AppTest

SCRIPT = """
import streamlit as st
from vaead.ui.shared import query_params, sidebar
from vaead.ui.shared.widgets import percent, segments, toggle
query_params.follow()
texts = sidebar.choose_language()
sidebar.choose_model(texts)
toggle("against_all", texts)
segments("rule", texts)
percent("false_alarms", texts)
st.text(query_params.compare_link(**CHANGES))
"""


def link(changes: dict[str, object], **address: str) -> dict[str, str]:
    """Parameters of the link that a page with this address shows."""
    app = AppTest.from_string(SCRIPT.replace("CHANGES", repr(changes)), default_timeout=30)
    app.query_params.update(address)
    app.run()
    assert not app.exception
    start, _, parameters = app.text[0].value.partition("?")
    assert start == "./"
    return dict(parse_qsl(parameters, strict_parsing=bool(parameters)))


def test_defaults_are_not_in_the_link() -> None:
    assert link({}) == {}
    assert link({"anomalous": 3, "normal_image": None}) == {}


def test_changes_replace_what_was_chosen() -> None:
    changes = {"dataset": "fashion_mnist", "normal": 4, "anomalous": 5, "anomalous_image": 0}
    assert link(changes, normal="3", pair="0") == {
        "normal": "4 Coat",
        "anomalous": "5 Sandal",
        "anomalous_image": "0",
    }


def test_class_that_is_the_default_beside_the_other_is_not_in_the_link() -> None:
    pair = {"normal": "4 Coat", "anomalous": "3 Dress"}
    assert link({"normal": 4, "anomalous": 3}, pair="0", normal="1 Trouser") == pair
    assert link({"normal": 2, "anomalous": 3}, normal="4 Coat", pair="133") == {}


def test_choices_of_all_pages_are_in_the_link() -> None:
    chosen = {"preset": "multi-scale", "seed": "3", "rule": "window", "false_alarms": "12", "lang": "ja"}
    chosen |= {"pair": "7", "colors": "Viridis", "view": "rank", "against_all": "true", "score": "old"}
    assert link({}, **chosen) == chosen
