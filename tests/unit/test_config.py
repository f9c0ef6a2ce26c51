from collections.abc import Callable

import numpy as np
import pytest

from vaead.config import NetworkConfig, TrainConfig
from vaead.errors import InvalidInputError, UnknownNameError
from vaead.scoring.patches import PatchGrid

SIZES = [
    (28, 28, 8, 2),
    (28, 28, 8, 8),
    (29, 31, 8, 3),
    (8, 8, 8, 5),
    (9, 8, 8, 8),
    (480, 640, 96, 16),
]


@pytest.mark.parametrize(("height", "width", "patch_size", "stride"), SIZES)
def test_windows_cover_every_pixel_and_lie_inside(
    height: int, width: int, patch_size: int, stride: int
) -> None:
    grid = PatchGrid(height, width, patch_size, stride)
    for starts, length in ((grid.row_starts, height), (grid.col_starts, width)):
        covered = {pixel for start in starts for pixel in range(start, start + patch_size)}
        assert covered == set(range(length))


@pytest.mark.parametrize(("height", "width", "patch_size", "stride"), SIZES)
def test_windows_differ_and_are_at_most_one_stride_apart(
    height: int, width: int, patch_size: int, stride: int
) -> None:
    grid = PatchGrid(height, width, patch_size, stride)
    for starts in (grid.row_starts, grid.col_starts):
        assert starts[0] == 0
        assert all(0 < step <= stride for step in np.diff(starts))
    assert grid.shape == (len(grid.row_starts), len(grid.col_starts))


def test_positions_run_from_0_at_the_first_place_to_1_at_the_last() -> None:
    positions = PatchGrid(12, 28, patch_size=8, stride=3).positions  # rows 0, 3, 4; columns 0, 3, ..., 18, 20
    assert positions.shape == (3, 8, 2)
    np.testing.assert_allclose(positions[:, 0], [[0, 0], [0.75, 0], [1, 0]])
    np.testing.assert_allclose(positions[1, :, 1], np.array([0, 3, 6, 9, 12, 15, 18, 20]) / 20)


def test_only_place_is_at_0() -> None:
    assert PatchGrid(8, 8, patch_size=8, stride=2).positions.tolist() == [[[0, 0]]]


@pytest.mark.parametrize("size", [(7, 28), (28, 7)])
def test_image_smaller_than_a_patch_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InvalidInputError, match=f"at least 8x8 pixels .* got {size[0]}x{size[1]}; use a"):
        PatchGrid(*size, patch_size=8, stride=2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NetworkConfig(patch_size=6), "patch_size must be a multiple of 4, got 6"),
        (lambda: NetworkConfig(patch_size=0), "patch_size must be a multiple of 4, got 0"),
        (lambda: NetworkConfig(patch_size=8.0), "patch_size must be a multiple of 4, got 8.0"),
        (lambda: NetworkConfig(stride=0), "stride must be a whole number from 1 to 8, got 0"),
        (lambda: NetworkConfig(stride=9), "stride must be a whole number from 1 to 8, got 9"),
        (lambda: NetworkConfig(latent_dim=0), "latent must be a whole number from 1 to 64, got 0"),
        (lambda: NetworkConfig(latent_dim=65), "latent must be a whole number from 1 to 64, got 65"),
        (lambda: NetworkConfig(units=0), "units must be a whole number from 1 to 4,096, got 0"),
        (lambda: NetworkConfig(units=4097), "units must be .* got 4097"),
        (
            lambda: NetworkConfig(sigma2_floor=0),
            "sigma2_floor must be a number from 1e-10 to below 1, got 0;",
        ),
        (lambda: NetworkConfig(sigma2_floor=9e-11), "sigma2_floor must be .* got 9e-11"),
        (lambda: NetworkConfig(sigma2_floor=1.0), "sigma2_floor must be .* got 1.0"),
        (lambda: NetworkConfig(sigma2_floor=float("nan")), "sigma2_floor must be .* got nan"),
        (lambda: NetworkConfig(sigma2_floor="0.1"), "sigma2_floor must be .* got '0.1'"),
        (
            lambda: NetworkConfig(channels=3),
            "channels must be 1, or 3 with the network convolutional, got 3; read",
        ),
        (lambda: NetworkConfig(network="dense", channels=3), "channels must be .* got 3"),
        (lambda: NetworkConfig(network="convolutional", channels=4), "channels must be .* got 4"),
        (lambda: TrainConfig(batch_size=1), "batch_size must be a whole number from 2 to 65,536, got 1"),
        (lambda: TrainConfig(learning_rate=0), "learning_rate must be a number from 1e-08 to below 1, got 0"),
        (lambda: TrainConfig(learning_rate=1), "learning_rate must be .* got 1;"),
        (lambda: TrainConfig(kl_weight=-0.1), "kl_weight must be a number from 0 to below 1,000, got -0.1"),
        (lambda: TrainConfig(kl_weight=True), "kl_weight must be .* got True"),
        (lambda: TrainConfig(held_out=0), "held_out must be a number from 0.001 to below 1, got 0"),
        (lambda: TrainConfig(held_out=1.0), "held_out must be .* got 1.0"),
        (lambda: TrainConfig(crops=127), "crops must be a whole number from 128 to 5,000,000, got 127"),
        (lambda: TrainConfig(crops=5_000_001), "crops must be .* got 5000001"),
        (lambda: TrainConfig(epochs=0), "epochs must be a whole number from 1 to 1,000, got 0"),
        (lambda: TrainConfig(epochs=1001), "epochs must be .* got 1001"),
        (lambda: TrainConfig(epochs=2.5), "epochs must be .* got 2.5"),
        (lambda: TrainConfig(epochs=True), "epochs must be .* got True"),
        (lambda: TrainConfig(seed=-1), "seed must be a whole number from 0 to 2,147,483,647, got -1"),
        (lambda: TrainConfig(seed=2**31), "seed must be .* got 2147483648"),
    ],
)
def test_setting_out_of_range_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        make()


def test_unknown_network_is_refused() -> None:
    with pytest.raises(
        UnknownNameError, match="network must be one of article, dense, convolutional, got 'deep'"
    ):
        NetworkConfig(network="deep")


@pytest.mark.parametrize(("channels", "shape", "values"), [(1, (16, 16), 256), (3, (16, 16, 3), 768)])
def test_patch_has_a_third_axis_only_if_it_has_colours(
    channels: int, shape: tuple[int, ...], values: int
) -> None:
    config = NetworkConfig(network="convolutional", patch_size=16, channels=channels)
    assert (config.patch_shape, config.patch_values) == (shape, values)


@pytest.mark.parametrize(
    ("network", "patch_size", "cells"), [("convolutional", 24, 8), ("convolutional", 20, 4), ("dense", 16, 1)]
)
def test_windows_of_photos_are_split_into_equal_cells(network: str, patch_size: int, cells: int) -> None:
    assert NetworkConfig(network=network, patch_size=patch_size).cells == cells
