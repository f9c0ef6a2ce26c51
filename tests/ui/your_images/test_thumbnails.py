"""Page "Your images": single images that are removed, or moved between normal and to judge."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ui.your_images.helpers import OwnPage, mask, screw, screws, zipped
from vaead.model.folder import load_card
from vaead.ui.your_images.own_photos import OwnPhoto
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.session import OwnSession, Trial


def own(page: OwnPage) -> OwnSession:
    session: OwnSession = page["_own"]
    return session


def photo_of(page: OwnPage, name: str) -> OwnPhoto:
    photos = own(page).photos
    return next(photo for photo in (*photos.normal, *photos.test) if photo.name.endswith(name))


def press(page: OwnPage, action: str, name: str) -> None:
    """Press a button below the thumbnail of an image."""
    page.click(f"own_{action}_{photo_of(page, name).path.stem}")


@pytest.fixture
def page(photo_model: Path) -> OwnPage:
    """Two normal images and four to test: labelled, one with a mask, and judged by a model."""
    page = OwnPage()
    files = {f"train/good/{index}.png": screw(index) for index in range(2)}
    files |= {f"test/good/{index}.png": screw(index) for index in (5, 6)}
    files |= {f"test/{kind}/{kind}.png": screw(8, kind) for kind in ("chip", "stain")}
    page.upload("test", zipped(files | {"ground_truth/chip/chip_mask.png": mask(8, "chip")}))
    own(page).take_model(
        Results(load_card(photo_model), photo_model, normals=own(page).photos.normal_digests)
    )
    for role in ("normal", "test"):
        page.app.session_state[f"own_look_{role}"] = True
    page.run()
    return page


def test_drop_zones_stay_when_images_have_come() -> None:
    page = OwnPage()
    before = [each.label for each in page.app.file_uploader][:2]
    page.upload("normal", *screws(2))
    assert [each.label for each in page.app.file_uploader][:2] == before
    page.upload("normal", ("more.png", screw(7), ""))
    assert page.titles[0] == "1. Images: 3 normal, 0 to test"


def test_all_images_can_be_looked_through() -> None:
    page = OwnPage()
    page.upload("normal", *screws(3))
    photos = own(page).photos
    photos.normal += [OwnPhoto(**vars(photos.normal[0]) | {"path": Path(f"{n}.png")}) for n in range(30)]
    page.open("own_look_normal")

    def shown() -> list[str]:
        return [button.key for button in page.app.button if button.key.startswith("own_remove_")]

    assert len(shown()) == 24
    assert "1 to 24 of 33" in page.said
    assert page.app.button(key="own_previous_normal").disabled
    page.click("own_next_normal")
    assert len(shown()) == 9
    assert page.app.button(key="own_next_normal").disabled
    del photos.normal[3:]  # no page is left but the first one
    page.run()
    assert len(shown()) == 3


def test_box_of_the_images_stays_open_when_their_number_changes(page: OwnPage) -> None:
    assert not own(page).images_box.is_open
    page.open("own_images_box")
    press(page, "move", "0.png")
    assert page.titles[0] == "1. Images: 1 normal, 5 to test"
    assert own(page).images_box.is_open


def test_image_that_is_removed_is_nowhere_any_more(page: OwnPage) -> None:
    session = own(page)
    gone = photo_of(page, "chip.png")
    session.missed.append(gone)
    n_bytes = session.photos.n_bytes
    size = sum(file.stat().st_size for file in (gone.path, *gone.masks))
    press(page, "remove", "chip.png")
    assert page.titles[0] == "1. Images: 2 normal, 3 to test"
    assert len(page.tiles) == 3
    assert session.missed == []
    assert session.photos.n_bytes == n_bytes - size
    assert not any(file.exists() for file in (gone.path, *gone.masks))
    results = session.results
    assert results is not None
    assert [each.group for each in results.metrics()] == ["stain", "all"]
    session.remove(gone)  # a click on a page that is not drawn anew yet


def test_metrics_are_those_of_the_images_that_are_left(page: OwnPage, photo_model: Path) -> None:
    session, results = own(page), own(page).results
    assert results is not None
    press(page, "move", "stain.png")
    press(page, "move", "stain.png")
    press(page, "remove", "6.png")
    fresh = Results(load_card(photo_model), photo_model)
    fresh.score(session.photos.test, lambda done, total: None)
    found, wanted = ({each.group: each for each in some.metrics()} for some in (results, fresh))
    assert found == wanted
    assert found["chip"].pixel_auroc["new"] is not None
    press(page, "remove", "chip.png")
    assert results.metrics()[-1].pixel_auroc["new"] is None  # no mask is left


def test_normal_image_of_the_training_is_not_judged_silently(page: OwnPage) -> None:
    assert not any("has learned from" in warning for warning in page.warnings)
    press(page, "move", "0.png")
    assert page.titles[0] == "1. Images: 1 normal, 5 to test"
    assert len(page.tiles) == 5
    (told,) = (warning for warning in page.warnings if "the model has learned from" in warning)
    assert "0.png" in told
    press(page, "move", "0.png")
    assert page.titles[0] == "1. Images: 2 normal, 4 to test"
    assert len(page.tiles) == 4


def test_moved_image_counts_for_copies_and_settings(page: OwnPage) -> None:
    photos = own(page).photos
    page.upload("test", ("copy.png", screw(0), ""))
    assert photos.copies.test == 1
    defaults = photos.defaults
    press(page, "move", "copy.png")
    press(page, "move", "1.png")
    assert (photos.copies.test, photos.copies.normal) == (0, 1)
    assert photos.defaults is not defaults


def test_image_that_the_model_was_calibrated_with_stays_until_that_is_undone(page: OwnPage) -> None:
    results = own(page).results
    assert results is not None
    results.taken = (photo_of(page, "5.png"),)
    page.run()
    assert page.app.button(key=f"own_remove_{results.taken[0].path.stem}").disabled
    assert page.app.button(key=f"own_move_{results.taken[0].path.stem}").disabled


def test_trials_that_wait_do_without_a_removed_image(page: OwnPage) -> None:
    photos = own(page).photos.normal
    trial = Trial("a", load_card(own(page).results.folder).recipe, tuple(photos), trouble="ended")
    own(page).trials = [trial]
    own(page).remove(photos[0])
    assert len(trial.photos) == 1


def test_results_whose_process_is_lost_meanwhile_are_made_anew(
    page: OwnPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vaead.errors import InvalidInputError

    def lost(*_: object) -> None:
        raise InvalidInputError("lost")

    results = own(page).results
    assert results is not None
    with monkeypatch.context() as patch:
        patch.setattr(Results, "prediction", lost)
        results.forget(photo_of(page, "chip.png"))
    assert results.scored == {}
    own(page).remove(photo_of(page, "chip.png"))
    page.run()
    assert [each.group for each in results.metrics()] == ["stain", "all"]
