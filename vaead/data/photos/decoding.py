"""Bytes of an image file to its samples. What Pillow cannot say or do itself is done here.

Three habits of Pillow 13 are worked around:

- It reads 16-bit colour as 8 bit: the unpackers of such files keep one byte of each sample. Which byte it is
  depends on the byte order in the unpacker's name, so decoding twice, once with the wrong byte order, yields
  both bytes.
- It hands 16-bit greyscale images over without inverting those in which 0 is white, and 12-bit images
  without their range.
- Its own limit of pixels is one for the whole process, so its plugins are called directly here, and the
  size is checked with each image's own limit between the header and the pixels.
"""

from __future__ import annotations

import io
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION,
    TiffImageFile,
)
from PIL.WebPImagePlugin import WebPImageFile

from vaead.data.photos.reasons import refusal
from vaead.data.photos.sources import Source, read_bytes

Samples = NDArray[np.uint8] | NDArray[np.uint16]

# A multi-picture JPEG, as phones write it, is read with the plain JPEG plugin: its first picture is
# the photo, the others are previews or depth maps.
_PLUGINS: dict[str, type[ImageFile]] = {
    "PNG": PngImageFile,
    "JPEG": JpegImageFile,
    "BMP": BmpImageFile,
    "TIFF": TiffImageFile,
    "WebP": WebPImageFile,
}
_SIGNATURES = {
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "JPEG": rb"\xff\xd8\xff",
    "BMP": rb"BM",
    "TIFF": rb"II[*+]\x00|MM\x00[*+]",
    "WebP": rb"RIFF.{4}WEBP",
    "GIF": rb"GIF8",
    "Photoshop": rb"8BPS",
    "PDF": rb"%PDF",
    "ZIP": rb"PK\x03\x04",
    "HEIC or AVIF": rb".{4}ftyp",
    "JPEG 2000": rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51",
}
_ORIENTATION = 0x0112
_OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}


def format_name(data: bytes, name: str) -> str:
    """Name the format of a file. Its content decides: a JPEG called .png is a JPEG.

    Raises:
        InvalidInputError: The content is none of the formats that can be read.
    """
    found = [
        kind for kind, signature in _SIGNATURES.items() if re.compile(signature, re.DOTALL).match(data[:16])
    ]
    if found and found[0] in _PLUGINS:
        return found[0]
    raise refusal("format", name=name, format=found[0]) if found else refusal("unknown_format", name=name)


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Silence what Pillow warns of."""
    # Threads share the list of filters. As only Pillow's warnings are filtered, the worst that two threads
    # can do to each other is that such a warning is printed, or is not.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


def open_header(data: bytes, kind: str) -> ImageFile:
    """Read the header alone; pixels are decoded later, by `decode`."""
    return _PLUGINS[kind](io.BytesIO(data))


def require_one_picture(image: ImageFile, name: str) -> None:
    """Refuse animations and files of several pages: taking the first picture would be a guess.

    Raises:
        InvalidInputError: The file holds more than one picture.
    """
    if getattr(image, "is_animated", False):
        raise refusal("pictures", name=name, count=getattr(image, "n_frames", "several"))


def decode(image: ImageFile, data: bytes, name: str) -> tuple[Samples, int]:
    """Decode an image in full depth, turned upright as its EXIF orientation says.

    Returns:
        Samples (H, W, C), and the value of full brightness, such as 255. C is 1 for greyscale, 2 for
        greyscale and opacity, 3 for colour, 4 for colour and opacity.

    Raises:
        InvalidInputError: The samples have no fixed range, or lie in planes of 16 bit.
    """
    rawmode, tags = _rawmode(image), getattr(image, "tag_v2", {})
    _require_readable_samples(image.mode, tags, name)
    samples: Samples
    if rawmode == "LA;16B" or re.fullmatch(r"RGB[AX]?;16[BLN]", rawmode):
        samples, top = _decode_16_bit_colour(image, data, rawmode), 65_535
    elif image.mode.startswith("I;16"):
        samples, top = _decode_16_bit_grey(image, tags), 4_095 if rawmode == "I;12" else 65_535
    else:
        samples, top = _decode_8_bit(image), 255
    return upright(samples, _orientation(image)), top


def _require_readable_samples(mode: str, tags: Any, name: str) -> None:
    if mode in ("I", "F"):
        raise refusal("samples", name=name)
    bits = tags.get(BITSPERSAMPLE, (8,))
    if tags.get(PLANAR_CONFIGURATION) == 2 and len(bits) > 1 and max(bits) > 8:
        raise refusal("planes", name=name)


def _rawmode(image: ImageFile) -> str:
    arguments: Any = image.tile[0].args if image.tile else ""
    return str(arguments[0] if isinstance(arguments, tuple) else arguments)


def _decode_8_bit(image: Image.Image) -> NDArray[np.uint8]:
    if image.has_transparency_data:
        return np.asarray(image.convert("RGBA"))
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"))[:, :, None]
    return np.asarray(image.convert("RGB"))


def _decode_16_bit_grey(image: Image.Image, tags: Any) -> NDArray[np.uint16]:
    samples = np.array(image, np.uint16)[:, :, None]
    if tags.get(PHOTOMETRIC_INTERPRETATION) == 0:
        samples = np.subtract(65_535, samples, dtype=np.uint16)
    return _key_to_white(samples, image.info.get("transparency"))


def _decode_16_bit_colour(image: ImageFile, data: bytes, rawmode: str) -> NDArray[np.uint16]:
    if rawmode == "LA;16B":
        # Four bytes a pixel, which are the two of grey and the two of opacity.
        return np.ascontiguousarray(_load_as(image, "RGBA")).view(">u2").astype(np.uint16)
    # Pillow keeps the byte that is the high one in the byte order it is told.
    low = _load_as(type(image)(io.BytesIO(data)), rawmode[:-1] + _OTHER_ORDER[rawmode[-1]])
    high = _load_as(image, rawmode)
    samples = high.astype(np.uint16) << np.uint16(8) | low
    return _key_to_white(samples, image.info.get("transparency"))


def _load_as(image: ImageFile, rawmode: str) -> NDArray[np.uint8]:
    image.tile = [
        tile._replace(args=(rawmode, *tile.args[1:]) if isinstance(tile.args, tuple) else rawmode)
        for tile in image.tile
    ]
    image.load()
    return np.asarray(image)


def _key_to_white(samples: NDArray[np.uint16], key: Any) -> NDArray[np.uint16]:
    """Paint the one colour white that a PNG declares transparent."""
    if key is not None:
        samples[np.all(samples == np.asarray(key), axis=2)] = 65_535
    return samples


def _orientation(image: Image.Image) -> int:
    # Pillow has already turned a TIFF and removed its orientation. A photo with damaged EXIF data, for which
    # Pillow raises many kinds of errors, is still a photo.
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1


def read_orientation(source: Source, name: str, max_bytes: int) -> int:
    """The EXIF orientation of an image file, 1 to 8; 1 where there is none.

    Raises:
        InvalidInputError: It is no image.
        DataUnavailableError: The file is there but cannot be read.
    """
    data = read_bytes(source, name, max_bytes)
    kind = format_name(data, name)
    try:
        with quiet_pillow(), open_header(data, kind) as image:
            return _orientation(image)
    except Exception:  # see `_orientation`
        return 1


def upright(samples: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn and mirror (H, W, ...) as EXIF orientations 2 to 8 ask for."""
    if orientation in (5, 6, 7, 8):
        samples = samples.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        samples = samples[::-1]
    if orientation in (2, 3, 6, 7):
        samples = samples[:, ::-1]
    return samples
