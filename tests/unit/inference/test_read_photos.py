from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaead import load_photos
from vaead.errors import InvalidInputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos of different sizes in colours."""
    for name, shape in (("10.png", (8, 12, 3)), ("2.png", (6, 4, 3))):
        Image.fromarray(np.full(shape, (255, 0, 0), np.uint8)).save(tmp_path / name)
    return tmp_path


def test_photos_of_a_folder_come_in_natural_order_from_0_to_1(folder: Path) -> None:
    photos = load_photos(folder)
    assert [photo.shape for photo in photos] == [(6, 4), (8, 12)]
    assert all(0.2 < photo.min() <= photo.max() < 0.4 for photo in photos)  # the luminance of red


def test_photos_are_scaled_and_keep_their_colors_if_asked_to(folder: Path) -> None:
    photos = load_photos(str(folder), scale=0.5, color="rgb")
    assert [photo.shape for photo in photos] == [(3, 2, 3), (4, 6, 3)]
    np.testing.assert_allclose(photos[0][0, 0], [1, 0, 0], atol=1e-6)


def test_whole_dataset_is_refused(folder: Path) -> None:
    good = folder / "train" / "good"
    good.mkdir(parents=True)
    (folder / "10.png").rename(good / "10.png")
    with pytest.raises(InvalidInputError, match=r"for different uses .* name one of its folders"):
        load_photos(folder)


def test_photo_that_cannot_be_read_is_named(folder: Path) -> None:
    (folder / "bad.png").write_text("no image")
    with pytest.raises(InvalidInputError, match=r"bad\.png"):
        load_photos(folder)
