import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.metrics.baselines import BASELINES, Baselines

Photos = NDArray[np.float32]


def make(count: int, seed: int, shape: tuple[int, ...] = (40, 56)) -> Photos:
    """Photos of one bright bar that lies at the same place, with noise."""
    random = np.random.default_rng(seed)
    photos = random.normal(0.4, 0.02, (count, *shape))
    photos[:, 10:14, 8:48] += 0.3
    return np.clip(photos, 0, 1).astype(np.float32)


def changed(photos: Photos, kind: str) -> Photos:
    found = photos.copy()
    if kind == "brighter":
        found += 0.1
    elif kind == "scratch":
        found[:, 25, 10:40] = 0.1
    else:  # a piece of the bar is missing, and lies elsewhere, where it is as usual as any piece
        found[:, 10:14, 8:20], found[:, 30:34, 8:20] = found[:, 30:34, 8:20], found[:, 10:14, 8:20].copy()
    return found


@pytest.mark.parametrize(
    ("kind", "finders"),
    [
        ("brighter", {"brightness", "nearest_patch", "per_place"}),
        ("scratch", {"nearest_patch", "per_place"}),
        ("moved", {"per_place"}),
    ],
)
def test_each_baseline_finds_what_it_looks_for(kind: str, finders: set[str]) -> None:
    baselines = Baselines.fit(make(30, seed=0))
    normal, anomalous = baselines.scores(make(20, seed=1)), baselines.scores(changed(make(20, seed=2), kind))
    found = {name for name in BASELINES if anomalous[name].min() > normal[name].max()}
    assert finders <= found
    assert kind != "moved" or found == finders


def test_sizes_colours_and_bytes_may_differ() -> None:
    photos = [make(1, seed)[0] for seed in range(5)]
    photos.append(np.repeat(make(1, 9, (44, 60))[0][..., None], 3, axis=2))
    as_bytes = np.round(255 * photos[0]).astype(np.uint8)
    found = Baselines.fit([*photos, as_bytes]).scores([photos[1], photos[-1], as_bytes])
    assert set(found) == set(BASELINES)
    assert all(values.shape == (3,) and np.isfinite(values).all() for values in found.values())


def test_images_smaller_than_a_patch_are_enlarged() -> None:
    found = Baselines.fit(make(3, 0, (20, 50))[:, :5, :6]).scores(make(2, 1, (20, 50))[:, :5, :6])
    assert all(np.isfinite(values).all() for values in found.values())


def test_black_images_make_no_warning() -> None:
    black = np.zeros((4, 16, 16), np.uint8)
    found = Baselines.fit(black).scores(black)
    assert {name: float(values.max()) for name, values in found.items()} == dict.fromkeys(BASELINES, 0.0)
