import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.scoring.patches import (
    PatchGrid,
    average_windows,
    coverage,
    every_crop,
    extract_windows,
    fold_scores,
    random_crops,
    unit,
)

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
    crops, positions = random_crops(images, 3, 500, np.random.default_rng(0))

    drawn = set()
    for crop, position in zip(crops, positions, strict=True):
        image, row, col = np.unravel_index(crop[0, 0], images.shape)
        np.testing.assert_allclose(position, [row / 2, col / 1])
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
    tops = starts(grid.height_px, grid.patch_size, grid.stride)
    lefts = starts(grid.width_px, grid.patch_size, grid.stride)
    places = [(image, i, j) for image in images for i in range(len(tops)) for j in range(len(lefts))]

    windows, positions = extract_windows(images, grid, slice(0, len(places)))
    for window, position, (image, i, j) in zip(windows, positions, places, strict=True):
        expected = image[tops[i] : tops[i] + grid.patch_size, lefts[j] : lefts[j] + grid.patch_size]
        np.testing.assert_array_equal(window, expected)
        np.testing.assert_array_equal(position, grid.positions[i, j])


def test_crop_and_window_of_the_same_place_have_the_same_position() -> None:
    image = np.arange(11 * 15).reshape(1, 11, 15)
    grid = PatchGrid(11, 15, patch_size=4, stride=3)
    windows, positions = extract_windows(image, grid, slice(0, grid.shape[0] * grid.shape[1]))
    by_first_pixel = dict(zip(windows[:, 0, 0].tolist(), positions, strict=True))

    crops, drawn = random_crops(image, 4, 2000, np.random.default_rng(0))
    shared = [(pixel, at) for pixel, at in zip(crops[:, 0, 0], drawn, strict=True) if pixel in by_first_pixel]
    assert {pixel for pixel, _ in shared} == set(by_first_pixel)
    for pixel, position in shared:
        np.testing.assert_array_equal(position, by_first_pixel[pixel])


def test_crops_of_an_image_as_large_as_a_patch_lie_at_0() -> None:
    crops, positions = random_crops(np.ones((1, 4, 4)), 4, 3, np.random.default_rng(0))
    assert crops.shape == (3, 4, 4)
    np.testing.assert_array_equal(positions, np.zeros((3, 2)))


def test_part_of_the_windows_may_reach_over_images() -> None:
    images = np.random.default_rng(0).random((3, 9, 8))
    grid = PatchGrid(9, 8, patch_size=8, stride=1)
    windows, positions = extract_windows(images, grid, slice(1, 4))
    np.testing.assert_array_equal(windows, [images[0, 1:], images[1, :8], images[1, 1:]])
    np.testing.assert_array_equal(positions, [[1, 0], [0, 0], [1, 0]])


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_map_equals_a_plain_loop_over_windows(grid: PatchGrid) -> None:
    scores = np.random.default_rng(0).normal(0, 100, (3, *grid.shape)).astype(np.float32)
    maps = fold_scores(scores, grid)
    assert maps.dtype == np.float32
    for anomaly_map, of_one_image in zip(maps, scores, strict=True):
        expected = loop_over_windows(of_one_image, grid)
        np.testing.assert_allclose(anomaly_map, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("cells", [2, 4])
def test_map_of_cells_is_the_sum_of_the_cells_over_a_pixel(cells: int) -> None:
    grid = PatchGrid(19, 22, patch_size=8, stride=3)
    scores = np.random.default_rng(0).normal(size=(2, *grid.shape, cells, cells)).astype(np.float32)
    side = 8 // cells
    expected = np.zeros((2, 19, 22))
    for i, top in enumerate(grid.row_starts):
        for j, left in enumerate(grid.col_starts):
            blocks = np.kron(scores[:, i, j], np.ones((1, side, side)))
            expected[:, top : top + 8, left : left + 8] += blocks
    np.testing.assert_allclose(fold_scores(scores, grid), expected, rtol=1e-4, atol=1e-4)


def test_coverage_counts_the_windows_over_a_pixel() -> None:
    count = coverage(GRIDS[0])
    assert (count[0, 0], count[0, 14], count[14, 14], count[27, 27]) == (1, 4, 16, 1)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_average_of_the_windows_of_an_image_is_the_image(grid: PatchGrid) -> None:
    images = np.random.default_rng(0).random((2, grid.height_px, grid.width_px), np.float32)
    rows, cols = grid.shape
    windows, _ = extract_windows(images, grid, slice(0, 2 * rows * cols))
    by_image = windows.reshape(2, rows, cols, grid.patch_size, grid.patch_size)
    np.testing.assert_allclose(average_windows(by_image, grid), images, rtol=1e-6)


def test_windows_that_overlap_are_averaged() -> None:
    windows = np.stack([np.full((4, 4), 2.0, np.float32), np.full((4, 4), 6.0, np.float32)])
    image = average_windows(windows[None, None], PatchGrid(4, 6, patch_size=4, stride=2))[0]
    np.testing.assert_array_equal(image[0], [2, 2, 4, 4, 6, 6])


def test_crops_of_a_list_are_slices_of_its_images_each_drawn_as_often() -> None:
    sizes = [(5, 4), (3, 3), (9, 12)]
    images = [1000 * number + np.arange(h * w).reshape(h, w) for number, (h, w) in enumerate(sizes)]
    crops, positions = random_crops(images, 3, 6000, np.random.default_rng(0))

    drawn = []
    for crop, position in zip(crops, positions, strict=True):
        number, pixel = divmod(int(crop[0, 0]), 1000)
        row, col = np.unravel_index(pixel, sizes[number])
        np.testing.assert_array_equal(crop, images[number][row : row + 3, col : col + 3])
        last = np.maximum(np.array(sizes[number]) - 3, 1)
        np.testing.assert_allclose(position, np.array([row, col]) / last, rtol=1e-6)
        drawn.append((number, int(row), int(col)))
    assert len(set(drawn)) == 3 * 2 + 1 + 7 * 10
    shares = np.bincount([number for number, _, _ in drawn]) / 6000
    np.testing.assert_allclose(shares, [1 / 3] * 3, atol=0.03)  # however large an image is


def test_crops_and_windows_of_colours_are_those_of_each_channel() -> None:
    images = np.random.default_rng(0).random((2, 9, 12, 3), np.float32)
    grid = PatchGrid(9, 12, patch_size=4, stride=3)
    part = slice(3, 2 * grid.shape[0] * grid.shape[1])
    crops, windows = every_crop(images, 4), extract_windows(images, grid, part)[0]
    drawn, _ = random_crops(images, 4, 20, np.random.default_rng(1))
    assert windows.shape == (part.stop - 3, 4, 4, 3)
    for channel in range(3):
        plain = images[..., channel]
        np.testing.assert_array_equal(crops[..., channel], every_crop(plain, 4))
        np.testing.assert_array_equal(windows[..., channel], extract_windows(plain, grid, part)[0])
        expected = random_crops(plain, 4, 20, np.random.default_rng(1))[0]
        np.testing.assert_array_equal(drawn[..., channel], expected)


def test_average_of_the_windows_of_a_colour_image_is_the_image() -> None:
    images = np.random.default_rng(0).random((2, 9, 12, 3), np.float32)
    grid = PatchGrid(9, 12, patch_size=4, stride=3)
    windows, _ = extract_windows(images, grid, slice(0, 2 * grid.shape[0] * grid.shape[1]))
    by_image = windows.reshape(2, *grid.shape, 4, 4, 3)
    np.testing.assert_allclose(average_windows(by_image, grid), images, rtol=1e-6)


def test_bytes_become_fractions_and_fractions_stay() -> None:
    np.testing.assert_array_equal(unit(np.uint8([0, 51, 255])), np.float32([0, 0.2, 1]))
    np.testing.assert_array_equal(unit(np.array([0.0, 0.25, 1.0])), np.float32([0, 0.25, 1]))
