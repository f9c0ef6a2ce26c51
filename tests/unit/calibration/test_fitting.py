from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Self

import numpy as np
import pytest

from tests.unit.calibration.scans import draw_windows
from vaead.calibration.class_images import ClassReference
from vaead.calibration.clusters import ClusterReference
from vaead.calibration.fitting import calibrate
from vaead.calibration.photo import AlignedPhotoReference, PhotoReference
from vaead.calibration.reference import Evidence, cross_fit
from vaead.scoring.patches import PatchGrid
from vaead.scoring.scan import Scan

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
        signed_cells=columns[..., 3, None, None, None],
        light=np.full((count, 2), 0.5, np.float32),
        grid=GRID,
    )


class Spy(ClassReference):
    """Gives each image the number of images that it was fitted to; each image has a D of its own."""

    fits: ClassVar[list[set[float]]] = []
    names: set[float]

    @classmethod
    def fit_variants(cls, scans: Sequence[Scan]) -> list[Self]:
        spy = cls.__new__(cls)
        object.__setattr__(spy, "names", {float(name) for scan in scans for name in scan.kl[:, 0, 0]})
        cls.fits.append(spy.names)
        return [spy]

    def evidence(self, scan: Scan) -> Evidence:
        assert not self.names & {float(name) for name in scan.kl[:, 0, 0]}
        return Evidence(np.full((len(scan), 1), len(self.names), np.float32), scan.kl, scan.content)


@pytest.mark.parametrize("counts", [(2,), (3,), (50,), (1, 1), (1, 1, 1), (4, 1, 7)])
def test_each_image_is_scored_by_a_reference_that_was_fitted_without_it(counts: tuple[int, ...]) -> None:
    scans, names = [], iter(range(99))
    for count in counts:
        scan = draw_windows(5)
        many = scan.take(np.zeros(count, np.intp))
        many.kl[:] = np.array([next(names) for _ in range(count)])[:, None, None]
        scans.append(many)
    Spy.fits.clear()
    numbered = enumerate(part.take(np.array([index])) for part in scans for index in range(len(part)))
    ((evidence, changed),) = cross_fit(Spy, scans, list(numbered))
    assert len(Spy.fits) == min(4, sum(counts))
    for each, scan in zip(evidence, scans, strict=True):
        np.testing.assert_array_equal(each.maps, scan.kl)  # in the order of the images
        assert each.values.min() >= sum(counts) // 2
    assert [float(each.maps[0, 0, 0]) for each in changed] == list(range(sum(counts)))


@pytest.mark.parametrize("kind", [ClassReference, PhotoReference])
def test_one_image_is_scored_by_itself(kind: type[ClassReference | PhotoReference]) -> None:
    scan = draw_windows(9)
    ((evidence,), _) = cross_fit(kind, [scan])[0]
    np.testing.assert_array_equal(evidence.maps, kind.fit_variants([scan])[0].evidence(scan).maps)
    assert np.isfinite(evidence.values).all()


def test_strange_image_does_not_make_itself_look_normal() -> None:
    scan = aligned_scan(40)
    scan.z_mean[7] += 1.5
    scan.log_variance[7] -= 1.5
    (((evidence,), _),) = cross_fit(ClassReference, [scan])
    fitted, flattered = (
        evidence.values[:, 0],
        ClassReference.fit_variants([scan])[0].evidence(scan).values[:, 0],
    )
    assert np.argmax(fitted) == 7
    assert fitted[7] > 1.2 * flattered[7]


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("kind", [ClassReference, PhotoReference, AlignedPhotoReference])
def test_few_aligned_images_have_finite_scores(
    kind: type[ClassReference | PhotoReference], count: int
) -> None:
    scan = aligned_scan(count)
    evidence, _ = cross_fit(kind, [scan])[0]
    reference = kind.fit_variants([scan])[0].scaled_by(evidence)
    assert np.isfinite(reference.calibrated(evidence[0]).image).all()
    assert np.isfinite(reference.calibrated(reference.evidence(scan)).map).all()


def test_normal_scores_of_aligned_images_are_the_mean_of_all_networks() -> None:
    scans = [aligned_scan(30, seed) for seed in (0, 1)]
    references, normal, _ = calibrate(ClassReference, [[scan] for scan in scans])
    of_networks = [
        reference.calibrated(cross_fit(ClassReference, [scan])[0].normal[0]).image
        for reference, scan in zip(references, scans, strict=True)
    ]
    expected = np.mean(of_networks, axis=0)
    assert normal.n_images == 30
    assert normal.image["calibrated"][0] == pytest.approx(expected.min(), rel=1e-4)
    assert normal.image["calibrated"][-1] == pytest.approx(expected.max(), rel=1e-4)
    assert normal.image["new"][-1] == pytest.approx(scans[0].mahalanobis.max(), rel=1e-4)
    for reference, scan in zip(references, scans, strict=True):
        assert isinstance(reference, ClassReference)
        for name, values in ClassReference.fit_variants([scan])[0].place.arrays().items():
            np.testing.assert_array_equal(reference.place.arrays()[name], values)


def test_changed_images_are_scored_as_the_photos_they_were_made_from() -> None:
    scans = [draw_windows(8, seed) for seed in range(6)]
    changed = [(index, scan) for index, scan in enumerate(scans)][::-1]
    _, normal, scores = calibrate(PhotoReference, [scans], [changed])
    assert sorted(scores.tolist())[0] == pytest.approx(normal.image["calibrated"][0], rel=1e-4)
    assert sorted(scores.tolist())[-1] == pytest.approx(normal.image["calibrated"][-1], rel=1e-4)


def test_variant_that_finds_most_of_the_changed_photos_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    scans = [draw_windows(30, seed) for seed in range(8)]
    changed = [(index, scan.take(np.arange(1))) for index, scan in enumerate(scans)]
    for _, scan in changed:
        scan.cells[0, 0, 3] *= 1e4
    blind = ClusterReference.fit_variants

    def variants(scans: Sequence[Scan]) -> list[ClusterReference]:
        seeing = blind(scans)[0]
        return [replace(seeing, scale=1e9 * seeing.scale, signed_scale=1e9 * seeing.signed_scale), seeing]

    monkeypatch.setattr(ClusterReference, "fit_variants", variants)
    ((reference,), _, scores) = calibrate(PhotoReference, [scans], [changed])
    assert isinstance(reference, PhotoReference)
    assert reference.content.scale.max() < 1e6
    assert scores.min() > 1
