import numpy as np
import pytest

from vaead.scoring.patches import PatchGrid
from vaead.scoring.term_maps import mean_map
from vaead.ui.method.sliding import growing_map

GRID = PatchGrid(12, 14, patch_size=8, stride=2)  # 3 x 4 windows
WINDOWS = np.arange(12, dtype=np.float32).reshape(3, 4)


def test_map_of_all_windows_is_the_mean_map() -> None:
    np.testing.assert_allclose(growing_map(WINDOWS, 12, GRID), mean_map(WINDOWS[None], GRID)[0])


@pytest.mark.parametrize(("done", "pixels"), [(1, 8 * 8), (4, 8 * 14), (5, 8 * 14 + 2 * 8)])
def test_only_pixels_below_a_window_so_far_have_a_value(done: int, pixels: int) -> None:
    grown = growing_map(WINDOWS, done, GRID)
    assert np.isfinite(grown).sum() == pixels
    assert grown[0, 0] == 0  # the first window alone lies there
