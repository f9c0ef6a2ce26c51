"""Golden scores go with a model of photos, are made anew from formulas, and tell another model apart."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from PIL import Image

from vaead.errors import ModelFormatError
from vaead.inference.golden import Golden, renew_golden, save_with_golden
from vaead.model.files import CARD, GOLDEN, SCRIPT
from vaead.model.folder import load_model, save_model
from vaead.model.model import Model
from vaead.recipe import PhotoSource


def sized(model: Model, scale: float, image_shape: tuple[int, int] | None = None) -> Model:
    """The same networks in another card."""
    source = PhotoSource(scale=scale, aligned=image_shape is not None)
    recipe = replace(model.card.recipe, source=source)
    return Model(replace(model.card, recipe=recipe, image_shape=image_shape), model.networks)


def sizes(golden: Golden) -> set[tuple[int, int]]:
    return {Image.open(io.BytesIO(picture.png)).size for picture in golden.pictures}


def test_model_of_photos_comes_with_both_files_and_loads_without_them(
    photo_model: Model, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    save_with_golden(folder, photo_model)
    names = {CARD, GOLDEN, SCRIPT, "network0.tflite.gz", "reference0.npz", "windows.npz"}
    assert {path.name for path in folder.iterdir()} == names
    assert Golden.read(folder).differences(load_model(folder)) == []
    for name in (GOLDEN, SCRIPT):
        (folder / name).unlink()
    assert load_model(folder).card == photo_model.card
    renew_golden(folder, load_model(folder))
    assert {path.name for path in folder.iterdir()} == names
    save_with_golden(folder, photo_model)  # which replaces a model, not a folder of something else


def test_scores_and_decisions_are_those_of_the_pictures(photo_model: Model) -> None:
    golden = Golden.compute(photo_model)
    assert len(golden.pictures) == 3
    for picture in golden.pictures:
        grey = (
            np.asarray(Image.open(io.BytesIO(picture.png)), np.float32)
            @ np.float32([0.299, 0.587, 0.114])
            / 255
        )
        scores = photo_model.image_scores(np.clip(grey, 0, 1)[None])
        assert picture.scores == pytest.approx(
            {name: float(each[0]) for name, each in scores.items()}, rel=1e-4
        )
        assert picture.flagged == {
            name: value > photo_model.card.normal_scores.threshold_value(name, 0.05)
            for name, value in picture.scores.items()
        }


def test_pictures_follow_from_the_size_alone(photo_model: Model, photos: list[NDArray[np.uint8]]) -> None:
    golden = Golden.compute(photo_model)
    pixels = [np.asarray(Image.open(io.BytesIO(picture.png))) for picture in golden.pictures]
    assert hashlib.sha256(np.stack(pixels).tobytes()).hexdigest().startswith("4b895a3e274496ea")


@pytest.mark.parametrize(
    ("scale", "shape", "expected"),
    [
        (1.0, None, (52, 48)),
        (0.5, None, (104, 96)),
        (0.01, None, (1600, 1600)),
    ],
)
def test_pictures_have_some_patches_before_scaling(
    photo_model: Model, scale: float, shape: tuple[int, int] | None, expected: tuple[int, int]
) -> None:
    assert sizes(Golden.compute(sized(photo_model, scale, shape))) == {expected}


def test_pictures_of_aligned_photos_have_their_size_after_scaling(photo_model: Model) -> None:
    model = sized(photo_model, 0.3, (41, 53))
    golden = Golden.compute(model)
    assert sizes(golden) == {(177, 137)}
    assert all("calibrated" in picture.scores for picture in golden.pictures)


def test_another_model_is_told_apart(photo_model: Model, tmp_path: Path) -> None:
    golden = Golden.compute(photo_model)
    first, *others = golden.pictures
    new = first.scores["new"]
    for factor, count in ((1.00005, 0), (1.001, 1)):
        changed = replace(first, scores=first.scores | {"new": new * factor})
        assert len(replace(golden, pictures=(changed, *others)).differences(photo_model)) == count
    turned = replace(first, flagged=first.flagged | {"new": not first.flagged["new"]})
    assert len(replace(golden, pictures=(turned, *others)).differences(photo_model)) == 1
    few = replace(golden, pictures=(replace(first, scores={"new": new}, flagged={"new": True}),))
    with pytest.raises(ModelFormatError, match="it is of another model"):
        few.differences(photo_model)


@pytest.mark.parametrize(
    "content", [None, b"", b"[", b'{"vaead": "1", "false_alarm_rate": 2, "pictures": 3}']
)
def test_missing_or_damaged_golden_scores_are_a_sentence(
    photo_model: Model, tmp_path: Path, content: bytes | None
) -> None:
    save_model(tmp_path / "model", photo_model)
    if content is not None:
        (tmp_path / "model" / GOLDEN).write_bytes(content)
    with pytest.raises(
        ModelFormatError, match=r"golden.json must be the golden scores .*; write them with --renew"
    ):
        Golden.read(tmp_path / "model")
