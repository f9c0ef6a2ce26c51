"""The calibrated score of photos: local evidence, evidence of the whole, and their sum."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.calibration.scans import draw_windows
from vaead.calibration.border import divide_by_border, fit_border
from vaead.calibration.photo import PhotoReference
from vaead.calibration.reference import Evidence
from vaead.calibration.whole import WholeReference
from vaead.config import NetworkConfig
from vaead.scoring.scan import Scan

SCANS = [draw_windows(40, seed) for seed in range(20)]


@pytest.fixture(scope="module")
def reference() -> PhotoReference:
    return PhotoReference.fit_variants(SCANS)[0]


def changed(scan: Scan) -> Scan:
    return scan.take(np.arange(len(scan)))


def evidence(logs: NDArray[np.float64], content: NDArray[np.float32]) -> Evidence:
    return Evidence(np.exp(logs).astype(np.float32), np.zeros((len(logs), 1, 1), np.float32), content)


def test_photo_in_the_middle_of_its_own_kind_scores_1(reference: PhotoReference) -> None:
    random = np.random.default_rng(0)
    middles = np.array([(1, -2), (3, 0)])
    contents = np.array([[-5], [5]], np.float32)
    kind = np.repeat((0, 1), (500, 499))
    logs = random.normal(middles[kind], 0.5)
    scaled = reference.scaled_by([evidence(logs, contents[kind])])
    np.testing.assert_allclose(np.sort(scaled.kinds, axis=0), contents, rtol=1e-4)
    found = np.array([np.median(logs[kind == each], axis=0) for each in (0, 1)])
    own, other = (scaled.calibrated(evidence(found, each)).image for each in (contents, contents[::-1]))
    assert own == pytest.approx(1, rel=1e-3)
    assert other[0] < 0.1
    assert other[1] > 5


@pytest.mark.parametrize(("deviations", "by_whole"), [((4, 0), False), ((0, 4), True), ((-4, 1), True)])
def test_the_evidence_that_deviates_most_decides(
    reference: PhotoReference, deviations: tuple[float, float], by_whole: bool
) -> None:
    logs = reference.middle + reference.spread * np.float32(deviations)
    score = reference.calibrated(evidence(logs, reference.kinds))
    assert score.by_whole.tolist() == [by_whole]
    assert score.image[0] > 1 or max(deviations) < 4


def test_rough_cell_is_seen_at_its_place(reference: PhotoReference) -> None:
    scan = changed(SCANS[0])
    scan.cells[0, 0, 20] *= 1e3
    usual, found = (reference.evidence(each) for each in (SCANS[0], scan))
    assert found.values[0, 0] > 2 * usual.values[0, 0]
    row, column = np.unravel_index(found.maps[0].argmax(), found.maps[0].shape)
    assert scan.grid.col_starts[20] <= column < scan.grid.col_starts[20] + scan.grid.patch_size
    assert 0 <= row < 8


def test_darker_photo_is_unusual_as_a_whole_alone(reference: PhotoReference) -> None:
    darker = changed(SCANS[0])
    darker.light[:] *= 0.5
    usual, found = (reference.evidence(each) for each in (SCANS[0], darker))
    assert found.values[0, 1] > usual.values[0, 1]
    np.testing.assert_array_equal(found.values[0, 0], usual.values[0, 0])
    np.testing.assert_array_equal(found.maps, usual.maps)


def test_photo_in_which_every_window_is_a_little_rougher_is_unusual_as_a_whole() -> None:
    whole = WholeReference.fit(SCANS[:15])
    rougher = [changed(scan) for scan in SCANS[15:]]
    for scan in rougher:
        scan.mahalanobis[:] *= 1.5
        scan.z_mean[:] *= 1.2
    usual, found = ([float(whole.distances(scan)[0]) for scan in scans] for scans in (SCANS[15:], rougher))
    assert min(found) > 2 * max(usual)


def test_arrays_make_the_same_reference(reference: PhotoReference) -> None:
    again = PhotoReference.from_arrays(reference.arrays())
    assert tuple(reference.arrays()) == PhotoReference.array_names()
    np.testing.assert_array_equal(again.evidence(SCANS[3]).values, reference.evidence(SCANS[3]).values)


def test_shapes_are_those_of_the_network(reference: PhotoReference) -> None:
    shapes = reference.shapes(NetworkConfig("convolutional", 8, 2, latent_dim=1))
    arrays = {name: array.shape for name, array in reference.arrays().items()}
    cells = {name for name in arrays if "median" in name or "scale" in name}  # drawn with 2x2 cells
    assert {name: shapes[name] for name in arrays.keys() - cells} == {
        name: arrays[name] for name in arrays.keys() - cells
    }
    assert set(shapes) == set(arrays)


def test_border_is_measured_by_distance_and_never_below_the_rest() -> None:
    maps = np.ones((2, 9, 9), np.float32)
    maps[:, 0] = maps[:, -1] = maps[:, :, 0] = maps[:, :, -1] = 5
    maps[:, 4, 4] = 0.5
    border = fit_border([maps], reach_px=3)
    assert border.tolist() == [5, 5, 5, 5]  # overall, a third of the pixels lie at the border
    quiet = np.ones((1, 40, 40), np.float32)
    quiet[:, 0, 0] = 9
    border = fit_border([quiet], reach_px=3)
    assert border[1:].tolist() == [1, 1, 1]
    assert border[0] >= 1


def test_map_is_divided_by_what_lies_as_far_from_the_border() -> None:
    maps = np.full((1, 5, 5), 6, np.float32)
    found = divide_by_border(maps, np.float32([2, 3]))
    assert found[0, 0].tolist() == [3] * 5
    assert found[0, 2].tolist() == [3, 2, 2, 2, 3]
