import numpy as np
import pytest

from vaead.data.datasets import Dataset
from vaead.model.model import Model
from vaead.model.normal_windows import QUANTITIES, NormalWindows, quantities


@pytest.fixture(scope="module")
def windows(model: Model, digits: Dataset) -> NormalWindows:
    return NormalWindows.of(model, digits.test.of_class(1)[:30], shown=4)


def test_quantities_are_those_of_all_windows(windows: NormalWindows, model: Model, digits: Dataset) -> None:
    assert set(windows.values) == set(QUANTITIES)
    terms = model.term_maps(digits.test.of_class(1)[:30])
    for name in ("kl", "log_variance", "mahalanobis", "old", "new"):
        np.testing.assert_allclose(windows.values[name], terms.window_scores(name), rtol=1e-5, atol=1e-4)
    assert windows.patches.shape == (4, 11, 11, 8, 8)


def test_ranks_are_shares_of_windows(windows: NormalWindows) -> None:
    place, values = (5, 5), windows.values["mahalanobis"]
    here = np.sort(values[:, 5, 5])
    assert windows.rank_here("mahalanobis", place, float(here[15])) == 0.5
    assert windows.rank_here("mahalanobis", place, -1) == 0
    assert windows.rank_anywhere("mahalanobis", float(values.max()) + 1) == 1
    low, high = windows.range_here("mahalanobis", place, 0.9)
    assert here[0] <= low < np.median(here) < high <= here[-1]
    assert windows.range_anywhere("mahalanobis", 1.0) == (values.min(), values.max())


def test_parts_of_windows_add_up_to_the_distance(model: Model, digits: Dataset) -> None:
    network, images = model.networks[0], digits.test.of_class(4)[:3]
    scan = network.scorer.scan(images)
    evidence = network.reference.evidence(scan)
    parts = quantities(model, scan)["calibrated"]
    np.testing.assert_allclose(parts.mean(axis=(1, 2)), evidence.values[:, 0], rtol=1e-5)
