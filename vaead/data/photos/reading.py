"""One image file to one array."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaead.data.photos.decoding import Samples, decode, format_name, open_header, require_one_picture
from vaead.data.photos.layout import Photo
from vaead.data.photos.limits import Limits
from vaead.data.photos.names import Rejected
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
        limits: What is accepted.
    """

    color: Color = "luminance"
    scale: float = 1.0
    min_px: int = 1
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
    shows them. 16 bit are kept, also with a scale; only CMYK is read with 8. Pixels of 12 bit that are stored
    as 16 bit look dark, since such a file does not say so. Luminance is 0.299 R + 0.587 G + 0.114 B
    (Rec. 601). Colour profiles are not applied.

    Args:
        source: The content, a binary stream, a path, or a URL that fsspec knows.
        name: What the user calls the file; every error names it so.
        options: How to read; None reads luminance at full size.

    Returns:
        (H, W) for luminance, (H, W, 3) for RGB; in [0, 1].

    Raises:
        InvalidInputError: The file is missing, empty, too large, damaged, of another format, an animation, or
            its image has too many or too few pixels.
        DataUnavailableError: The file is there but cannot be read.
    """
    pixels = _read(source, name, options or ReadOptions(), background=1.0)
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


def read_mask(
    source: Source, name: str, shape: tuple[int, int], options: ReadOptions | None = None
) -> NDArray[np.bool_]:
    """Read where an image is anomalous: white is anomalous, black or transparent is normal.

    With a scale below 1, a pixel is anomalous if any of those it replaces is, so that thin defects stay.

    Args:
        source: As for `read_photo`.
        name: What the user calls the mask.
        shape: (H, W) of the image as `read_photo` returned it.
        options: Those with which the image was read.

    Returns:
        (H, W), True where anomalous.

    Raises:
        InvalidInputError: As for `read_photo`, or the mask has another size than its image, or is neither
            black nor has any white.
        DataUnavailableError: The file is there but cannot be read.
    """
    options = options or ReadOptions()
    levels = _read(source, name, ReadOptions(limits=options.limits), background=0.0)[:, :, 0]
    height, width = _scaled(levels.shape[0], options.scale), _scaled(levels.shape[1], options.scale)
    if (height, width) != tuple(shape):
        wanted, found = f"{shape[1]}x{shape[0]}", f"{width}x{height}"
        raise refusal("mask_size", name=name, wanted=wanted, found=found)
    # Masks that number their classes look black; read as they are, no pixel would be anomalous.
    if 0 < (brightest := float(levels.max())) <= 0.5:
        raise refusal("mask_dark", name=name, found=f"{brightest:.2g}")
    return _reduce(_reduce(levels > 0.5, height, axis=0), width, axis=1)


def _read(source: Source, name: str, options: ReadOptions, background: float) -> NDArray[np.float32]:
    data = read_bytes(source, name, options.limits.image_bytes)
    kind = format_name(data, name)
    try:
        with _quiet_pillow(), open_header(data, kind) as image:
            require_one_picture(image, name)
            _require_size(image.size, name, options)
            samples, top = decode(image, data, name)
        return _resize(_to_unit(samples, top, options.color, background), options.scale)
    except VaeadError:
        raise
    # The WebP plugin asks for Pillow's own limit before it tells the size.
    except Image.DecompressionBombError as error:
        raise refusal("pixels_unknown", name=name, most=_millions(options.limits.image_pixels)) from error
    except MemoryError as error:
        raise refusal("memory", name=name) from error
    # Pillow raises errors of many types for damaged files, and any other file may be the next to be read.
    except Exception as error:
        problem = str(error) or type(error).__name__
        raise refusal("damaged", name=name, format=kind, problem=problem) from error


@contextmanager
def _quiet_pillow() -> Iterator[None]:
    # Threads share the list of filters. As only Pillow's warnings are filtered, the worst that two threads
    # can do to each other is that such a warning is printed, or is not.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


def _require_size(size: tuple[int, int], name: str, options: ReadOptions) -> None:
    width, height = size
    scaled = _scaled(width, options.scale), _scaled(height, options.scale)
    scale = {} if options.scale == 1 else {"scale": f"{options.scale:g}"}
    limits = options.limits
    if width * height > limits.image_pixels:
        raise refusal("pixels", name=name, most=_millions(limits.image_pixels), found=f"{width}x{height}")
    if scaled[0] * scaled[1] > limits.scaled_pixels:
        values = {"most": _millions(limits.scaled_pixels), "scale": f"{options.scale:g}"}
        raise refusal("pixels_at_scale", name=name, found=f"{width}x{height}", **values)
    if min(scaled) < options.min_px:
        values = {"least": f"{options.min_px}x{options.min_px}", "found": f"{scaled[0]}x{scaled[1]}", **scale}
        raise refusal("small_at_scale" if scale else "small", name=name, **values)


def _millions(pixels: int) -> str:
    return f"{pixels / 1e6:g}"


def _to_unit(samples: Samples, top: int, color: Color, background: float) -> NDArray[np.float32]:
    height, width, channels = samples.shape
    result = np.empty((height, width, 1 if color == "luminance" else 3), np.float32)
    rows = max(1, _STRIP_PIXELS // width)
    for start in range(0, height, rows):
        strip = samples[start : start + rows].astype(np.float32) / np.float32(top)
        if channels in (2, 4):
            strip, opacity = strip[:, :, :-1], strip[:, :, -1:]
            strip = strip * opacity + background * (1 - opacity)
        if color == "luminance" and strip.shape[2] == 3:
            red, green, blue = np.moveaxis(strip, 2, 0)
            # Written so that grey stored as colour stays exactly as it is.
            strip = (green + 0.299 * (red - green) + 0.114 * (blue - green))[:, :, None]
        result[start : start + rows] = np.clip(strip, 0, 1)
    return result


def _scaled(length: int, scale: float) -> int:
    return max(1, round(length * scale))


def _resize(image: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    if scale == 1:
        return image
    size = _scaled(image.shape[1], scale), _scaled(image.shape[0], scale)
    # Pillow's filter covers all pixels that one new pixel replaces; it takes floats one channel at a time.
    channels = [
        np.asarray(Image.fromarray(image[:, :, channel]).resize(size, Image.Resampling.LANCZOS))
        for channel in range(image.shape[2])
    ]
    # This filter passes the range a little at sharp edges.
    return np.clip(np.stack(channels, axis=2, dtype=np.float32), 0, 1)


def _reduce(mask: NDArray[np.bool_], length: int, axis: int) -> NDArray[np.bool_]:
    starts = np.arange(length) * mask.shape[axis] // length
    return np.logical_or.reduceat(mask, starts, axis=axis)
