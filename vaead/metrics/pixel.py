"""How well anomaly maps find anomalous pixels, measured on masks. Higher scores are more anomalous, always.

Both metrics need nothing but how many pixels there are at each score, so images are counted one after another
and no map is kept. Scores are counted in bins that need no range known in advance: the first bits of a number
in single precision. A bin holds scores that differ by less than one part in 8,192.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from vaead.errors import InvalidInputError

AUPRO_LIMIT = 0.3
"""False-positive rate up to which AUPRO looks."""

_BITS = 22
"""Sign, exponent and 13 bits of the fraction of a number in single precision."""
_REST_BITS = 32 - _BITS
_REST = np.uint16((1 << _REST_BITS) - 1)
_SIGN = np.uint32(1 << 31)
_TOUCHING = np.ones((3, 3), dtype=np.uint8)
"""Pixels of one region touch at a side or at a corner."""

Bins = NDArray[np.uint32]


@dataclass(frozen=True)
class PixelMetrics:
    """How well anomaly maps tell anomalous pixels from normal ones.

    Scores are binned, which mixes up the order inside a bin. The errors say by how much that can have changed
    each metric; they are sums over the bins that hold more than one score, each at its worst. With scores
    spread over many bins they are near 0, and 0 where no two scores share a bin.

    Attributes:
        auroc: Probability that an anomalous pixel scores above a normal one, 0 to 1; 0.5 is chance.
        aupro: Area under the per-region overlap, the mean share of a region that is flagged, over the share
            of normal pixels that are flagged, up to `AUPRO_LIMIT` and divided by it; 0 to 1, chance is 0.15.
        auroc_error: Without bins, `auroc` would differ by no more than this.
        aupro_error: Without bins, `aupro` would differ by no more than this.
    """

    auroc: float
    aupro: float
    auroc_error: float
    aupro_error: float

    @classmethod
    def of(
        cls, anomaly_maps: Sequence[NDArray[np.floating]], masks: Sequence[NDArray[np.bool_]]
    ) -> PixelMetrics:
        """Measure the maps of several images; see `PixelCounts`, also where they do not fit into memory.

        Args:
            anomaly_maps: One (H, W) an image; sizes may differ.
            masks: The same sizes, True on anomalous pixels.

        Raises:
            InvalidInputError: See `PixelCounts.add` and `PixelCounts.metrics`; or there are not as many masks
                as maps.

        >>> PixelMetrics.of([np.array([[0.0, 1.0]])], [np.array([[False, True]])]).auroc
        1.0
        """
        if len(masks) != len(anomaly_maps):
            raise InvalidInputError(
                f"masks must be as many as the {len(anomaly_maps)} anomaly maps, got {len(masks)}; "
                "give one mask an image"
            )
        counts = PixelCounts()
        for anomaly_map, mask in zip(anomaly_maps, masks, strict=True):
            counts.add(anomaly_map, mask)
        return counts.metrics()


class PixelCounts:
    """Counts of normal and of anomalous pixels by score, of images added one after another.

    Its size does not depend on the number of images: about a megabyte, at most 100 MB. Only bins with
    pixels in them are kept, so it is fit to be sent to another process.

    Source: P. Bergmann, K. Batzner, M. Fauser, D. Sattlegger, C. Steger, "The MVTec Anomaly Detection
    Dataset", International Journal of Computer Vision, 2021: at each threshold, the mean share of
    each connected region that is flagged, against the share of all normal pixels that are.
    """

    def __init__(self) -> None:
        # The first has the bins in their order, all others what is counted in each of them.
        self._bins = np.empty(0, np.uint32)
        self._normal = np.empty(0, np.int64)
        self._anomalous = np.empty(0, np.int64)
        self._regions: NDArray[np.float64] = np.empty(0)
        # What a bin has cut off: its largest, and how far its smallest lies below all that is possible.
        self._largest = np.empty(0, np.uint16)
        self._below = np.empty(0, np.uint16)

    def add(self, anomaly_map: NDArray[np.floating], mask: NDArray[np.bool_]) -> None:
        """Count the pixels of an image.

        Args:
            anomaly_map: (H, W), taken in single precision.
            mask: (H, W), True on anomalous pixels. Those that touch, also at a corner, are one region.

        Raises:
            InvalidInputError: The map is not two-dimensional or holds something that is not a number, or the
                mask does not fit it or is not of truth values. Nothing is counted then.
        """
        _check(anomaly_map, mask)
        bins, rests = _binned(anomaly_map)
        image = PixelCounts()
        image._bins = np.unique(bins)
        size = len(image._bins)
        # The system hands out this memory only where it is written.
        places = np.empty(1 << _BITS, np.intp)
        places[image._bins] = np.arange(size)
        place = places[bins]
        image._normal = np.bincount(place[~mask], minlength=size)
        image._anomalous = np.bincount(place[mask], minlength=size)
        regions, _ = label(mask, structure=_TOUCHING)
        inside = regions[mask]
        # Every region counts the same, whatever its size, so a pixel counts as its share of its region.
        shares = 1 / np.bincount(inside)[inside]
        image._regions = np.bincount(place[mask], weights=shares, minlength=size).astype(np.float64)
        image._largest, image._below = np.zeros(size, np.uint16), np.zeros(size, np.uint16)
        np.maximum.at(image._largest, place, rests)
        np.maximum.at(image._below, place, _REST - rests)
        self.include(image)

    def include(self, other: PixelCounts) -> None:
        """Count the images of another count too."""
        bins = np.union1d(self._bins, other._bins)
        mine, theirs = (np.searchsorted(bins, counts._bins) for counts in (self, other))

        def joined(own: NDArray[Any], more: NDArray[Any], join: np.ufunc) -> NDArray[Any]:
            result = np.zeros(len(bins), own.dtype)
            result[mine] = own
            result[theirs] = join(result[theirs], more)
            return result

        self._normal = joined(self._normal, other._normal, np.add)
        self._anomalous = joined(self._anomalous, other._anomalous, np.add)
        self._regions = joined(self._regions, other._regions, np.add)
        self._largest = joined(self._largest, other._largest, np.maximum)
        self._below = joined(self._below, other._below, np.maximum)
        self._bins = bins

    def metrics(self) -> PixelMetrics:
        """The metrics of all images so far.

        Raises:
            InvalidInputError: No pixel is anomalous, or none is normal.
        """
        # From the highest score down, as a falling threshold flags them.
        normal, anomalous, regions = (
            _shares(counts[::-1], name)
            for counts, name in (
                (self._normal, "normal"),
                (self._anomalous, "anomalous"),
                (self._regions, "anomalous"),
            )
        )
        mixed = (self._largest + self._below > _REST)[::-1]
        auroc, auroc_error = _area(normal, anomalous, mixed, 1.0)
        aupro, aupro_error = _area(normal, regions, mixed, AUPRO_LIMIT)
        return PixelMetrics(auroc, aupro, auroc_error, aupro_error)


def _area(
    across: NDArray[np.float64], up: NDArray[np.float64], mixed: NDArray[np.bool_], limit: float
) -> tuple[float, float]:
    """Mean height of a curve from 0 to a limit, and how wrong it can be.

    Args:
        across: (k,), how far the curve goes to the right at each bin; adds up to 1.
        up: (k,), how far it goes up there.
        mixed: (k,), where the bin holds several scores, so that between its ends the curve may rise anyhow.
        limit: Where the area ends, above 0 and at most 1.
    """
    right, top = np.cumsum(across), np.cumsum(up)
    width = np.clip(limit - (right - across), 0, across)
    inside = np.divide(width, across, out=np.zeros_like(width), where=across > 0)
    area = width @ (top - up + up * inside / 2)
    # At its lowest the curve rises at the end of a bin, at its highest at the start, which is further off.
    error = (width * up * (1 - inside / 2)) @ mixed
    return float(area) / limit, float(error) / limit


def _binned(anomaly_map: NDArray[np.floating]) -> tuple[Bins, NDArray[np.uint16]]:
    """The bin of each pixel, (H, W), higher for higher scores; and where in the bin it lies."""
    # What is too large for single precision becomes infinite there, and so stays the largest.
    with np.errstate(over="ignore"):
        single = anomaly_map.astype(np.float32)
    # Adding 0 makes -0 and 0 one number. The bits of positive numbers are in their order already, and those
    # of negative ones in the opposite order.
    bits = (single + np.float32(0)).view(np.uint32)
    ordered = np.where(bits & _SIGN, ~bits, bits | _SIGN)
    return ordered >> np.uint32(_REST_BITS), ordered.astype(np.uint16) & _REST


def _shares(counts: NDArray[np.generic], name: str) -> NDArray[np.float64]:
    """Counts of each bin as shares of all; the name says of which pixels."""
    shares = counts.astype(np.float64)
    total = float(shares.sum())
    if total == 0:
        raise InvalidInputError(
            f"masks must leave at least one {name} pixel in all images together, got 0; "
            f"add an image with {name} pixels"
        )
    return shares / total


def _check(anomaly_map: NDArray[np.floating], mask: NDArray[np.bool_]) -> None:
    if anomaly_map.ndim != 2 or anomaly_map.size == 0:
        raise InvalidInputError(
            f"anomaly_map must be two-dimensional with at least one pixel, got shape {anomaly_map.shape}; "
            "give one map an image"
        )
    if mask.shape != anomaly_map.shape:
        raise InvalidInputError(
            f"mask must be as large as its anomaly map, {anomaly_map.shape}, got shape {mask.shape}; "
            "give map and mask of the same image at the same size"
        )
    if mask.dtype != np.bool_:
        raise InvalidInputError(
            f"mask must be of truth values, got values of type {mask.dtype}; pass mask > 0"
        )
    strange = np.count_nonzero(~np.isfinite(anomaly_map))
    if strange:
        raise InvalidInputError(
            f"anomaly_map must be finite, got {strange} of {anomaly_map.size} pixels that are not; "
            "leave this image out"
        )
