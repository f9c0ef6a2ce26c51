"""Kinds of photos, found from what normal photos show."""

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.calibration.kinds import find_kinds

CENTERS = np.array([[-3, 0], [3, 0]], np.float32)


def draw(
    counts: tuple[int, ...], middles: tuple[float, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Content of photos around `CENTERS`, and logarithms of their evidence around the middle of each kind."""
    random = np.random.default_rng(0)
    kind = np.repeat(np.arange(len(counts)), counts)
    content = CENTERS[kind] + random.normal(0, 0.5, (len(kind), 2))
    logs = np.array(middles)[kind, None] + random.normal(0, 0.3, (len(kind), 3))
    return content.astype(np.float32), logs.astype(np.float32)


def test_kinds_whose_normal_photos_differ_are_told_apart() -> None:
    kinds = find_kinds(*draw((40, 30), (0, 1)))
    np.testing.assert_allclose(kinds[kinds[:, 0].argsort()], CENTERS, atol=0.3)


def test_an_anomaly_among_the_photos_makes_no_kind() -> None:
    content, logs = draw((40, 30), (0, 1))
    content[-1], logs[-1] = (0, 50), 9
    assert len(find_kinds(content, logs)) == 2


@pytest.mark.parametrize(
    ("counts", "middles"),
    [
        pytest.param((40, 30), (0, 0), id="kinds that look equally unusual"),
        pytest.param((20, 15), (0, 1), id="too few of all"),
        pytest.param((1,), (0,), id="a single photo"),
    ],
)
def test_one_kind(counts: tuple[int, ...], middles: tuple[float, ...]) -> None:
    content, logs = draw(counts, middles)
    np.testing.assert_allclose(find_kinds(content, logs), [content.mean(axis=0)], rtol=1e-5)


def test_photos_that_are_all_the_same_are_one_kind() -> None:
    assert find_kinds(np.ones((90, 2), np.float32), np.ones((90, 3), np.float32)).tolist() == [[1, 1]]
