"""Anomalous regions of one image: where they are, and how anomalous, as numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from vaead.config import Record

_TOUCHING = np.ones((3, 3), np.bool_)
"""Pixels of one region touch at a side or at a corner."""


class Region(Record, frozen=True):
    """A region that stands out. Lengths are in pixels.

    Attributes:
        left: First column.
        top: First row.
        width: Columns.
        height: Rows.
        area: Pixels that stand out, of those in the box.
        center: Column and row of their mean.
        largest: Largest value of the map in it.
        mean: Mean of the map over it.
        normal_below: Share of the windows of normal images below `largest`, 0 to 1.
    """

    left: float
    top: float
    width: float
    height: float
    area: float
    center: tuple[float, float]
    largest: float
    mean: float
    normal_below: float

    def enlarged(self, factor: float) -> Region:
        """The same in an image whose width and height are so many times as large."""
        return Region(
            left=factor * self.left,
            top=factor * self.top,
            width=factor * self.width,
            height=factor * self.height,
            area=factor**2 * self.area,
            # Whole numbers are the middles of pixels.
            center=(factor * (self.center[0] + 0.5) - 0.5, factor * (self.center[1] + 0.5) - 0.5),
            largest=self.largest,
            mean=self.mean,
            normal_below=self.normal_below,
        )


def find_regions(
    mask: NDArray[np.bool_],
    anomaly_map: NDArray[np.floating],
    rank: Callable[[NDArray[np.floating]], NDArray[np.floating]],
) -> tuple[Region, ...]:
    """Find the regions of a mask; those whose boxes overlap are one.

    Args:
        mask: (H, W), True where the image stands out.
        anomaly_map: (H, W).
        rank: Gives for values of the map the share of normal windows below them.

    Returns:
        The regions, the most anomalous first.

    >>> mask = np.zeros((4, 6), bool)
    >>> mask[1:3, 4:] = True
    >>> (region,) = find_regions(mask, 2.0 * mask, lambda values: values / 4)
    >>> region.left, region.top, region.area, region.center, region.normal_below
    (4, 1, 4, (4.5, 1.5), 0.5)
    """
    # SciPy takes a tenth of a second to import, and most photos are predicted without their regions.
    from scipy.ndimage import find_objects, label

    labels, count = label(mask, structure=_TOUCHING)
    boxes: list[_Box] = []
    for number, (rows, columns) in enumerate(find_objects(labels, count), start=1):
        _add(boxes, (rows.start, rows.stop, columns.start, columns.stop, (number,)))
    found = [_region(box, labels, anomaly_map, rank) for box in boxes]
    return tuple(sorted(found, key=lambda region: -region.largest))


_Box = tuple[int, int, int, int, tuple[int, ...]]
"""First row, last row + 1, first column, last column + 1, and the labels inside."""


def _add(boxes: list[_Box], box: _Box) -> None:
    """Add a box, or join it with all that it overlaps, and those with what they overlap then."""
    for other in boxes:
        if box[0] < other[1] and other[0] < box[1] and box[2] < other[3] and other[2] < box[3]:
            boxes.remove(other)
            joined = (
                *(min(box[0], other[0]), max(box[1], other[1])),
                *(min(box[2], other[2]), max(box[3], other[3])),
                (*box[4], *other[4]),
            )
            _add(boxes, joined)
            return
    boxes.append(box)


def _region(
    box: _Box,
    labels: NDArray[np.integer],
    anomaly_map: NDArray[np.floating],
    rank: Callable[[NDArray[np.floating]], NDArray[np.floating]],
) -> Region:
    top, bottom, left, right, numbers = box
    inside = np.isin(labels[top:bottom, left:right], numbers)
    rows, columns = np.nonzero(inside)
    values = anomaly_map[top:bottom, left:right][inside]
    largest = values.max()
    return Region(
        left=left,
        top=top,
        width=right - left,
        height=bottom - top,
        area=len(values),
        center=(left + float(columns.mean()), top + float(rows.mean())),
        largest=float(largest),
        mean=float(values.mean()),
        normal_below=float(rank(largest[None])[0]),
    )


def area_share(regions: Sequence[Region], shape: tuple[int, int]) -> float:
    """Share of an image (H, W) that stands out, 0 to 1."""
    return sum(region.area for region in regions) / (shape[0] * shape[1])
