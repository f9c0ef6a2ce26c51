"""Try a model of photos on made-up defects: what it would find, and how settings compare, without labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.thresholds import NormalScores
from vaead.data.photos.made_defects import SIZES, kinds_for, make_defect
from vaead.held_out.split import Images
from vaead.ignored import IgnoredRegion
from vaead.model.card import DefectTrial
from vaead.scoring.patches import unit

FALSE_ALARM_RATE = 0.05
"""Of the threshold above which a defect counts as found."""
_FEWEST, _MOST = 2, 10
"""Photos of each kind and size."""
_MOST_WINDOWS = 100_000
"""Windows in all photos, as far as the fewest allow: scoring them takes seconds, and not minutes."""


@dataclass(frozen=True)
class MadePhoto:
    """A held-out normal photo with a defect.

    Attributes:
        pixels: (H, W) or (H, W, channels), in [0, 1].
        origin: Index of the held-out photo.
        kind: Kind of the defect.
        size: Its size as a share of the shorter side.
        size_px: Its size in pixels.
    """

    pixels: NDArray[np.float32]
    origin: int
    kind: str
    size: float
    size_px: float


def make_photos(
    held_out: Images, windows: int, seed: int, ignored: IgnoredRegion | None = None
) -> list[MadePhoto]:
    """Put defects into held-out photos, kind by kind and size by size.

    Args:
        held_out: The photos, before their light is evened.
        windows: Windows in one of them.
        seed: Seed of everything random.
        ignored: Region in which no defect begins.
    """
    random = np.random.default_rng([seed, 3])
    kinds = kinds_for(held_out[0])
    count = int(np.clip(_MOST_WINDOWS // (len(kinds) * len(SIZES) * windows), _FEWEST, _MOST))
    made = []
    for kind in kinds:
        for size in SIZES:
            for _ in range(count):
                origin, other = (int(index) for index in random.integers(len(held_out), size=2))
                photo, other_photo = (unit(np.asarray(held_out[index])) for index in (origin, other))
                left_out = None if ignored is None else ignored.pixels(photo.shape[:2])
                pixels, size_px = make_defect(photo, kind, size, other_photo, random, left_out)
                made.append(MadePhoto(pixels, origin, kind, size, size_px))
    return made


def judge(
    made: Sequence[MadePhoto], scores: NDArray[np.float32], normal_scores: NormalScores
) -> tuple[DefectTrial, ...]:
    """Count what is found, by kind and size.

    Args:
        made: From `make_photos`.
        scores: Calibrated score of each, by a reference that has not seen its photo.
        normal_scores: Scores of the same photos without a defect.
    """
    threshold = normal_scores.threshold_value("calibrated", FALSE_ALARM_RATE)
    trials = []
    both = zip(made, scores.tolist(), strict=True)
    for (kind, _), found in groupby(both, lambda each: (each[0].kind, each[0].size)):
        group = list(found)
        ranks = [normal_scores.rank("calibrated", score) for _, score in group]
        trials.append(
            DefectTrial(
                kind=kind,
                size_px=round(float(np.median([photo.size_px for photo, _ in group])), 1),
                tried=len(group),
                found=sum(score > threshold for _, score in group),
                auroc=round(math.fsum(ranks) / len(ranks), 4),
            )
        )
    return tuple(trials)
