"""Trainings of the page "Your images", with small scripts in their place, and what it says of the model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.your_images.helpers import (
    SUCCEED,
    WAIT,
    OwnPage,
    Start,
    screw,
    scripted_training,
    small_demo,
    wait_for_end,
)
from vaead.model.files import CARD
from vaead.model.folder import load_model
from vaead.zoo import screw_demo

SHIPPED = "By a model that comes with vaead"


@pytest.fixture(autouse=True)
def _small_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    small_demo(monkeypatch)


@pytest.fixture
def start(tmp_path: Path, photo_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Make the page train with a script."""
    yield from scripted_training(tmp_path, photo_model, monkeypatch)


@pytest.fixture
def shipped(photo_model: Path, store: Path) -> OwnPage:
    """The page with the demo, judged by its own model."""
    shutil.copytree(photo_model, store / screw_demo.model_folder())
    page = OwnPage()
    page.click("own_demo")
    return page


def test_cost_is_told_before_anything_starts() -> None:
    def seconds(page: OwnPage) -> int:
        (caption,) = (each.value for each in page.app.caption if "cores" in each.value)
        return int(caption.split("about ")[1].split(" s ")[0])

    page = OwnPage()
    page.click("own_demo")
    before = seconds(page)
    page.set_number("own_epochs", 20)
    assert seconds(page) > before


def test_demo_comes_with_a_model_and_another_one_can_be_trained(
    start: Start, photo_model: Path, store: Path
) -> None:
    shutil.copytree(photo_model, store / screw_demo.model_folder())
    jobs = start(SUCCEED)
    page = OwnPage()
    page.click("own_demo")
    assert page.titles[-1] == "3. What it finds"
    assert "By a model that comes with vaead" in page.said
    assert any(line.startswith("- spots: ") for line in page.said.splitlines())
    assert len(page.tiles) == 7
    page.click("own_train")
    wait_for_end(jobs)
    page.run()
    assert "By a model that comes with vaead" not in page.said
    assert len(page.tiles) == 7
    assert load_model(store / screw_demo.model_folder()).card.recipe.preset == "industrial"


def test_page_proposes_the_settings_of_the_demo_s_model(start: Start) -> None:
    jobs = start(WAIT)
    page = OwnPage()
    page.click("own_demo")
    page.click("own_train")
    (status,) = jobs.active()
    assert status.task.recipe == screw_demo.recipe()


def test_training_can_be_followed_and_cancelled(start: Start) -> None:
    jobs = start(WAIT)
    page = OwnPage()
    page.click("own_demo")
    page.click("own_train")
    assert len(jobs.active()) == 1
    assert not page.has_button("own_train")
    page.click("cancel")
    assert jobs.active() == ()
    assert page.infos == ["The training was cancelled."]
    assert page.has_button("own_train")


def test_reason_of_a_failure_is_shown(start: Start) -> None:
    jobs = start('say("error", message="crops must be fewer, got many; take less")')
    page = OwnPage()
    page.click("own_demo")
    page.click("own_train")
    wait_for_end(jobs)
    page.run()
    assert page.errors == ["The training failed: crops must be fewer, got many; take less"]
    assert page.has_button("own_train")


def test_model_that_comes_with_vaead_is_named_after_a_training_was_cancelled(
    start: Start, shipped: OwnPage
) -> None:
    start(WAIT)
    shipped.click("own_train")
    shipped.click("cancel")
    assert SHIPPED in shipped.said


def test_model_that_comes_with_vaead_is_named_after_another_one_could_not_be_loaded(
    start: Start, shipped: OwnPage
) -> None:
    jobs = start(f'{SUCCEED.partition(";")[0]}; (out / "network0.tflite.gz").write_bytes(b"")')
    shipped.click("own_train")
    wait_for_end(jobs)
    shipped.run()
    assert "must match its checksum" in shipped.errors[0]
    assert SHIPPED in shipped.said


def test_normal_images_that_the_model_has_not_learned_are_told_until_it_is_trained_again(
    start: Start, shipped: OwnPage
) -> None:
    assert "Trained before" not in shipped.said
    shipped.upload("normal", *((f"{index}.png", screw(index), "image/png") for index in (90, 91)))
    assert SHIPPED in shipped.said
    assert "Trained before you added normal images (2)" in shipped.said
    jobs = start(SUCCEED)
    shipped.click("own_train")
    wait_for_end(jobs)
    shipped.run()
    assert "Trained before" not in shipped.said
    shipped.upload("normal", ("again.png", screw(90), "image/png"))
    assert "Trained before" not in shipped.said  # the same pixels
    shipped.upload("normal", ("more.png", screw(92), "image/png"))
    assert "Trained before you added normal images (1)" in shipped.said


@pytest.mark.parametrize(("name", "value", "told"), [("error_per_pixel", 12.5, "too sure of itself")])
def test_model_whose_training_went_wrong_is_told(
    photo_model: Path, store: Path, name: str, value: float, told: str
) -> None:
    demo_model(photo_model, store, **{name: value})
    page = OwnPage()
    page.click("own_demo")
    assert [told in warning for warning in page.warnings] == [True]
    assert len(page.tiles) == 7


def test_scores_of_a_dead_model_are_not_shown(photo_model: Path, store: Path) -> None:
    demo_model(photo_model, store, explained_variance=0.01)
    page = OwnPage()
    page.click("own_demo")
    assert ["has learned nothing from the normal images" in error for error in page.errors] == [True]
    assert page.tiles == []


def demo_model(photo_model: Path, store: Path, **diagnostics: float) -> None:
    """Let the demo come with a model whose training had these diagnostics."""
    folder = Path(shutil.copytree(photo_model, store / screw_demo.model_folder()))
    card = json.loads((folder / CARD).read_text())
    card["card"]["networks"][0]["diagnostics"] |= diagnostics
    (folder / CARD).write_text(json.dumps(card))
