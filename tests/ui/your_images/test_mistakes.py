"""Page "Your images": false alarms that the model is calibrated with, and misses that are counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from tests.ui.your_images.helpers import OwnPage, small_demo
from vaead.calibration.thresholds import LEVELS
from vaead.data.photos import read_photo
from vaead.data.photos.reasons import refusal
from vaead.held_out.recalibration import digests_of
from vaead.inference.golden import Golden
from vaead.inference.messages import RecalibrateRequest
from vaead.inference.photo_service import PhotoLostError
from vaead.inference.read_photos import read_options
from vaead.model.card import ModelCard
from vaead.model.folder import load_model, save_model
from vaead.model.model import Model
from vaead.ui.your_images import mistakes
from vaead.ui.your_images.mistakes import needed_percent
from vaead.ui.your_images.session import OwnSession, Wish
from vaead.zoo import screw_demo


def open_demo(model: Model, card: ModelCard, store: Path) -> OwnPage:
    save_model(store / screw_demo.model_folder(), Model(card, model.networks))
    page = OwnPage()
    page.click("own_demo")
    return page


@pytest.fixture
def page(photo_model: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> OwnPage:
    """The page with the demo, judged by a model that was calibrated with two of its normal images."""
    small_demo(monkeypatch)
    model, demo = load_model(photo_model), screw_demo.SET
    options = read_options(model.card.recipe)
    pixels = [read_photo(demo.read(each.source), each.name, options) for each in demo.photos.train]
    card = replace(model.card, held_out=digests_of(pixels[:2]))
    return open_demo(model, card, store)


@pytest.fixture
def easy(photo_model: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> OwnPage:
    """The page with the demo, judged by a model whose normal images have scores up to 1000."""
    small_demo(monkeypatch)
    model = load_model(photo_model)
    scores = model.card.normal_scores
    wide = tuple(np.linspace(0, 1000, len(LEVELS)).tolist())
    card = replace(model.card, normal_scores=replace(scores, image=scores.image | {"calibrated": wide}))
    return open_demo(model, card, store)


def own(page: OwnPage) -> OwnSession:
    session: OwnSession = page["_own"]
    return session


def pick(page: OwnPage, flagged: bool, defect: str | None = None) -> str:
    """Pick the first image that is flagged, or not, maybe one with a defect, and give its name."""
    results = own(page).results
    assert results is not None
    found = [
        photo
        for photo, each in results.predictions(0.05).items()
        if each.flagged["calibrated"] == flagged and defect in (None, photo.defect)
    ]
    page.app.session_state["own_picked"] = str(found[0].path)
    page.run()
    return found[0].name


def test_false_alarm_is_calibrated_with_and_can_be_undone(
    page: OwnPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mistakes, "unusual_above", lambda _: float("inf"))
    before = own(page).results
    name = pick(page, flagged=True)
    own(page).wish = Wish(next(photo for photo in own(page).photos.test if photo.name == name), True)
    page.run()
    after = own(page).results
    assert after is not None
    assert after.before is before
    assert after.card.added == 1
    assert f"**Calibrated with** `{name}`; 3 normal images in all." in page.said
    (table,) = (each.value.to_dict("list") for each in page.app.table if "Before" in each.value)
    assert next(iter(table.values()))[:2] == ["Threshold", "Test images flagged"]
    assert table["Before"] != table["Now"]
    assert "so the model was calibrated with it" in page.said
    assert not page.has_button("own_normal")
    folder = after.folder
    assert Golden.read(folder).differences(load_model(folder)) == []
    page.click("own_undo")
    assert own(page).results is before
    assert not folder.exists()
    assert "Calibrated with" not in page.said


def test_button_asks_twice_where_the_image_is_labelled_or_stands_far_above(page: OwnPage) -> None:
    pick(page, flagged=True, defect="stain")
    shown = page.said
    assert "Its label says that it is anomalous." in shown or "It stands far above all normal" in shown
    button = page.app.button(key="own_normal")
    assert button.label == "It is normal all the same"
    button.click()
    page.run()
    assert "**Calibrated with**" in page.said


def test_calibration_that_fails_leaves_the_model_and_says_why(
    page: OwnPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lost:
        def recalibrate(self, asked: RecalibrateRequest, folder: Path) -> Any:
            raise PhotoLostError(refusal("lost", name="a"))

    before = own(page).results
    pick(page, flagged=True)
    monkeypatch.setattr(mistakes, "calibration_service", Lost)
    page.click("own_normal")
    assert own(page).results is before
    assert page.errors[0].startswith(
        "The model could not be calibrated with this image: image 'a' must leave"
    )
    monkeypatch.undo()


def test_normal_images_that_are_missing_are_told(page: OwnPage) -> None:
    pick(page, flagged=True)
    own(page).photos.normal.clear()
    page.click("own_normal")
    assert "photos must hold all 2 that the model was calibrated with, got 0 of them" in page.errors[0]


def test_miss_is_counted_and_can_be_found_at_its_price(easy: OwnPage) -> None:
    results = own(easy).results
    assert results is not None
    name = pick(easy, flagged=False)
    easy.click("own_anomalous")
    assert "**Missed**: you called this image anomalous. Misses so far: 1." in easy.said
    assert "The price: " in easy.said or "No false-alarm rate up to 50 % finds it" in easy.said
    assert own(easy).results is results
    easy.click("own_take_back")
    assert own(easy).missed == []
    assert easy.has_button("own_anomalous")
    assert name in easy.said


def test_lowest_rate_at_which_a_miss_is_found(photo_model: Path) -> None:
    normal_scores = load_model(photo_model).card.normal_scores
    for rate in (8, 30):
        value = normal_scores.threshold_value("new", rate / 100)
        found = needed_percent(normal_scores, "new", value + 1e-6)
        assert found is not None
        assert normal_scores.threshold_value("new", found / 100) < value + 1e-6
        assert found <= rate
    assert needed_percent(normal_scores, "new", normal_scores.image_quantile("new", 0.0)) is None
