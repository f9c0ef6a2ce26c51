from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.data.screws.generator import DEFECTS, Screw, make_screw
from vaead.errors import InvalidInputError, UnknownNameError

SCALE = 0.25
N_LOOKED_AT = 4  # images for each claim about defects, with different light, finish and place


def make(index: int, defect: str | None = None, severity: float | None = None) -> Screw:
    return make_screw(7, index, defect, severity, SCALE)


def change(index: int, defect: str, severity: float) -> NDArray[np.int64]:
    """What a defect adds to each pixel of the normal image."""
    return make(index, defect, severity).image.astype(np.int64) - make(index).image


def test_five_kinds_of_defects() -> None:
    assert set(DEFECTS) == {"scratch", "chip", "stain", "broken_thread", "particle"}


@pytest.mark.parametrize(("scale", "shape"), [(0.2, (96, 128)), (0.33, (158, 211)), (1.0, (480, 640))])
def test_size_follows_the_scale(scale: float, shape: tuple[int, int]) -> None:
    screw = make_screw(0, 0, "chip", scale=scale)
    assert (screw.image.shape, screw.image.dtype) == (shape, np.uint8)
    assert (screw.mask.shape, screw.mask.dtype) == (shape, np.bool_)


@pytest.mark.parametrize("defect", [None, *DEFECTS])
def test_same_arguments_give_the_same_image(defect: str | None) -> None:
    first, second = make(3, defect), make(3, defect)
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.mask, second.mask)


def test_pixels_are_those_of_earlier_versions() -> None:
    image = make_screw(0, 0, scale=0.2).image
    assert image[::24, ::24].tolist() == [
        [93, 108, 142, 154, 154, 132],
        [97, 112, 141, 81, 163, 142],
        [105, 117, 119, 33, 162, 146],
        [97, 119, 138, 151, 173, 150],
    ]


@pytest.mark.parametrize("other", [(7, 1), (8, 0)])
def test_seed_and_index_change_the_image(other: tuple[int, int]) -> None:
    difference = make(0).image.astype(np.int64) - make_screw(*other, scale=SCALE).image
    assert np.abs(difference).mean() > 5


def test_normal_image_has_an_empty_mask() -> None:
    assert not make(0).mask.any()


def test_hole_is_complex_and_dark_and_the_plate_is_neither() -> None:
    image = make(0).image.astype(np.float64)
    rows, columns = np.indices(image.shape)
    radius = np.hypot(rows - image.shape[0] / 2, columns - image.shape[1] / 2) / SCALE
    hole, plate = radius < 70, radius > 200
    contrast = np.hypot(*np.gradient(image))
    wall = (radius > 70) & (radius < 130)
    assert image[hole].mean() < 0.5 * image[plate].mean()
    assert contrast[wall].mean() > 2 * contrast[plate].mean()


@pytest.mark.parametrize("defect", DEFECTS)
@pytest.mark.parametrize("severity", [0.0, 1.0])
def test_mask_is_where_the_image_changes(defect: str, severity: float) -> None:
    for index in range(N_LOOKED_AT):
        mask, changed = make(index, defect, severity).mask, change(index, defect, severity) != 0
        assert mask.any()
        assert not changed[~mask].any()
        assert changed[mask].mean() > 0.8


@pytest.mark.parametrize("defect", DEFECTS)
def test_severity_grades_a_defect(defect: str) -> None:
    totals = [
        [np.abs(change(index, defect, severity)).sum() for severity in (0.0, 0.3, 0.6, 1.0)]
        for index in range(N_LOOKED_AT)
    ]
    assert (np.diff(totals, axis=1) > 0).all()


@pytest.mark.parametrize("defect", DEFECTS)
def test_severe_defect_stands_out_of_the_noise(defect: str) -> None:
    for index in range(N_LOOKED_AT):
        visible = np.abs(change(index, defect, 1.0))[make(index, defect, 1.0).mask]
        assert np.percentile(visible, 90) > 18


@pytest.mark.parametrize("defect", DEFECTS)
def test_severity_is_drawn_unless_given(defect: str) -> None:
    drawn = [int(make(index, defect).mask.sum()) for index in range(8)]
    least, most = (
        [int(make(index, defect, severity).mask.sum()) for index in range(8)] for severity in (0, 1)
    )
    assert all(low <= size <= high for low, size, high in zip(least, drawn, most, strict=True))
    assert len(set(drawn)) > 4


def _mean_radius_px(index: int, defect: str) -> float:
    """Mean distance of a defect from the hole's centre, which the dark floor shows, at full size."""
    image = make(index).image
    dark_rows, dark_columns = np.nonzero(image < 40)
    rows, columns = np.nonzero(make(index, defect, 0.5).mask)
    distance = np.hypot(rows - np.median(dark_rows), columns - np.median(dark_columns))
    return float(distance.mean()) / SCALE


@pytest.mark.parametrize(("defect", "low", "high"), [("broken_thread", 60, 135), ("chip", 90, 170)])
def test_defects_of_the_hole_are_at_their_place(defect: str, low: float, high: float) -> None:
    radii = [_mean_radius_px(index, defect) for index in range(6)]
    assert all(low < radius < high for radius in radii), radii


@pytest.mark.parametrize("defect", ["scratch", "stain", "particle"])
def test_defects_of_the_surface_are_mostly_on_the_plate(defect: str) -> None:
    radii = [_mean_radius_px(index, defect) for index in range(10)]
    assert sum(radius > 128 for radius in radii) > 5, radii


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed must be a whole number, 0 or more, got -1; choose"),
        ({"seed": 0.5}, r"seed must be a whole number, .* got 0\.5"),
        ({"index": -2}, "index must be a whole number, 0 or more, got -2"),
        ({"index": True}, "index must be a whole number, .* got True"),
        ({"scale": 0.19}, r"scale must be from 0\.2 to 4, got 0\.19; 1 makes"),
        ({"scale": float("nan")}, r"scale must be from 0\.2 to 4, got nan"),
        ({"severity": 0.5}, r"severity must be left out of a normal image, got 0\.5; name a defect"),
        ({"defect": "chip", "severity": 1.1}, r"severity must be from 0 to 1, got 1\.1"),
        ({"defect": "chip", "severity": float("nan")}, "severity must be from 0 to 1, got nan"),
    ],
)
def test_bad_number_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        make_screw(**{"seed": 0, "index": 0} | arguments)


def test_unknown_defect_lists_the_kinds() -> None:
    with pytest.raises(UnknownNameError, match=r"defect must be one of scratch, chip, .*, got 'rust'"):
        make_screw(0, 0, "rust")
