"""Files of a model folder: their names, how they are packed, and the checks before one is used.

A model may come from anybody, so nothing in it is trusted: no pickle, no file that is not named here, no
array of another shape, nothing that unpacks to far more than any model has.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.reference import NormalReference
from vaead.config import NetworkConfig
from vaead.errors import ModelFormatError, StoreError
from vaead.model.kept_windows import KeptWindows, picture_shape
from vaead.paths import AnyPath, UrlPath

PROGRAM = "network{}.tflite.gz"
REFERENCE = "reference{}.npz"
"""Names of the files of a network, with its index."""
WINDOWS = "windows.npz"
"""Name of the file of `KeptWindows`, which a model need not have."""
CARD = "card.json"
GOLDEN = "golden.json"
SCRIPT = "score.py"
"""Names of what goes with a model of photos but is no part of it, see `vaead.inference.golden`."""
_OF_NETWORK = re.compile(r"network\d\.tflite\.gz|reference\d\.npz")

_MOST_BYTES = 2**28
"""To which a file unpacks; the largest models have some megabytes."""
_MOST_WINDOWS = 5_000
"""Kept windows of a model: with more it would take long to compare."""
_MOST_OF_PLACE = 10**6
"""Number of a photo, row or column."""
_LITTER = ".DS_Store"
"""A file manager leaves it in every folder that it has shown."""
_DAMAGED = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)
"""Exceptions of gzip, zipfile and NumPy for damaged files."""


def is_part(name: str) -> bool:
    """True if a file of this name is a part of a model, beside its card."""
    return _OF_NETWORK.fullmatch(name) is not None or name == WINDOWS


def is_beside_card(name: str) -> bool:
    """True if a file of this name is a part of a model beside its card, or goes with it."""
    return is_part(name) or name in (GOLDEN, SCRIPT)


def pack_program(program: bytes) -> bytes:
    """Compress a program; most of it are zeros."""
    return gzip.compress(program, mtime=0)


def unpack_program(content: bytes, name: str) -> bytes:
    """Undo `pack_program`.

    Raises:
        ModelFormatError: The content is damaged, or unpacks to too much.
    """
    try:
        with gzip.open(io.BytesIO(content)) as stream:
            program = stream.read(_MOST_BYTES + 1)
    except _DAMAGED as error:
        raise _damaged(name, error) from error
    if len(program) > _MOST_BYTES:
        raise _too_large(name)
    return program


def pack_reference(reference: NormalReference) -> bytes:
    """Put the arrays of a reference into one file."""
    return _pack(reference.arrays())


def pack_windows(windows: KeptWindows) -> bytes:
    """Put the arrays of kept windows into one file."""
    return _pack(windows.arrays())


def _pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack_reference(
    content: bytes, name: str, kind: type[NormalReference], network: NetworkConfig
) -> NormalReference:
    """Undo `pack_reference`.

    Raises:
        ModelFormatError: The content is damaged, or is not of such a network.
    """
    reference = kind.from_arrays(_unpack(content, name, kind.array_names()))
    _require_sound(reference, name, network)
    return reference


def unpack_windows(content: bytes, network: NetworkConfig, places: tuple[int, int] | None) -> KeptWindows:
    """Undo `pack_windows`.

    Args:
        content: The file.
        network: The first network of the model.
        places: Rows and columns of windows in a photo; None where photos differ in size.

    Raises:
        ModelFormatError: The content is damaged, or is not of such a network.
    """
    arrays = _unpack(content, WINDOWS, ("pictures", "z_mean", "places"))
    pictures, z_mean, at = arrays["pictures"], arrays["z_mean"], arrays["places"]
    count, most = len(at) if at.ndim else 0, (_MOST_OF_PLACE, *(places or (_MOST_OF_PLACE, _MOST_OF_PLACE)))
    shapes = {"pictures": (count, *picture_shape(network)), "z_mean": (count, network.latent_dim)}
    sound = (
        0 < count <= _MOST_WINDOWS
        and {name: arrays[name].shape for name in shapes} == shapes
        and [array.dtype.str for array in (pictures, z_mean, at)] == ["|u1", "<f2", "<i4"]
        and at.shape == (count, 3)
        and np.isfinite(z_mean).all()
        and ((at >= 0) & (at < most)).all()
    )
    if not sound:
        raise ModelFormatError(
            f"{WINDOWS} must hold 1 to {_MOST_WINDOWS:,} windows of the network, each with its z and place, "
            "got others; train the model again"
        )
    return KeptWindows(pictures, z_mean, at)


def _unpack(content: bytes, name: str, wanted: Collection[str]) -> dict[str, NDArray[Any]]:
    """The arrays of a file, which has these names and no others."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            n_bytes = sum(info.file_size for info in archive.infolist())
        if n_bytes > _MOST_BYTES:
            raise _too_large(name)
        with np.load(io.BytesIO(content), allow_pickle=False) as loaded:
            arrays = dict(loaded)
    except ModelFormatError:
        raise
    except _DAMAGED as error:
        raise _damaged(name, error) from error
    if sorted(arrays) != sorted(wanted):
        raise ModelFormatError(
            f"{name} must hold {', '.join(sorted(wanted))}, got {', '.join(arrays) or 'nothing'}; "
            "train the model again"
        )
    return arrays


def _require_sound(reference: NormalReference, name: str, network: NetworkConfig) -> None:
    try:
        shapes = reference.shapes(network)
    except (IndexError, ValueError):  # an array has too few dimensions to tell the shapes of the others
        shapes = {}
    for key, array in reference.arrays().items():
        if array.shape != shapes.get(key) or array.dtype.kind != "f" or not np.isfinite(array).all():
            raise ModelFormatError(
                f"{name} must hold finite numbers in the shape of the network, got others in {key!r}; "
                "train the model again"
            )
        if key in reference.positive() and not (array > 0).all():
            raise ModelFormatError(
                f"{name} must hold numbers above 0 in {key!r}, got others; train the model again"
            )


def require_replaceable(folder: AnyPath, argument: str = "folder") -> None:
    """Find out whether a model may take the place of what is there.

    Args:
        folder: Folder of the model to write.
        argument: Name of the argument for the message.

    Raises:
        StoreError: It holds anything but a model, which would be lost.
        OSError: It cannot be listed.
    """
    names: list[str] = []
    if folder.is_file():
        names = [""]
    elif isinstance(folder, UrlPath):
        names = folder.files()
    else:
        with contextlib.suppress(FileNotFoundError):  # new, or another process has just moved it away
            names = [path.name for path in folder.iterdir()]
    strange = sorted(name for name in names if not (is_beside_card(name) or name in (CARD, _LITTER)))
    if strange:
        what = f"with {strange[0]!r} in it" if strange[0] else "which is a file"
        raise StoreError(
            f"{argument} must be new, empty, or a model to replace, got {str(folder)!r} {what}; "
            "name another folder"
        )


def read_file(file: AnyPath) -> bytes:
    """Read a file of a model.

    Raises:
        ModelFormatError: It is not there, or is no ordinary file.
    """
    try:
        if isinstance(file, Path) and file.exists() and not file.is_file():
            raise OSError("no ordinary file")  # a pipe would never end
        return file.read_bytes()
    except OSError as error:
        raise ModelFormatError(
            f"model folder must hold a readable {file.name}, got {str(file.parent)!r} without it; "
            "train the model again"
        ) from error


def _damaged(name: str, error: Exception) -> ModelFormatError:
    return ModelFormatError(
        f"{name} must be a whole file of a model, got one that cannot be read ({error}); train it again"
    )


def _too_large(name: str) -> ModelFormatError:
    return ModelFormatError(
        f"{name} must unpack to at most {_MOST_BYTES / 1e6:.0f} MB, got more; train the model again"
    )
