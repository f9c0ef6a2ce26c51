"""Image files and ZIPs, good and bad, made in memory."""

import io
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GREY = np.random.default_rng(0).integers(0, 256, (9, 12), np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (9, 12, 3), np.uint8)
DEEP = np.random.default_rng(2).integers(0, 65_536, (9, 12), np.uint16)


def encode(pixels: NDArray[Any] | Image.Image, kind: str = "PNG", **settings: Any) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = io.BytesIO()
    image.save(buffer, kind, **settings)
    return buffer.getvalue()


def png(
    samples: NDArray[Any],
    depth: int,
    colour: int,
    size: tuple[int, int] | None = None,
    chunk: tuple[bytes, bytes] | None = None,
) -> bytes:
    """Write samples (H, W, C) as they are: Pillow cannot write 16-bit colour."""
    width, height = size or (samples.shape[1], samples.shape[0])
    rows = samples.astype(">u2" if depth == 16 else "u1")
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))]
    chunks += [chunk] if chunk else []
    chunks += [(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def tiff(
    samples: NDArray[Any], order: str = "<", bits: int | None = None, deflate: bool = False, **tags: int
) -> bytes:
    """Write samples (H, W, C); `tags` may be `photometric`, `planar` and `sample_format`."""
    height, width, channels = samples.shape
    raw = samples.astype(samples.dtype.newbyteorder(order)).tobytes()
    raw = zlib.compress(raw) if deflate else raw
    bits = bits or samples.dtype.itemsize * 8
    values = {
        256: width,
        257: height,
        258: bits,
        259: 8 if deflate else 1,
        262: tags.get("photometric", 1 if channels == 1 else 2),
    }
    values |= {273: 8, 277: channels, 278: height, 279: len(raw), 284: tags.get("planar", 1)}
    values |= {339: tags.get("sample_format", 1)}
    directory = struct.pack(order + "H", len(values))
    extra_at = 8 + len(raw) + 2 + 12 * len(values) + 4
    extra = struct.pack(f"{order}{channels}H", *[bits] * channels)
    for tag, value in values.items():
        if tag == 258 and channels > 2:
            directory += struct.pack(order + "HHII", tag, 3, channels, extra_at)
        else:
            directory += struct.pack(order + "HHII", tag, 4, 1, value)
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(raw))
    return start + raw + directory + struct.pack(order + "I", 0) + extra


def pack(files: dict[str, bytes] | list[tuple[str | zipfile.ZipInfo, bytes]], method: int = 8) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, content)
    return buffer
