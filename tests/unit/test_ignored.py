"""Regions that are left out."""

import zlib

import msgspec
import numpy as np
import pytest

from vaead.errors import InvalidInputError
from vaead.ignored import IgnoredRegion
from vaead.recipe import PhotoSource, Recipe


def region() -> IgnoredRegion:
    mask = np.zeros((6, 9), np.bool_)
    mask[:2, 3:] = True
    return IgnoredRegion.from_mask(mask)


def test_recipe_keeps_the_pixels() -> None:
    recipe = Recipe.from_preset("industrial", PhotoSource(ignored=region()))
    again = Recipe.from_json(recipe.to_json())
    assert again == recipe
    assert again.source.ignored is not None
    found = again.source.ignored.pixels((6, 9))
    assert found[:2, 3:].all()
    assert found.sum() == 12


def test_region_is_resized_with_the_photo() -> None:
    found = region().pixels((12, 3))
    assert found[:4, 1:].all()
    assert found.sum() == 8


def test_regions_are_joined_in_the_size_of_the_first() -> None:
    other = np.zeros((2, 3), np.bool_)
    other[1, 0] = True
    joined = (region() | IgnoredRegion.from_mask(other)).pixels((6, 9))
    assert joined.shape == (6, 9)
    assert joined[3:, :3].all()
    assert joined.sum() == 12 + 9


@pytest.mark.parametrize(
    ("mask", "got"), [(np.zeros((4, 4), np.bool_), "nothing"), (np.ones((4, 4)) > 0, "all")]
)
def test_nothing_and_everything_are_refused(mask: np.ndarray, got: str) -> None:
    with pytest.raises(InvalidInputError, match=f"must be a part of the photos, got {got} of them"):
        IgnoredRegion.from_mask(mask)


@pytest.mark.parametrize("mask", [np.ones((4, 4), np.uint8), np.ones((4, 4, 3)) > 0, [[True]]])
def test_what_is_no_mask_is_refused(mask: np.ndarray) -> None:
    with pytest.raises(InvalidInputError, match=r"must be an array \(H, W\) of truth values"):
        IgnoredRegion.from_mask(mask)


def test_mask_that_is_hardly_compressed_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="at most 60,000 bytes when it is packed"):
        IgnoredRegion.from_mask(np.random.default_rng(0).random((1000, 1000)) > 0.5)


@pytest.mark.parametrize(
    "packed", [b"", b"no zlib", zlib.compress(bytes(6)), zlib.compress(bytes(10**8), 1)[:5000]]
)
def test_other_data_in_a_card_are_refused(packed: bytes) -> None:
    with pytest.raises(InvalidInputError, match="packed must hold 6x9 pixels, got other data"):
        IgnoredRegion(6, 9, packed)


@pytest.mark.parametrize("size", [(0, 9), (2**20, 2**20)])
def test_sizes_in_a_card_are_checked(size: tuple[int, int]) -> None:
    content = msgspec.json.encode({"height": size[0], "width": size[1], "packed": ""})
    with pytest.raises(msgspec.ValidationError, match="must be a whole number from 1"):
        msgspec.json.decode(content, type=IgnoredRegion)
