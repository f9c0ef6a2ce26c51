"""Survey of a set of photos before anything is learned from it: folders, sizes, depth, colours, copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from vaead.data.photos.examine import PhotoFacts, examine, find_bits
from vaead.data.photos.layout import Photo
from vaead.data.photos.limits import Limits
from vaead.data.photos.names import Rejected
from vaead.errors import VaeadError

_FEWEST = 8
"""Normal photos from which one knows how much photos of the set differ."""
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


def _signatures(facts: Sequence[PhotoFacts]) -> NDArray[np.float32]:
    return np.stack([np.frombuffer(each.signature, np.float32) for each in facts])


def _nearest(one: NDArray[np.float32], others: NDArray[np.float32]) -> float:
    return float(np.abs(others - one).mean(axis=1).min())
