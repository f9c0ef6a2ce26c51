"""Choose the windows of training photos that a model keeps; see `vaead.model.kept_windows`."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaead.config import NetworkConfig
from vaead.held_out.split import Images
from vaead.ignored import IgnoredRegion
from vaead.model.kept_windows import KeptWindows, picture_shape
from vaead.recipe import Recipe
from vaead.scoring.patch_scorer import PatchScorer, batch_size
from vaead.scoring.patches import PatchGrid, every_crop, unit

_MOST = 2_000
"""Windows: a share of them is right to a per cent or two."""
_MOST_PICTURE_BYTES = 1_400_000
"""Of all pictures: a model is read by every process that scores, and sent over networks."""


def keep_windows(images: Images, program: bytes, recipe: Recipe) -> KeptWindows:
    """Keep windows of all photos, as evenly over the photos and over the places in them as can be.

    Args:
        images: Photos that the first network was trained on, with the light that it has seen.
        program: This network, exported.
        recipe: How it was trained.
    """
    scorer, network, ignored = PatchScorer(program), recipe.networks[0], recipe.source.ignored
    count = min(_MOST, max(1, _MOST_PICTURE_BYTES // math.prod(picture_shape(network))))
    pictures, z_mean, places = [], [], []
    for photo, chosen in _choose(images, recipe, count):
        grid = _grid(images[photo], network, ignored)
        crops = every_crop(images[photo][None], network.patch_size)[0]
        windows = _bytes(crops[grid.row_starts[chosen[:, 0]], grid.col_starts[chosen[:, 1]]])
        positions = grid.positions[chosen[:, 0], chosen[:, 1]]
        for start in range(0, len(windows), batch_size(network.patch_shape)):
            part = slice(start, start + batch_size(network.patch_shape))
            z_mean.append(scorer.decode(unit(windows[part]), positions[part])["z_mean"])
        pictures += [_picture(window, picture_shape(network)) for window in windows]
        places.append(np.insert(chosen, 0, photo, axis=1))
    return KeptWindows(
        np.stack(pictures), np.concatenate(z_mean).astype(np.float16), np.concatenate(places).astype(np.int32)
    )


def _choose(images: Images, recipe: Recipe, count: int) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Numbers of photos, each with the rows and columns (n, 2) of some of its windows.

    All photos with equally many windows take them in turn from one random order, so that each place is taken
    as often as any other.
    """
    seed, ignored = recipe.train.seed, recipe.source.ignored
    order = np.random.default_rng([seed, 4]).permutation(len(images))
    taken = 0
    for number, photo in enumerate(order):
        wanted = count // len(images) + (number < count % len(images))
        windows = np.argwhere(_grid(images[photo], recipe.networks[0], ignored).kept)
        places = np.random.default_rng([seed, 5]).permutation(len(windows))
        chosen = places[(taken + np.arange(min(wanted, len(windows)))) % len(windows)]
        taken += len(chosen)
        if len(chosen):
            yield int(photo), windows[chosen]


def _grid(image: NDArray[np.generic], network: NetworkConfig, ignored: IgnoredRegion | None) -> PatchGrid:
    return PatchGrid(image.shape[0], image.shape[1], network.patch_size, network.stride, ignored)


def _bytes(pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
    return np.round(255 * unit(pixels)).astype(np.uint8)


def _picture(window: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    picture = Image.fromarray(window).resize((shape[1], shape[0]), Image.Resampling.BOX)
    return np.asarray(picture)
