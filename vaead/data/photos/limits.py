"""Limits of what the program takes in, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits that keep one file or one visitor from using up the machine.

    Attributes:
        image_pixels: Width times height of one image as it is stored.
        scaled_pixels: The same after scaling.
        image_bytes: Size of one image file.
        upload_images: Number of images in one upload. A folder on the user's own disk has no such limit.
        upload_bytes: Size of all files of one upload, unpacked.
        zip_entries: Number of files and folders in one ZIP.
        zip_unpacked_bytes: Size of all files of one ZIP, unpacked.
        zip_ratio: Unpacked size divided by packed size, of one file in a ZIP.
        zip_ratio_from_bytes: Smaller files may pass `zip_ratio`: the mask of a normal image is all black and
            packs very well.
    """

    image_pixels: int = 50_000_000
    scaled_pixels: int = 50_000_000
    image_bytes: int = 100_000_000
    upload_images: int = 2_000
    upload_bytes: int = 500_000_000
    zip_entries: int = 10_000
    zip_unpacked_bytes: int = 500_000_000
    zip_ratio: int = 200
    zip_ratio_from_bytes: int = 1_000_000


VISITOR_LIMITS = Limits(scaled_pixels=8_000_000)
"""For visitors of the page, whose anomaly maps, as large as scaled images, are held by the server."""


def megabytes(n_bytes: int) -> str:
    """Write a size for a reader.

    >>> megabytes(100_000_000), megabytes(1_234_567), megabytes(999)
    ('100 MB', '1.23 MB', '999 bytes')
    """
    return f"{n_bytes} bytes" if n_bytes < 10_000 else f"{n_bytes / 1e6:,.3g} MB"
