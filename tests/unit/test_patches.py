import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.config import PatchGrid
from vaead.patches import average_windows, coverage, every_crop, extract_windows, fold_scores, random_crops

GRIDS = [PatchGrid(28, 28, 8, 2), PatchGrid(30, 17, 8, 3), PatchGrid(9, 8, 8, 5), PatchGrid(16, 24, 8, 8)]


def starts(length: int, patch_size: int, stride: int) -> list[int]:
    """Where the windows of one axis start, written as a loop."""
    result = []
    for start in range(length):
        if start % stride == 0 and start + patch_size <= length:
            result.append(start)
    if result[-1] + patch_size < length:
        result.append(length - patch_size)
    return result


def loop_over_windows(scores: NDArray[np.float32], grid: PatchGrid) -> NDArray[np.float64]:
    """The map of the tutorial: add each window's score to the pixels below it."""
    anomaly_map = np.zeros((grid.height_px, grid.width_px))
    for i, top in enumerate(starts(grid.height_px, grid.patch_size, grid.stride)):
        for j, left in enumerate(starts(grid.width_px, grid.patch_size, grid.stride)):
            anomaly_map[top : top + grid.patch_size, left : left + grid.patch_size] += scores[i, j]
    return anomaly_map


def test_every_crop_is_drawn_even_at_the_last_position_and_is_a_slice() -> None:
    images = np.arange(2 * 5 * 4).reshape(2, 5, 4)
    crops = random_crops(images, 3, 500, np.random.default_rng(0))

    drawn = set()
    for crop in crops:
        image, row, col = np.unravel_index(crop[0, 0], images.shape)
        np.testing.assert_array_equal(crop, images[image, row : row + 3, col : col + 3])
        drawn.add((int(image), int(row), int(col)))
    assert drawn == {(image, row, col) for image in range(2) for row in range(3) for col in range(2)}


def test_view_of_every_crop_takes_no_memory() -> None:
    images = np.zeros((2, 9, 9), np.uint8)
    crops = every_crop(images, 8)
    assert np.shares_memory(crops, images)
    assert not crops.flags.writeable


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_windows_are_slices(grid: PatchGrid) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, grid.height_px, grid.width_px), np.uint8)
    windows = extract_windows(images, grid)

    tops = starts(grid.height_px, grid.patch_size, grid.stride)
    lefts = starts(grid.width_px, grid.patch_size, grid.stride)
    assert windows.shape == (2, len(tops), len(lefts), grid.patch_size, grid.patch_size)
    for i, top in enumerate(tops):
        for j, left in enumerate(lefts):
            expected = images[:, top : top + grid.patch_size, left : left + grid.patch_size]
            np.testing.assert_array_equal(windows[:, i, j], expected)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_map_equals_a_plain_loop_over_windows(grid: PatchGrid) -> None:
    scores = np.random.default_rng(0).normal(0, 100, (3, *grid.shape)).astype(np.float32)
    maps = fold_scores(scores, grid)
    assert maps.dtype == np.float32
    for anomaly_map, of_one_image in zip(maps, scores, strict=True):
        expected = loop_over_windows(of_one_image, grid)
        np.testing.assert_allclose(anomaly_map, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_coverage_counts_the_windows_over_a_pixel() -> None:
    count = coverage(GRIDS[0])
    assert (count[0, 0], count[0, 14], count[14, 14], count[27, 27]) == (1, 4, 16, 1)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_average_of_the_windows_of_an_image_is_the_image(grid: PatchGrid) -> None:
    images = np.random.default_rng(0).random((2, grid.height_px, grid.width_px), np.float32)
    np.testing.assert_allclose(average_windows(extract_windows(images, grid), grid), images, rtol=1e-6)


def test_windows_that_overlap_are_averaged() -> None:
    windows = np.stack([np.full((4, 4), 2.0, np.float32), np.full((4, 4), 6.0, np.float32)])
    image = average_windows(windows[None, None], PatchGrid(4, 6, patch_size=4, stride=2))[0]
    np.testing.assert_array_equal(image[0], [2, 2, 4, 4, 6, 6])
