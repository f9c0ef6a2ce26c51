"""Defects made from normal photos."""

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.data.photos.made_defects import KINDS, kinds_for, make_defect


@pytest.fixture(scope="module")
def photos() -> list[NDArray[np.float32]]:
    """Two colour photos with grain, far from black and white."""
    random = np.random.default_rng(0)
    return [random.uniform(0.4, 0.6, (64, 80, 3)).astype(np.float32) for _ in range(2)]


@pytest.mark.parametrize("kind", KINDS)
def test_defect_changes_a_place_of_the_photo(kind: str, photos: list[NDArray[np.float32]]) -> None:
    photo, other = photos
    made, size_px = make_defect(photo, kind, 0.12, other, np.random.default_rng(1))
    changed = (np.abs(made - photo) > 1e-4).any(axis=2)
    assert 0.003 < changed.mean() < 0.1
    assert (made.shape, made.min() >= 0, made.max() <= 1) == (photo.shape, True, True)
    assert 2 <= size_px < 10


def test_other_colour_is_as_bright_as_before(photos: list[NDArray[np.float32]]) -> None:
    photo, other = photos
    made, _ = make_defect(photo, "hue", 0.12, other, np.random.default_rng(1))
    assert np.abs(made - photo).max() > 0.02
    np.testing.assert_allclose(made.mean(axis=2), photo.mean(axis=2), atol=1e-5)


def test_grey_photo_has_no_other_colour(photos: list[NDArray[np.float32]]) -> None:
    assert kinds_for(photos[0]) == KINDS
    assert set(KINDS) - set(kinds_for(photos[0][..., 0])) == {"hue"}
