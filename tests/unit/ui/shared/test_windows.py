import pytest

from vaead.scoring.patches import PatchGrid
from vaead.ui.shared.windows import Window, numbers_of


def test_windows_are_counted_through_both_images() -> None:
    grid = PatchGrid(12, 14, patch_size=8, stride=2)  # 3 x 4 windows
    for index in range(24):
        assert Window.of_number(index, grid).number(grid) == index
    assert Window.of_number(17, grid) == Window(1, (1, 1))
    with pytest.raises(ValueError, match="out of bounds"):
        Window.of_number(24, grid)
    normal, anomalous = numbers_of(grid)
    assert (normal[0, 0], normal[-1, -1], anomalous[0, 0]) == (0, 11, 12)
