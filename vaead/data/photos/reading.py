"""One image file to one array."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaead.data.photos.decoding import (
    Samples,
    decode,
    format_name,
    open_header,
    quiet_pillow,
    require_one_picture,
)
from vaead.data.photos.limits import Limits
from vaead.data.photos.names import Rejected
from vaead.data.photos.photo import Photo
from vaead.data.photos.reasons import refusal
from vaead.data.photos.sources import Source, read_bytes
from vaead.errors import InvalidInputError, VaeadError

Color = Literal["luminance", "rgb"]

# About this many pixels are converted at a time, so that the memory beside the result stays small.
_STRIP_PIXELS = 1_000_000
_MAX_SCALE = 10


@dataclass(frozen=True)
class ReadOptions:
    """Options for reading images.

    Attributes:
        color: 'luminance' for one channel, 'rgb' for three.
        scale: Width and height are multiplied by this; 1 leaves every pixel as it is.
        min_px: Smallest width and height after scaling: the patch size, where images are cut into patches.
        bits: Bits that are used in files of 16 bit, whose pixels reach white at 2**bits - 1; None for all.
        limits: What is accepted.
    """

    color: Color = "luminance"
    scale: float = 1.0
    min_px: int = 1
    bits: int | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if self.color not in ("luminance", "rgb"):
            raise InvalidInputError(
                f"color must be 'luminance' or 'rgb', got {self.color!r}; use 'luminance' for grey images"
            )
        if not (0 < self.scale <= _MAX_SCALE):
            raise InvalidInputError(
                f"scale must be above 0 and at most {_MAX_SCALE}, got {self.scale!r}; use 0.5 for half "
                "the width and height"
            )
        if self.min_px < 1:
            raise InvalidInputError(f"min_px must be at least 1, got {self.min_px!r}; give the patch size")


def read_photo(source: Source, name: str, options: ReadOptions | None = None) -> NDArray[np.float32]:
    """Read one image of any depth and colour.

    The content decides the format, not the name. Transparent parts are laid on white, as an image viewer
    shows them. 16 bit are kept, also with a scale; only CMYK is read with 8. A file of 16 bit does not say
    that its camera has 12: see `ReadOptions.bits`. Luminance is 0.299 R + 0.587 G + 0.114 B (Rec. 601).
    Colour profiles are not applied.

    Args:
        source: The content, a binary stream, a path, or a URL that fsspec knows.
        name: What the user calls the file; every error names it so.
        options: How to read; None reads luminance at full size.

    Returns:
        (H, W) for luminance, (H, W, 3) for RGB; in [0, 1].

    Raises:
        InvalidInputError: The file is missing, empty, too large, damaged, of another format, an animation, or
            its image is all transparent or has too many or too few pixels.
        DataUnavailableError: The file is there but cannot be read.
    """
    options = options or ReadOptions()
    samples, top, _ = decoded(source, name, options)
    return to_pixels(samples, top, name, options)


def to_pixels(samples: Samples, top: int, name: str, options: ReadOptions) -> NDArray[np.float32]:
    """The pixels that `read_photo` gives for samples that `decode` gave.

    Raises:
        InvalidInputError: Nothing of the image can be seen.
    """
    if samples.shape[2] in (2, 4) and not samples[:, :, -1].any():
        raise refusal("transparent", name=name)
    if options.bits is not None and samples.dtype == np.uint16:
        top = min(top, 2**options.bits - 1)
    pixels = _resize(_to_unit(samples, top, options.color), options.scale)
    return pixels[:, :, 0] if pixels.shape[2] == 1 else pixels


def read_each(
    photos: Iterable[Photo], options: ReadOptions, ahead: int = 1
) -> Iterator[tuple[Photo, NDArray[np.float32]] | Rejected]:
    """Read photos one after another; a bad one is named, and the others go on.

    Args:
        photos: What to read, in this order.
        options: How to read.
        ahead: Photos read in another thread while one is used, so that so many more are in memory.

    Yields:
        The photo with its pixels, see `read_photo`, or why it is left out.
    """

    def read(photo: Photo) -> tuple[Photo, NDArray[np.float32]] | Rejected:
        try:
            return photo, read_photo(photo.source, photo.label, options)
        except VaeadError as error:
            return Rejected.of(photo.name, error)

    with ThreadPoolExecutor(1, thread_name_prefix="vaead-reading") as reader:
        waiting: deque[Future[tuple[Photo, NDArray[np.float32]] | Rejected]] = deque()
        for photo in photos:
            waiting.append(reader.submit(read, photo))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def decoded(source: Source, name: str, options: ReadOptions) -> tuple[Samples, int, str]:
    """The samples of an image as `decode` gives them, full brightness, and the format of the file.

    Raises:
        InvalidInputError: See `read_photo`.
        DataUnavailableError: The file is there but cannot be read.
    """
    data = read_bytes(source, name, options.limits.image_bytes)
    kind = format_name(data, name)
    with _errors_of_files(name, kind, options.limits), quiet_pillow(), open_header(data, kind) as image:
        require_one_picture(image, name)
        _require_size(image.size, name, options)
        return *decode(image, data, name), kind


@contextmanager
def _errors_of_files(name: str, kind: str, limits: Limits) -> Iterator[None]:
    """Turn whatever a damaged file makes a library raise into a reason."""
    try:
        yield
    except VaeadError:
        raise
    # The WebP plugin asks for Pillow's own limit before it tells the size.
    except Image.DecompressionBombError as error:
        raise refusal("pixels_unknown", name=name, most=_millions(limits.image_pixels)) from error
    except MemoryError as error:
        raise refusal("memory", name=name) from error
    # Pillow raises errors of many types for damaged files, and any other file may be the next to be read.
    except Exception as error:
        problem = str(error) or type(error).__name__
        raise refusal("damaged", name=name, format=kind, problem=problem) from error


def _require_size(size: tuple[int, int], name: str, options: ReadOptions) -> None:
    width, height = size
    small = scaled(width, options.scale), scaled(height, options.scale)
    scale = {} if options.scale == 1 else {"scale": f"{options.scale:g}"}
    limits = options.limits
    if width * height > limits.image_pixels:
        raise refusal("pixels", name=name, most=_millions(limits.image_pixels), found=f"{width}x{height}")
    if small[0] * small[1] > limits.scaled_pixels:
        values = {"most": _millions(limits.scaled_pixels), "scale": f"{options.scale:g}"}
        raise refusal("pixels_at_scale", name=name, found=f"{width}x{height}", **values)
    if min(small) < options.min_px:
        values = {"least": f"{options.min_px}x{options.min_px}", "found": f"{small[0]}x{small[1]}", **scale}
        raise refusal("small_at_scale" if scale else "small", name=name, **values)


def _millions(pixels: int) -> str:
    return f"{pixels / 1e6:g}"


def _to_unit(samples: Samples, top: int, color: Color) -> NDArray[np.float32]:
    height, width, channels = samples.shape
    result = np.empty((height, width, 1 if color == "luminance" else 3), np.float32)
    rows = max(1, _STRIP_PIXELS // width)
    for start in range(0, height, rows):
        strip = samples[start : start + rows].astype(np.float32) / np.float32(top)
        if channels in (2, 4):
            strip, opacity = strip[:, :, :-1], strip[:, :, -1:]
            strip = strip * opacity + (1 - opacity)
        if color == "luminance" and strip.shape[2] == 3:
            red, green, blue = np.moveaxis(strip, 2, 0)
            # Written so that grey stored as colour stays exactly as it is.
            strip = (green + 0.299 * (red - green) + 0.114 * (blue - green))[:, :, None]
        result[start : start + rows] = np.clip(strip, 0, 1)
    return result


def scaled(length: int, scale: float) -> int:
    """A width or height after scaling, in pixels."""
    return max(1, round(length * scale))


def _resize(image: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    if scale == 1:
        return image
    size = scaled(image.shape[1], scale), scaled(image.shape[0], scale)
    # Pillow's filter covers all pixels that one new pixel replaces; it takes floats one channel at a time.
    channels = [
        np.asarray(Image.fromarray(image[:, :, channel]).resize(size, Image.Resampling.LANCZOS))
        for channel in range(image.shape[2])
    ]
    # This filter passes the range a little at sharp edges.
    return np.clip(np.stack(channels, axis=2, dtype=np.float32), 0, 1)
