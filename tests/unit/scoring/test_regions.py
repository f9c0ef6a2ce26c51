"""Regions of an anomaly map as numbers."""

import numpy as np
import pytest

from vaead.scoring.regions import Region, area_share, find_regions

SHAPE = (6, 8)


def _found(*where: tuple[slice, slice]) -> tuple[Region, ...]:
    mask = np.zeros(SHAPE, np.bool_)
    for part in where:
        mask[part] = True
    anomaly_map = np.arange(48.0).reshape(SHAPE)
    return find_regions(mask, anomaly_map, lambda values: values / 100)


def test_numbers_of_a_region() -> None:
    (region,) = _found(np.s_[1:3, 2:5])
    assert (region.left, region.top, region.width, region.height, region.area) == (2, 1, 3, 2, 6)
    assert region.center == (3.0, 1.5)
    assert (region.largest, region.mean, region.normal_below) == (20.0, 15.0, 0.2)


@pytest.mark.parametrize(
    ("where", "boxes"),
    [
        ([], []),
        ([np.s_[:1, :1], np.s_[1:2, 1:2]], [(0, 0, 2, 2)]),
        ([np.s_[:1, :1], np.s_[4:, 6:]], [(6, 4, 2, 2), (0, 0, 1, 1)]),
        ([np.s_[:, :]], [(0, 0, 8, 6)]),
    ],
    ids=["none", "touch at a corner", "two, the largest value first", "all"],
)
def test_boxes(where: list[tuple[slice, slice]], boxes: list[tuple[int, int, int, int]]) -> None:
    assert [(each.left, each.top, each.width, each.height) for each in _found(*where)] == boxes


def test_regions_with_boxes_that_overlap_are_one() -> None:
    corner, dot, chained = (np.s_[0, :5], np.s_[:5, 0]), np.s_[2:3, 3:4], np.s_[4:6, 2:8]
    (region,) = _found(*corner, dot, chained)
    assert (region.left, region.top, region.width, region.height) == (0, 0, 8, 6)
    assert region.area == 9 + 1 + 12


def test_lengths_grow_with_the_image_and_values_do_not() -> None:
    (region,) = _found(np.s_[1:3, 2:5])
    large = region.enlarged(4)
    assert (large.left, large.width, large.area, large.center) == (8, 12, 96, (13.5, 7.5))
    assert (large.largest, large.normal_below) == (region.largest, region.normal_below)


def test_share_of_the_image() -> None:
    assert area_share(_found(np.s_[:2, :2], np.s_[4:, 6:]), SHAPE) == 8 / 48
