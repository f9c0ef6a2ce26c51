"""What the details say of the training of one network or of several."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from vaead.model.folder import load_model
from vaead.model.model import Model
from vaead.model.store import ModelStore

if TYPE_CHECKING:
    from tests.ui.conftest import Open, Page

MODELS = Path(__file__).parents[3] / "models"


@pytest.fixture(autouse=True)
def _of_few_epochs(store: Path) -> None:
    """Models of 6 epochs, and of 5 and 7."""
    for preset, epochs in (("article", (6,)), ("multi-scale", (5, 7))):
        model = load_model(MODELS / "digits/1" / preset)
        networks = tuple(
            replace(network, history=network.history[:count])
            for network, count in zip(model.card.networks, epochs, strict=True)
        )
        ModelStore(store).save(Model(replace(model.card, networks=networks), model.networks))


def open_tab(open_page: Open, preset: str, tab: str) -> Page:
    page = open_page(preset=preset)
    page.app.session_state["more"] = True
    page.app.session_state["details"] = tab
    page.run()
    return page


def texts_of(page: Page) -> str:
    return "\n".join(text.value for text in page.app.markdown)


def epochs_of(page: Page, key: str) -> int:
    return len(page.figure(key)["data"][0]["y"])


def test_epochs_are_those_that_were_run(open_page: Open) -> None:
    page = open_tab(open_page, "article", "Training")
    assert " crops (epochs: 6, seed: 0)." in texts_of(page)
    assert epochs_of(page, "history") == 6
    assert "Network" not in texts_of(page)


def test_each_network_has_its_losses(open_page: Open) -> None:
    page = open_tab(open_page, "multi-scale", "Training")
    assert " crops (epochs: 5 + 7, seed: 0)." in texts_of(page)
    assert "**Network 1/2**" in texts_of(page)
    assert "**Network 2/2**" in texts_of(page)
    assert (epochs_of(page, "history"), epochs_of(page, "history_2")) == (5, 7)


def test_layers_say_of_which_network_they_are(open_page: Open) -> None:
    assert "**Network 1/2:** " in texts_of(open_tab(open_page, "multi-scale", "Network"))
    page = open_tab(open_page, "article", "Network")
    assert " parameters. Each layer" in texts_of(page)
    assert "Network 1" not in texts_of(page)
