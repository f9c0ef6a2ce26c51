"""Metrics of anomaly maps on true masks. Higher scores are more anomalous, always.

Both metrics need nothing but how many pixels there are at each score, so images are counted one after another
and no map is kept. Scores are counted in bins that need no range known in advance: the first bits of a number
in single precision. A bin holds scores that differ by less than one part in 8,192.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaead.errors import InvalidInputError

AUPRO_LIMIT = 0.3
"""False-positive rate up to which AUPRO looks."""

_REST_BITS = np.uint32(10)
"""Bits cut off: sign, exponent and 13 bits of the fraction of a number in single precision are left."""
_SIGN = np.uint32(1 << 31)
_TOUCHING = np.ones((3, 3), dtype=np.uint8)
"""Pixels of one region touch at a side or at a corner."""


@dataclass(frozen=True)
class PixelMetrics:
    """Separation of anomalous from normal pixels by anomaly maps.

    Attributes:
        auroc: Probability that an anomalous pixel scores above a normal one, 0 to 1; 0.5 is chance.
        aupro: Area under the per-region overlap, the mean share of a region that is flagged, over the share
            of normal pixels that are flagged, up to `AUPRO_LIMIT` and divided by it; 0 to 1, chance is 0.15.
    """

    auroc: float
    aupro: float

    @classmethod
    def compute(
        cls, anomaly_maps: Sequence[NDArray[np.floating]], masks: Sequence[NDArray[np.bool_]]
    ) -> PixelMetrics:
        """Measure the maps of several images; see `PixelCounts`, also where they do not fit into memory.

        Args:
            anomaly_maps: One (H, W) an image; sizes may differ.
            masks: The same sizes, True on anomalous pixels.

        Raises:
            InvalidInputError: See `PixelCounts.add` and `PixelCounts.metrics`; or there are not as many masks
                as maps.

        >>> PixelMetrics.compute([np.array([[0.0, 1.0]])], [np.array([[False, True]])]).auroc
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
        self._bins = np.empty(0, np.intp)
        """Bins with pixels in them, ascending."""
        self._counts = np.empty((3, 0))
        """Normal pixels, anomalous pixels and shares of anomalous regions in each bin."""

    def add(
        self,
        anomaly_map: NDArray[np.floating],
        mask: NDArray[np.bool_],
        left_out: NDArray[np.bool_] | None = None,
    ) -> None:
        """Count the pixels of an image.

        Args:
            anomaly_map: (H, W), taken in single precision.
            mask: (H, W), True on anomalous pixels. Those that touch, also at a corner, are one region.
            left_out: (H, W), True on pixels that do not count, such as those of an ignored region.

        Raises:
            InvalidInputError: The map is not two-dimensional or holds something that is not a number, or the
                mask does not fit it or is not of truth values. Nothing is counted then.
        """
        counted = np.ones(mask.shape, np.bool_) if left_out is None else ~left_out
        if not counted.all():
            anomaly_map = np.where(counted, anomaly_map, anomaly_map[counted].min())
            mask = mask & counted
        _check(anomaly_map, mask)
        from scipy.ndimage import label  # takes half a second to import, and scoring does not need it

        bins = _bins(anomaly_map)
        lowest = int(bins.min())
        bins -= lowest
        regions, _ = label(mask, structure=_TOUCHING)
        inside = regions[mask]
        # Every region counts the same, whatever its size, so a pixel counts as its share of its region.
        shares = 1 / np.bincount(inside)[inside]
        size = int(bins.max()) + 1
        counts: NDArray[np.float64] = np.stack(
            [
                np.bincount(bins[counted & ~mask], minlength=size),
                np.bincount(bins[mask], minlength=size),
                np.bincount(bins[mask], weights=shares, minlength=size),
            ],
            dtype=np.float64,
        )
        used = np.flatnonzero(counts.any(axis=0))
        self._include(used + lowest, counts[:, used])

    def include(self, other: PixelCounts) -> None:
        """Count the images of another count too."""
        self._include(other._bins, other._counts)

    def exclude(self, other: PixelCounts) -> None:
        """Count the images of another count, which were counted here, no more."""
        self._include(other._bins, -other._counts)
        self._counts[2, self._counts[1] == 0] = 0  # shares are no whole numbers, and leave a rest of rounding
        used = np.flatnonzero(self._counts.any(axis=0))
        self._bins, self._counts = self._bins[used], self._counts[:, used]

    def _include(self, bins: NDArray[np.intp], counts: NDArray[np.float64]) -> None:
        joint = _merge(self._bins, bins)
        total = np.zeros((3, len(joint)))
        total[:, np.searchsorted(joint, self._bins)] = self._counts
        total[:, np.searchsorted(joint, bins)] += counts
        self._bins, self._counts = joint, total

    def metrics(self) -> PixelMetrics:
        """The metrics of all images so far.

        Raises:
            InvalidInputError: No pixel is anomalous, or none is normal.
        """
        # From the highest score down, as a falling threshold flags them.
        normal, anomalous, regions = (
            _shares(counts, name)
            for counts, name in zip(self._counts[:, ::-1], ("normal", "anomalous", "anomalous"), strict=True)
        )
        return PixelMetrics(_area(normal, anomalous, 1.0), _area(normal, regions, AUPRO_LIMIT))


def _merge(first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.intp]:
    """What is in either, once and ascending, as both are; `np.union1d` takes twenty times as long."""
    both = np.concatenate([first, second])
    both.sort(kind="stable")  # merges what is sorted already
    return both[np.concatenate([[True], both[1:] != both[:-1]])] if len(both) else both


def _area(across: NDArray[np.float64], up: NDArray[np.float64], limit: float) -> float:
    """Mean height of a curve from 0 to a limit.

    Args:
        across: (k,), how far the curve goes to the right at each bin; adds up to 1.
        up: (k,), how far it goes up there.
        limit: End of the area, above 0 and at most 1.
    """
    right, top = np.cumsum(across), np.cumsum(up)
    width = np.clip(limit - (right - across), 0, across)
    inside = np.divide(width, across, out=np.zeros_like(width), where=across > 0)
    return float(width @ (top - up + up * inside / 2)) / limit


def _bins(anomaly_map: NDArray[np.floating]) -> NDArray[np.intp]:
    """The bin of each pixel, (H, W), higher for higher scores."""
    # What is too large for single precision becomes infinite there, and so stays the largest.
    with np.errstate(over="ignore"):
        single = anomaly_map.astype(np.float32)
    # Adding 0 makes -0 and 0 one number. The bits of positive numbers are in their order already, and those
    # of negative ones in the opposite order.
    bits = (single + np.float32(0)).view(np.uint32)
    ordered = np.where(bits & _SIGN, ~bits, bits | _SIGN)
    return (ordered >> _REST_BITS).astype(np.intp)


def _shares(counts: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """Counts of each bin as shares of all; the name says of which pixels."""
    total = float(counts.sum())
    if total == 0:
        raise InvalidInputError(
            f"masks must leave at least one {name} pixel in all images together, got 0; "
            f"add an image with {name} pixels"
        )
    return counts / total


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
