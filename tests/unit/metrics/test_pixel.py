import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from vaead.errors import InvalidInputError
from vaead.metrics.pixel import AUPRO_LIMIT, PixelCounts, PixelMetrics

Maps = list[NDArray[np.float32]]
Masks = list[NDArray[np.bool_]]
Region = tuple[int, slice, slice]

# Image, rows and columns of each region; no two of them touch.
REGIONS: tuple[Region, ...] = (
    (0, slice(2, 6), slice(3, 12)),
    (0, slice(15, 16), slice(0, 2)),
    (1, slice(0, 9), slice(20, 31)),
)
SHAPES = ((24, 20), (17, 31), (12, 12))


def draw(scale: float = 1.0, offset: float = 0.0, decimals: int = 9) -> tuple[Maps, Masks]:
    """Maps of three images of different sizes, the last of them normal; some regions are hard to find."""
    random = np.random.default_rng(3)
    maps = [random.gamma(2.0, 1.0, shape) for shape in SHAPES]
    masks = [np.zeros(shape, dtype=bool) for shape in SHAPES]
    for strength, (image, rows, columns) in zip((1.0, 4.0, 2.0), REGIONS, strict=True):
        masks[image][rows, columns] = True
        maps[image][rows, columns] += strength
    return [(offset + scale * each.round(decimals)).astype(np.float32) for each in maps], masks


def exact_auroc(maps: Maps, masks: Masks) -> float:
    labels, scores = (np.concatenate([each.ravel() for each in arrays]) for arrays in (masks, maps))
    return float(roc_auc_score(labels, scores))


def exact_aupro(maps: Maps, masks: Masks) -> float:
    """The definition as a plain loop over all thresholds."""
    scores = np.concatenate([each.ravel() for each in maps])
    outside = np.concatenate([each[~mask] for each, mask in zip(maps, masks, strict=True)])
    rates, overlaps = [0.0], [0.0]
    for threshold in np.unique(scores)[::-1]:
        rates.append(float(np.mean(outside >= threshold)))
        overlaps.append(
            float(np.mean([np.mean(maps[i][rows, cols] >= threshold) for i, rows, cols in REGIONS]))
        )
    area = 0.0
    for i in range(1, len(rates)):
        if rates[i - 1] < AUPRO_LIMIT and rates[i] > rates[i - 1]:
            end = min(rates[i], AUPRO_LIMIT)
            share = (end - rates[i - 1]) / (rates[i] - rates[i - 1])
            height = overlaps[i - 1] + share * (overlaps[i] - overlaps[i - 1])
            area += (end - rates[i - 1]) * (overlaps[i - 1] + height) / 2
    return area / AUPRO_LIMIT


@pytest.mark.parametrize("decimals", [9, 0], ids=["all different", "many equal"])
@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30, -1.0])
def test_metrics_are_those_of_plain_versions(scale: float, decimals: int) -> None:
    maps, masks = draw(scale, decimals=decimals)
    metrics = PixelMetrics.compute(maps, masks)
    assert metrics.auroc == pytest.approx(exact_auroc(maps, masks), abs=1e-4)
    assert metrics.aupro == pytest.approx(exact_aupro(maps, masks), abs=1e-4)


def test_scores_in_one_bin_are_chance() -> None:
    masks = [np.zeros((2, 2), dtype=bool), np.ones((2, 2), dtype=bool)]
    metrics = PixelMetrics.compute([np.full((2, 2), 1e5), np.full((2, 2), 1e5 + 1)], masks)
    assert (metrics.auroc, metrics.aupro) == pytest.approx((0.5, AUPRO_LIMIT / 2))


def test_perfect_maps() -> None:
    masks = draw()[1]
    metrics = PixelMetrics.compute([mask.astype(np.float32) for mask in masks], masks)
    assert (metrics.auroc, metrics.aupro) == pytest.approx((1, 1))


@pytest.mark.parametrize("value", [0.0, -7.3, 1e-42])
def test_constant_maps_are_chance(value: float) -> None:
    masks = draw()[1]
    metrics = PixelMetrics.compute([np.full(mask.shape, value) for mask in masks], masks)
    assert (metrics.auroc, metrics.aupro) == pytest.approx((0.5, AUPRO_LIMIT / 2))


def test_zero_has_no_sign() -> None:
    assert PixelMetrics.compute([np.array([[0.0, -0.0]])], [np.array([[True, False]])]).auroc == 0.5


def test_scores_beyond_single_precision_are_the_largest() -> None:
    metrics = PixelMetrics.compute([np.array([[1e300, 3e38, -1e300]])], [np.array([[True, False, False]])])
    assert metrics.auroc == 1


def test_regions_count_the_same_whatever_their_size() -> None:
    # The large region is flagged, the small one is not; no normal pixel is above the latter.
    mask = np.zeros((10, 10), dtype=bool)
    mask[:4], mask[9, 9] = True, True
    anomaly_map = np.where(mask, 2.0, 1.0)
    anomaly_map[9, 9] = 0.0
    metrics = PixelMetrics.compute([anomaly_map], [mask])
    assert metrics.aupro == pytest.approx(1 / 2)
    assert metrics.auroc == pytest.approx(40 / 41)


def test_pixels_that_touch_at_a_corner_are_one_region() -> None:
    mask = np.zeros((5, 5), dtype=bool)
    mask[0, 0] = mask[1, 1] = mask[4, 4] = True
    anomaly_map = np.zeros((5, 5))
    anomaly_map[4, 4] = 1.0  # one of two regions is found, and then comes chance
    chance = AUPRO_LIMIT / 2
    assert PixelMetrics.compute([anomaly_map], [mask]).aupro == pytest.approx(1 / 2 + chance / 2)


def test_regions_of_different_images_are_different() -> None:
    mask = np.array([[True, False]])
    maps = [np.array([[2.0, 1.0]]), np.array([[0.0, 1.0]])]
    assert PixelMetrics.compute(maps, [mask, mask]).aupro == pytest.approx(1 / 2)


def test_image_after_image_gives_the_same_in_any_order() -> None:
    maps, masks = draw()
    counts = PixelCounts()
    for place in (2, 0, 1):
        counts.add(maps[place], masks[place])
    found, expected = counts.metrics(), PixelMetrics.compute(maps, masks)
    assert found.auroc == expected.auroc
    assert found.aupro == pytest.approx(expected.aupro)


def test_more_images_take_no_more_memory() -> None:
    maps, masks = draw()
    counts = PixelCounts()
    tracemalloc.start()
    counts.add(maps[0], masks[0])
    first, _ = tracemalloc.get_traced_memory()
    for _ in range(50):
        counts.add(maps[0], masks[0])
    last, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert last - first < maps[0].nbytes


def test_counts_of_several_are_put_together() -> None:
    maps, masks = draw()
    together = PixelCounts()
    for anomaly_map, mask in zip(maps, masks, strict=True):
        counts = PixelCounts()
        counts.add(anomaly_map, mask)
        together.include(counts)
    assert together.metrics() == PixelMetrics.compute(maps, masks)


GOOD = np.zeros((2, 3))
NO_ANOMALY = np.zeros((2, 3), dtype=bool)


@pytest.mark.parametrize(
    ("anomaly_map", "mask", "sentence"),
    [
        (np.zeros(3), NO_ANOMALY, r"anomaly_map must be two-dimensional .* got shape \(3,\); give one map"),
        (np.zeros((0, 3)), NO_ANOMALY, r"anomaly_map must be two-dimensional .* got shape \(0, 3\)"),
        (GOOD, NO_ANOMALY.T, r"mask must be as large as its anomaly map, \(2, 3\), got shape \(3, 2\); give"),
        (GOOD, GOOD, "mask must be of truth values, got values of type float64; pass mask > 0"),
        (np.full((2, 3), np.nan), NO_ANOMALY, "anomaly_map must be finite, got 6 of 6 pixels that are not; "),
        (np.array([[0, 0, np.inf]] * 2), NO_ANOMALY, "anomaly_map must be finite, got 2 of 6 pixels"),
    ],
)
def test_bad_image_is_refused_and_not_counted(
    anomaly_map: NDArray[np.floating], mask: NDArray[np.bool_], sentence: str
) -> None:
    counts = PixelCounts()
    with pytest.raises(InvalidInputError, match=sentence):
        counts.add(anomaly_map, mask)
    with pytest.raises(InvalidInputError, match="got 0"):
        counts.metrics()


@pytest.mark.parametrize(("mask", "missing"), [(NO_ANOMALY, "anomalous"), (~NO_ANOMALY, "normal")])
def test_both_kinds_of_pixels_are_needed(mask: NDArray[np.bool_], missing: str) -> None:
    sentence = f"masks must leave at least one {missing} pixel in all images together, got 0; add an image"
    with pytest.raises(InvalidInputError, match=sentence):
        PixelMetrics.compute([GOOD], [mask])


def test_every_map_needs_a_mask() -> None:
    with pytest.raises(
        InvalidInputError, match="masks must be as many as the 2 anomaly maps, got 1; give one"
    ):
        PixelMetrics.compute([GOOD, GOOD], [NO_ANOMALY])
