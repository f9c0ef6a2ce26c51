"""Survey of a set of photos before anything is learned from it: folders, sizes, depth, colours, copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from vaead.data.photos.examine import SIGNATURE_PX, PhotoFacts, examine, find_bits
from vaead.data.photos.limits import Limits
from vaead.data.photos.names import Rejected
from vaead.data.photos.photo import Photo
from vaead.errors import VaeadError

_FEWEST = 8
"""Normal photos from which one knows how much photos of the set differ."""
ALIGNED = 0.6
"""Solar cells cut out of one frame have 0.82, castings laid down nearly alike 0.49, turned hazelnuts 0.36."""
_FEWEST_ALIGNED, _MOST_ALIGNED = 3, 64
_FINE_PX = 2
"""Structure finer than this counts for alignment, in pixels of a signature: that dark parts lie in the middle
of all photos says little."""
_FIELDS = 8
_COARSE = 16
"""Copies are looked for on a grid of so many squares a side."""
_NEAR = 0.25
"""A near copy differs from a photo by less than this share of what photos of the set differ by."""


@dataclass(frozen=True)
class Copies:
    """Photos that are there more than once.

    Attributes:
        normal: Normal photos with the pixels of another one.
        test: Test photos with the pixels of a normal one.
        near: Test photos with nearly the pixels of a normal one, such as the same photo saved again.
    """

    normal: int = 0
    test: int = 0
    near: int = 0


@dataclass(frozen=True)
class Survey:
    """Facts of normal photos.

    Attributes:
        sizes: (width, height) of the smallest and the largest by width; one entry if all have one size.
        has_colors: True if any is not grey.
        bits: Bits used in files of 16 bit; None if all, or if there are none.
        copies: Photos that are there more than once.
    """

    sizes: tuple[tuple[int, int], ...]
    has_colors: bool
    bits: int | None
    copies: Copies

    @classmethod
    def of(cls, normal: Sequence[PhotoFacts], test: Sequence[PhotoFacts] = ()) -> Survey:
        """Look over the facts of normal photos, at least one, and of test photos."""
        sizes = sorted({facts.size[::-1] for facts in normal})
        return cls(
            sizes=tuple(dict.fromkeys((sizes[0], sizes[-1]))),
            has_colors=any(facts.has_colors for facts in normal),
            bits=find_bits(facts.peak for facts in normal),
            copies=count_copies(normal, test),
        )


def examine_each(photos: Sequence[Photo], limits: Limits) -> Iterator[PhotoFacts | Rejected]:
    """Examine photos, two at a time; a bad one is named."""

    def look(photo: Photo) -> PhotoFacts | Rejected:
        try:
            return examine(photo.source, photo.label, limits)
        except VaeadError as error:
            return Rejected.of(photo.name, error)

    with ThreadPoolExecutor(2, thread_name_prefix="vaead-reading") as threads:
        yield from threads.map(look, photos)


def count_folders(photos: Sequence[Photo]) -> dict[str, int]:
    """Number of photos in each folder, '.' for the outermost."""
    return dict(Counter(str(PurePosixPath(photo.name).parent) for photo in photos))


def count_copies(normal: Sequence[PhotoFacts], test: Sequence[PhotoFacts] = ()) -> Copies:
    """Count photos that are there more than once."""
    known = {facts.digest: facts for facts in normal}
    others = [facts for facts in test if facts.digest not in known]
    return Copies(
        len(normal) - len(known), len(test) - len(others), _count_near(list(known.values()), others)
    )


def _count_near(normal: Sequence[PhotoFacts], test: Sequence[PhotoFacts]) -> int:
    if len(normal) < _FEWEST or not test:
        return 0
    learned, tested = _signatures(normal), _signatures(test)
    usual = float(np.median([_nearest(each, np.delete(learned, i, 0)) for i, each in enumerate(learned)]))
    return sum(_nearest(each, learned) < _NEAR * usual for each in tested)


def shared_light(facts: Sequence[PhotoFacts]) -> float:
    """How much of the difference between photos is that whole photos are brighter or darker, at most 1.

    Variance of the brightness of 8x8 fields that all fields of a photo share, divided by all their variance
    between photos: near 1 where light or exposure changes from photo to photo, near 0 where parts move or
    differ, or where there is one photo.
    """
    fields = _signatures(facts, _FIELDS)
    deviations = fields - np.median(fields, axis=0)
    of_photo = deviations.mean(axis=1, keepdims=True)
    total, own = (float(np.square(each).mean()) for each in (deviations, deviations - of_photo))
    # The mean of fields that vary each by itself varies, too.
    return (float(np.square(of_photo).mean()) - own / fields.shape[1]) / total if total > 0 else 0.0


def alignment(facts: Sequence[PhotoFacts]) -> float:
    """How well photos show the same thing at the same position, from -1 to 1.

    The median correlation of the fine structure of a photo with the mean of the others; 0 where sizes differ
    or there are fewer than three photos. Above `ALIGNED` each position has a look of its own.
    """
    if len(facts) < _FEWEST_ALIGNED or len({each.size for each in facts}) > 1:
        return 0.0
    from scipy.ndimage import gaussian_filter

    photos = _signatures(facts[:_MOST_ALIGNED], SIGNATURE_PX).reshape(-1, SIGNATURE_PX, SIGNATURE_PX)
    fine = photos - gaussian_filter(photos, (0, _FINE_PX, _FINE_PX))
    fine /= np.maximum(fine.std(axis=(1, 2), keepdims=True), 1e-6)
    total = fine.sum(axis=0)
    others = (total - fine) / (len(fine) - 1)
    products = (fine * others).mean(axis=(1, 2)) / np.maximum(others.std(axis=(1, 2)), 1e-6)
    return float(np.median(products))


def _signatures(facts: Sequence[PhotoFacts], side: int = _COARSE) -> NDArray[np.float32]:
    """Brightness of photos on a grid, (N, side * side)."""
    step = SIGNATURE_PX // side
    grids = np.stack([np.frombuffer(each.signature, np.float16) for each in facts]).astype(np.float32)
    coarse: NDArray[np.float32] = grids.reshape(-1, side, step, side, step).mean(axis=(2, 4))
    return coarse.reshape(len(grids), -1)


def _nearest(one: NDArray[np.float32], others: NDArray[np.float32]) -> float:
    return float(np.abs(others - one).mean(axis=1).min())
