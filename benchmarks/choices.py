"""How the constants of the calibrated score of photos were chosen: by made-up defects, never by real ones.

A model is trained on the normal photos of each set in VAEAD_PHOTOS_DIR and of made-up screws, for each seed,
with the settings that are proposed for them. Defects are made in its held-out photos, more than a training
makes. Then the model is calibrated anew with other constants, and each defect is ranked among the held-out
photos. Every variant ranks the same defects by the same networks, so their differences are far more certain
than the AUROC itself.

Run: python -m benchmarks choices
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple
from unittest import mock

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.photos import VARIABLE, read
from benchmarks.report import Table
from benchmarks.screw_photos import TRAIN, read_screws
from vaead.calibration import clusters, photo
from vaead.calibration.fitting import calibrate, reference_kind
from vaead.data.photos import Limits, Rejected, find_photos
from vaead.data.photos.survey import examine_each
from vaead.data.screws.screw_set import ScrewSet
from vaead.held_out.defect_trial import make_photos
from vaead.held_out.split import split_normal
from vaead.photo_defaults import PhotoDefaults, default_scale
from vaead.recipe import PhotoSource, Recipe
from vaead.scoring.scan import Scan
from vaead.training.pipeline import train_photos

SEEDS = (0,)
_SCREWS = "screws (made up)"
_NORMAL_SCREWS = 100
_REPEATS = 2
"""Times that as many defects are made as in a training."""

VARIANTS: dict[str, tuple[object, str, Any]] = {
    "chosen by made-up defects": (clusters, "_PRIOR_WINDOWS", (0, 100, 500)),
    **{f"always {count} windows": (clusters, "_PRIOR_WINDOWS", (count,)) for count in (0, 100, 500)},
    **{f"level {level:g}": (clusters, "_LEVEL", level) for level in (0.99, 1.0)},
    **{f"largest {100 * share:g} % of a map": (photo, "_TOP", share) for share in (1e-4, 1e-3, 1e-2)},
    **{f"smoothing {share:g} of a patch": (photo, "_SMOOTHING", share) for share in (1 / 32, 1 / 16, 1 / 8)},
    **{f"at most {count} groups": (clusters, "_GROUPS", count) for count in (64, 256)},
}
"""Module, constant and value of each variant; one of each constant is what is shipped."""


class _Trained(NamedTuple):
    """For each network scans of held-out photos, and of made ones with the number of their origin."""

    aligned: bool
    scans: list[list[Scan]]
    made: list[list[tuple[int, Scan]]]


def run() -> dict[str, Any]:
    """Try every variant on every set with every seed."""
    root = os.environ.get(VARIABLE)
    if not root:
        raise click.ClickException(f"{VARIABLE} must name a folder of sets of photos, got nothing")
    sets: dict[str, dict[str, list[list[float]]]] = {}
    for seed in SEEDS:
        for name, recipe, normal in _sets(Path(root), seed):
            trained = _train(normal, recipe)
            found = sets.setdefault(name, {variant: [] for variant in VARIANTS})
            for variant in VARIANTS:
                found[variant].append(_ranks(trained, variant).tolist())
            print(
                name, seed, {variant: round(mean(runs[-1]), 4) for variant, runs in found.items()}, flush=True
            )
    return {"sets": {name: _summary(found) for name, found in sets.items()}}


def _sets(root: Path, seed: int) -> Iterator[tuple[str, Recipe, list[NDArray[np.float32]]]]:
    """Name, recipe and normal photos of each set."""
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        photos = find_photos(folder).to_train
        facts = [each for each in examine_each(photos, Limits()) if not isinstance(each, Rejected)]
        defaults = PhotoDefaults.choose(facts)
        recipe = Recipe.from_preset("industrial", defaults.source, patch_size=defaults.patch_size, seed=seed)
        yield folder.name, recipe, [read(each, recipe) for each in photos]
    scale = default_scale(640)
    screws = read_screws(ScrewSet(seed, _NORMAL_SCREWS, 0, 0), scale)[TRAIN]
    recipe = Recipe.from_preset("industrial", PhotoSource(scale=scale), seed=seed)
    yield _SCREWS, recipe, [screw.image for screw in screws]


def _train(normal: list[NDArray[np.float32]], recipe: Recipe) -> _Trained:
    model = train_photos(normal, recipe)
    images = np.stack(normal) if recipe.source.aligned else normal
    _, held_out = split_normal(images, recipe.train)
    windows = model.networks[0].scorer.scan(held_out[0][None]).kl.size
    made = [
        each
        for repeat in range(_REPEATS)
        for each in make_photos(held_out, windows, recipe.train.seed + 1000 * (repeat + 1))
    ]
    scans = [[each.scorer.scan(image[None], shares=True) for image in held_out] for each in model.networks]
    changed = [
        [(each.origin, network.scorer.scan(each.pixels[None], shares=True)) for each in made]
        for network in model.networks
    ]
    return _Trained(recipe.source.aligned, scans, changed)


def _ranks(trained: _Trained, variant: str) -> NDArray[np.float64]:
    """Share of held-out photos below each photo with a defect."""
    with _constant(*VARIANTS[variant]):
        found = calibrate(reference_kind(True, trained.aligned), trained.scans, trained.made)
    return np.array([found.normal_scores.rank("calibrated", score) for score in found.changed_scores])


@contextmanager
def _constant(module: object, name: str, value: Any) -> Iterator[None]:
    with mock.patch.object(module, name, value):
        yield


def _summary(found: dict[str, list[list[float]]]) -> dict[str, dict[str, float]]:
    """AUROC of each variant, and its difference to what is shipped with the standard error of that."""
    summary = {}
    for variant, runs in found.items():
        ranks, shipped = np.concatenate(runs), np.concatenate(found[_shipped(variant)])
        gain = ranks - shipped
        summary[variant] = {
            "auroc": round(float(ranks.mean()), 4),
            "gain": round(float(gain.mean()), 4),
            "error": round(float(gain.std() / np.sqrt(len(gain))), 4),
        }
    return summary


def _shipped(variant: str) -> str:
    """The variant of the same constant that has its value in the code."""
    module, name, _ = VARIANTS[variant]
    return next(
        each
        for each, (owner, constant, value) in VARIANTS.items()
        if (owner, constant) == (module, name) and value == getattr(module, name)
    )


def tables(result: dict[str, Any]) -> list[Table]:
    """Gain of each variant over the shipped value, by set."""
    sets = result["sets"]
    rows = []
    for variant in VARIANTS:
        figures: Sequence[dict[str, float]] = [sets[name][variant] for name in sets]
        cells = [
            "shipped"
            if each["error"] == 0 and each["gain"] == 0
            else f"{each['gain']:+.3f} ± {each['error']:.3f}"
            for each in figures
        ]
        rows.append([variant, f"{mean(each['auroc'] for each in figures):.3f}", *cells])
    return [
        Table(
            "Constants of the calibrated score of photos: AUROC on made-up defects",
            ("variant", "mean of all sets", *sets),
            rows,
            "Gain over the shipped value with its standard error; 1 seed. Real defects take no part.",
        )
    ]
