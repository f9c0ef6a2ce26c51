"""What happens to a batch when one of its files is bad: it is named, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from vaead.data.photos.layout import Photo
from vaead.data.photos.names import Rejected
from vaead.errors import VaeadError

__all__ = ["Rejected", "read_each"]

Read = TypeVar("Read")


def read_each(
    photos: Iterable[Photo], read: Callable[[Photo], Read]
) -> Iterator[tuple[Photo, Read] | Rejected]:
    """Read photos one after another, so that only one is in memory.

    Args:
        photos: What to read, in this order.
        read: Reads one photo, for example with `read_photo` and `read_mask`.

    Yields:
        The photo with what `read` made of it, or why it is left out.
    """
    for photo in photos:
        try:
            result = read(photo)
        except VaeadError as error:
            yield Rejected.of(photo.name, error)
        else:
            yield photo, result
