"""How well made-up screw holes are judged, and how long that takes.

For each seed, 100 normal images of 640x480 train a model of each preset, which reads them at its own scale;
50 others and 20 of each defect are judged. Defects are graded: by default their severity is drawn from 0 to
1, obvious, so AUROC is also measured at fixed severities. The presets were made on seeds 0 to 2, which are
not measured here. Run: python -m benchmarks screws
"""

from __future__ import annotations

import math
import time
from statistics import mean, median
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from benchmarks import report
from vaead.datasets.screws import DEFECTS, make_screw
from vaead.evaluation import Metrics
from vaead.images import mask_to_png, to_png
from vaead.maps import TermMaps
from vaead.patches import unit
from vaead.photos import ReadOptions, read_mask, read_photo
from vaead.pipeline import train_photos
from vaead.pixel_metrics import PixelMetrics
from vaead.recipe import PHOTO_PRESETS, PhotoOptions, Recipe
from vaead.store import Model
from vaead.terms import SCORES

SEEDS = (11, 12, 13)
SEVERITIES = (0.3, 0.6, 1.0)
NORMAL, TESTED, DEFECTIVE = 100, 50, 20
PLACES = {"thread": (80, 110), "rim": (115, 150), "plate": (180, math.inf)}
"""Distances from the middle in reference pixels that lie in these places in nearly all images."""
RUNS = 5

_TRAIN, _GOOD = "train", "good"
_Files = dict[str, list[tuple[bytes, bytes]]]
"""Images and masks as files by kind: for training, good ones to judge, and those with each defect."""


class _Photo(NamedTuple):
    """An image (H, W) as a preset reads it, and where it is anomalous (H, W)."""

    image: NDArray[np.float32]
    mask: NDArray[np.bool_]


def run() -> dict[str, Any]:
    """Measure every seed with every preset."""
    presets: dict[str, Any] = {name: {"seeds": []} for name in PHOTO_PRESETS}
    for seed in SEEDS:
        files = _make(seed)
        for name, figures in presets.items():
            figures["seeds"].append({"seed": seed, **_measure(files, name)})
            print(name, figures["seeds"][-1], flush=True)
    for name, figures in presets.items():
        figures["full_size_s"] = _full_size(name)
        figures["scale"] = PHOTO_PRESETS[name].scale
    return {"presets": presets}


def _measure(files: _Files, preset: str) -> dict[str, Any]:
    scale = PHOTO_PRESETS[preset].scale
    photos = {kind: [_read(*each, scale) for each in found] for kind, found in files.items()}
    start = time.monotonic()
    model = _train([photo.image for photo in photos[_TRAIN]], preset, scale)
    seconds = time.monotonic() - start
    judged = {kind: _judge(model, found) for kind, found in photos.items() if kind != _TRAIN}
    normal, drawn = photos[_GOOD], {defect: photos[defect] for defect in DEFECTS}
    everything = [*normal, *(photo for found in drawn.values() for photo in found)]
    usual, together = judged[_GOOD], _judge(model, everything)
    anomalous = _judge(model, everything[len(normal) :])
    return {
        "training_s": round(seconds, 1),
        "image_auroc": {score: _auroc(usual, anomalous, score) for score in SCORES},
        "by_defect": {
            defect: {score: _auroc(usual, judged[defect], score) for score in SCORES} for defect in DEFECTS
        },
        "by_severity": {
            str(severity): {
                score: round(
                    mean(_auroc(usual, judged[_graded(defect, severity)], score) for defect in DEFECTS), 4
                )
                for score in SCORES
            }
            for severity in SEVERITIES
        },
        "pixel": _pixels(together, everything),
        "pixel_by_defect": {
            defect: _pixels(_judge(model, normal + found), normal + found) for defect, found in drawn.items()
        },
        "pixel_by_place": _by_place(together, everything, scale),
    }


def _pixels(terms: TermMaps, photos: list[_Photo]) -> dict[str, dict[str, float]]:
    """How well pixels of defects are told from all others, by score."""
    masks = [photo.mask for photo in photos]
    found = {score: PixelMetrics.of(list(terms.mean_maps(score)), masks) for score in SCORES}
    return {
        score: {"auroc": round(metrics.auroc, 4), "aupro": round(metrics.aupro, 4)}
        for score, metrics in found.items()
    }


def _by_place(terms: TermMaps, photos: list[_Photo], scale: float) -> dict[str, dict[str, float]]:
    """AUROC of the pixels of one place alone, where to know the place is of no help."""
    masks = np.stack([photo.mask for photo in photos])
    height, width = masks.shape[1:]
    rows, columns = np.indices((height, width))
    distance = np.hypot(rows - height / 2, columns - width / 2) / scale
    found = {}
    for name, (nearest, farthest) in PLACES.items():
        place = (distance >= nearest) & (distance < farthest)
        found[name] = {
            score: round(float(roc_auc_score(masks[:, place].ravel(), maps[:, place].ravel())), 4)
            for score in SCORES
            for maps in (terms.mean_maps(score),)
        }
    return found


def _make(seed: int) -> _Files:
    """Files of all screws of a seed with their masks, by kind."""
    plan: list[tuple[str, int, str | None, float | None]]
    plan = [(_TRAIN, index, None, None) for index in range(NORMAL)]
    plan += [(_GOOD, 1000 + index, None, None) for index in range(TESTED)]
    for severity in (None, *SEVERITIES):
        for number, defect in enumerate(DEFECTS):
            first = 2000 + 100 * number
            plan += [
                (_graded(defect, severity), first + index, defect, severity) for index in range(DEFECTIVE)
            ]
    made = Parallel(n_jobs=-1)(delayed(_file)(seed, *screw) for _, *screw in plan)
    files: _Files = {}
    for (kind, *_), file in zip(plan, made, strict=True):
        files.setdefault(kind, []).append(file)
    return files


def _graded(defect: str, severity: float | None) -> str:
    return defect if severity is None else f"{defect} {severity}"


def _file(seed: int, index: int, defect: str | None, severity: float | None) -> tuple[bytes, bytes]:
    screw = make_screw(seed, index, defect, severity)
    return to_png(screw.image), mask_to_png(screw.mask)


def _read(image: bytes, mask: bytes, scale: float) -> _Photo:
    options = ReadOptions(scale=scale)
    pixels = read_photo(image, "screw", options)[:, :, 0]
    return _Photo(pixels, read_mask(mask, "mask", pixels.shape, options))


def _train(images: list[NDArray[np.float32]], preset: str, scale: float, **settings: int) -> Model:
    card, parts, _ = train_photos(images, Recipe.from_photos(PhotoOptions(scale=scale), preset, **settings))
    return Model(card, parts)


def _judge(model: Model, photos: list[_Photo]) -> TermMaps:
    return model.term_maps(np.stack([photo.image for photo in photos]))


def _auroc(normal: TermMaps, anomalous: TermMaps, score: str) -> float:
    return round(Metrics.of(normal.image_scores(score), anomalous.image_scores(score)).auroc, 4)


def _full_size(preset: str) -> list[float]:
    """Seconds to judge one image of 640x480 with windows of 96x96 every 16 pixels; how well plays no part."""
    images = [unit(make_screw(SEEDS[0], index).image) for index in range(4)]
    model = _train(images, preset, 1.0, epochs=1, crops=256)
    seconds = []
    for _ in range(RUNS + 1):
        start = time.monotonic()
        model.term_maps(images[0][None])
        seconds.append(round(time.monotonic() - start, 3))
    return seconds[1:]


def rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Lines for the table of the README."""
    (first, found), *others = result["presets"].items()
    lines = _rows(first, found, SCORES)
    for name, figures in others:  # old and new are those of the main network, which is nearly the same
        lines += _rows(name, figures, ("calibrated",))
    return lines


def _rows(preset: str, figures: dict[str, Any], scores: tuple[str, ...]) -> list[tuple[str, str]]:
    def means(values: list[dict[str, Any]]) -> str:
        return ", ".join(
            f"{score} {mean(_auroc_in(value[score]) for value in values):.3f}" for score in scores
        )

    seeds = figures["seeds"]

    def by(group: str) -> str:
        return "; ".join(
            f"{name.replace('_', ' ')}: " + means([seed[group][name] for seed in seeds])
            for name in seeds[0][group]
        )

    return [
        (
            f"Screws, `{preset}`, image AUROC, mean of {len(seeds)} seeds",
            means([seed["image_auroc"] for seed in seeds]),
        ),
        ("... by severity of the defect", by("by_severity")),
        ("... by kind of defect", by("by_defect")),
        (f"Screws, `{preset}`, pixel AUROC", means([seed["pixel"] for seed in seeds])),
        ("... by kind of defect, each with all normal images", by("pixel_by_defect")),
        ("... of the pixels of one place alone", by("pixel_by_place")),
        (
            f"Screws, `{preset}`, AUPRO",
            means([{score: seed["pixel"][score]["aupro"] for score in scores} for seed in seeds]),
        ),
        (
            f"Training `{preset}` on 100 screws of 640x480 at scale {figures['scale']:g}",
            f"{median(seed['training_s'] for seed in seeds):.0f} s",
        ),
        (
            f"One image of 640x480, 96x96 windows every 16 pixels, `{preset}`",
            f"{median(figures['full_size_s']):.2f} s",
        ),
    ]


def _auroc_in(figure: float | dict[str, float]) -> float:
    """The AUROC of images is stored as a number, that of pixels beside AUPRO."""
    return figure["auroc"] if isinstance(figure, dict) else figure


if __name__ == "__main__":
    result = run()
    report.save("screws", result)
    print(*rows(result), sep="\n")
