"""Scans of held-out images, and of photos with defects that are made in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaead.held_out.defect_trial import MadePhoto, make_photos
from vaead.held_out.split import Images
from vaead.recipe import Recipe
from vaead.scoring.image_scorer import ImageScorer, Progress
from vaead.scoring.patches import PatchGrid
from vaead.scoring.scan import Scan

ProgressOfScan = Callable[[int, int], Progress]
"""From the number of a scan, and of all scans, to what is called in the course of it."""


class HeldOutScans(NamedTuple):
    """Outputs of a network.

    Attributes:
        normal: For held-out images, those of one size together.
        made: For photos with made defects, each with the index of the held-out photo.
    """

    normal: list[Scan]
    made: list[tuple[int, Scan]]


def photos_with_defects(held_out: Images, recipe: Recipe) -> list[MadePhoto]:
    """Defects in held-out photos; none in images of a dataset."""
    if not recipe.for_photos:
        return []
    network, (height, width) = recipe.networks[0], held_out[0].shape[:2]
    rows, columns = PatchGrid(height, width, network.patch_size, network.stride).shape
    return make_photos(held_out, rows * columns, recipe.train.seed, recipe.source.ignored)


def scan_held_out(
    scorer: ImageScorer, held_out: Images, made: Sequence[MadePhoto], progress_of: ProgressOfScan
) -> HeldOutScans:
    """Scan all with one network."""
    # Images of one size are scanned together, which is faster.
    parts = list(_one_size(held_out))
    every = [*parts, *(each.pixels[None] for each in made)]
    scans = [
        scorer.scan(images, progress_of(number, len(every)), shares=True)
        for number, images in enumerate(every)
    ]
    of_made = [(each.origin, scan) for each, scan in zip(made, scans[len(parts) :], strict=True)]
    return HeldOutScans(scans[: len(parts)], of_made)


def _one_size(images: Images) -> Iterator[NDArray[np.generic]]:
    """Images in arrays (N, H, W[, channels])."""
    if isinstance(images, np.ndarray):
        yield images
    else:
        yield from (image[None] for image in images)
