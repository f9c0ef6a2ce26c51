from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.calibration.scans import draw_windows
from vaead.calibration.clusters import ClusterReference
from vaead.calibration.fitting import calibrate
from vaead.calibration.gaussian import GaussianReference
from vaead.calibration.reference import cross_fit
from vaead.config import NetworkConfig
from vaead.scoring.patches import PatchGrid
from vaead.scoring.scan import Scan
from vaead.scoring.term_maps import mean_map

GRID = PatchGrid(10, 12, patch_size=8, stride=2)  # 2 x 3 windows
WINDOWS, FEATURES = 6, 5


def aligned_scan(count: int, seed: int = 0) -> Scan:
    """Aligned images whose features differ along one direction, and by noise in all others."""
    random = np.random.default_rng(seed)
    shared = np.linspace(-2, 2, WINDOWS * FEATURES).reshape(WINDOWS, FEATURES)
    noise = random.normal(size=(count, WINDOWS, FEATURES))
    features = 1 + random.normal(size=(count, 1, 1)) * 0.3 * shared + 0.1 * noise
    columns = features.astype(np.float32).reshape(-1, *GRID.shape, FEATURES)
    terms = dict(zip(("mahalanobis", "kl"), np.exp(np.moveaxis(columns[..., :2], -1, 0)), strict=True))
    return Scan(
        **terms,
        log_variance=columns[..., 2],
        signed_error=columns[..., 3],
        z_mean=columns[..., 4:],
        cells=terms["mahalanobis"][..., None, None],
        signed_cells=columns[..., 3, None, None],
        grid=GRID,
    )


class Spy:
    """Gives every window the number of images that it was fitted to; each image has a D of its own."""

    positive = ()
    fits: list[set[float]]

    def __init__(self, names: set[float]) -> None:
        self.names = names

    @classmethod
    def fit(cls, scans: Sequence[Scan]) -> "Spy":
        cls.fits.append({float(name) for scan in scans for name in scan.kl[:, 0, 0]})
        return cls(cls.fits[-1])

    def shapes(self, network: NetworkConfig) -> dict[str, tuple[int, ...]]:
        return {}

    def window_scores(self, scan: Scan) -> NDArray[np.float32]:
        assert not self.names & {float(name) for name in scan.kl[:, 0, 0]}
        return np.full(scan.kl.shape, len(self.names), np.float32)

    @staticmethod
    def image_scores(windows: NDArray[np.float32], maps: NDArray[np.float32]) -> NDArray[np.float32]:
        return windows.max(axis=(1, 2))


@pytest.mark.parametrize("counts", [(2,), (3,), (50,), (1, 1), (1, 1, 1), (4, 1, 7)])
def test_each_image_is_scored_by_a_reference_that_was_fitted_without_it(counts: tuple[int, ...]) -> None:
    scans, names = [], iter(range(99))
    for count in counts:
        scan = draw_windows(5)
        many = scan.take(np.zeros(count, np.intp))
        many.kl[:] = np.array([next(names) for _ in range(count)])[:, None, None]
        scans.append(many)
    Spy.fits = []
    scores = cross_fit(Spy, scans)
    assert [each.shape for each in scores] == [scan.kl.shape for scan in scans]
    assert len(Spy.fits) == min(4, sum(counts))
    for each in scores:
        assert each.min() >= sum(counts) // 2


@pytest.mark.parametrize("kind", [GaussianReference, ClusterReference])
def test_one_image_is_scored_by_itself(kind: type[GaussianReference | ClusterReference]) -> None:
    scan = draw_windows(9)
    (scores,) = cross_fit(kind, [scan])
    np.testing.assert_array_equal(scores, kind.fit([scan]).window_scores(scan))
    assert np.isfinite(scores).all()


def test_strange_image_does_not_make_itself_look_normal() -> None:
    scan = aligned_scan(40)
    scan.z_mean[7] += 1.5
    scan.log_variance[7] -= 1.5
    (scores,) = cross_fit(GaussianReference, [scan])
    fitted, flattered = scores.mean(axis=(1, 2)), GaussianReference.fit([scan]).window_scores(scan)
    assert np.argmax(fitted) == 7
    assert fitted[7] > 1.2 * flattered[7].mean()


@pytest.mark.parametrize("count", [2, 3, 4])
def test_few_aligned_images_have_finite_scores(count: int) -> None:
    (scores,) = cross_fit(GaussianReference, [aligned_scan(count)])
    assert np.isfinite(scores).all()


def test_normal_scores_of_aligned_images_are_the_mean_of_all_networks() -> None:
    scans = [aligned_scan(30, seed) for seed in (0, 1)]
    references, normal = calibrate([[scan] for scan in scans], aligned=True)
    of_networks = [cross_fit(GaussianReference, [scan])[0].mean(axis=(1, 2)) for scan in scans]
    expected = np.mean(of_networks, axis=0)
    assert normal.n_images == 30
    assert normal.image["calibrated"][0] == pytest.approx(expected.min(), rel=1e-4)
    assert normal.image["calibrated"][-1] == pytest.approx(expected.max(), rel=1e-4)
    assert normal.image["new"][-1] == pytest.approx(scans[0].mahalanobis.max(), rel=1e-4)
    for reference, scan in zip(references, scans, strict=True):
        for name, values in vars(GaussianReference.fit([scan])).items():
            np.testing.assert_array_equal(getattr(reference, name), values)


def test_normal_scores_of_other_photos_are_the_largest_values_of_their_maps() -> None:
    scans = [draw_windows(8, seed=0), draw_windows(9, seed=1)]
    (reference,), normal = calibrate([scans], aligned=False)
    maps = [
        mean_map(ClusterReference.fit([others]).window_scores(scan), scan.grid)
        for scan, others in zip(scans, scans[::-1], strict=True)
    ]
    expected = sorted(float(each.max()) for each in maps)
    assert normal.n_images == 2
    assert [normal.image["calibrated"][index] for index in (0, -1)] == pytest.approx(expected, rel=1e-3)
    for name, values in vars(ClusterReference.fit(scans)).items():
        np.testing.assert_array_equal(getattr(reference, name), values)


def test_score_of_an_aligned_image_is_its_mean_window_and_of_another_photo_its_largest_pixel() -> None:
    windows = np.float32([[[10, 30]], [[7, -2]]])
    maps = np.float32([[[10, 20, 31]], [[7, 2.5, -2]]])
    np.testing.assert_array_equal(GaussianReference.image_scores(windows, maps), [20, 2.5])
    np.testing.assert_array_equal(ClusterReference.image_scores(windows, maps), [31, 7])
