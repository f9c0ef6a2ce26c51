from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from tests.unit.cli.command_line import lines_of, run
from vaead.model.folder import save_model
from vaead.model.model import Model
from vaead.recipe import PhotoSource


@pytest.fixture
def folder(photo_model: Model, tmp_path: Path) -> Path:
    """A model of photos whose longer sides were 90 to 96 pixels before they were halved."""
    recipe = replace(photo_model.card.recipe, source=PhotoSource(scale=0.5))
    save_model(tmp_path / "model", Model(replace(photo_model.card, recipe=recipe), photo_model.networks))
    return tmp_path / "model"


def write(place: Path, *sizes: tuple[int, int]) -> Path:
    """Noise of these widths and heights."""
    random = np.random.default_rng(0)
    place.mkdir()
    for number, (width, height) in enumerate(sizes):
        pixels = random.integers(0, 256, (height, width), np.uint8)
        Image.fromarray(pixels).save(place / f"{number}.png")
    return place


def test_photos_of_another_resolution_are_counted_on_one_line(folder: Path, tmp_path: Path) -> None:
    images = write(tmp_path / "images", (96, 80), (130, 60), (40, 70), (60, 120))
    result = run("score", "--model", folder, images)
    assert len(lines_of(result)) == 4
    assert result.stderr == (
        f"Other resolution: the longer side of 2 photos, such as {str(images / '1.png')!r} (65 px), is "
        "unlike that of the photos for training (45 to 48 px), after scaling; unless they are other crops, "
        "resize them first\n"
    )


@pytest.mark.parametrize("known", [True, False])
def test_nothing_is_said_of_other_crops_or_by_a_model_that_does_not_know(
    folder: Path, photo_model: Model, tmp_path: Path, known: bool
) -> None:
    if not known:
        save_model(folder, Model(replace(photo_model.card, longer_side_px=None), photo_model.networks))
    images = (
        write(tmp_path / "images", (72, 40), (120, 120)) if known else write(tmp_path / "images", (300, 30))
    )
    assert run("score", "--model", folder, images).stderr == ""
