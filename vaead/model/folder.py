"""One model folder: written in one step, and checked when it is read.

A model folder holds `card.json` (see `ModelCard`) and for each network, by its index, `network0.tflite.gz`
(the exported program; compressed, because most of it are zeros) and `reference0.npz` (normal windows, that
the calibrated score compares with); of photos also `windows.npz` (see `KeptWindows`; models of older versions
have none). The card carries the checksums of these. What goes with a model, `golden.json` and `score.py`, is
never read to load it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from vaead.calibration.class_images import ClassReference
from vaead.calibration.fitting import reference_kind
from vaead.calibration.photo import AlignedPhotoReference
from vaead.calibration.reference import NormalReference
from vaead.config import NetworkConfig
from vaead.errors import ModelFormatError, ModelNotFoundError, StoreError
from vaead.model.card import ModelCard
from vaead.model.files import (
    CARD,
    PROGRAM,
    REFERENCE,
    WINDOWS,
    is_beside_card,
    pack_program,
    pack_reference,
    pack_windows,
    read_file,
    require_replaceable,
    unpack_program,
    unpack_reference,
    unpack_windows,
)
from vaead.model.kept_windows import KeptWindows
from vaead.model.model import Model, TrainedNetwork
from vaead.paths import AnyPath, UrlPath, to_path, write_folder
from vaead.scoring.patches import PatchGrid

STORE_VARIABLE = "VAEAD_STORE"


def save_model(folder: AnyPath | str, model: Model, beside: Mapping[str, bytes] | None = None) -> None:
    """Write a model folder; it appears whole or not at all, and replaces an older one.

    At a URL, where nothing can be renamed in one step, there is no model while one is replaced, and two
    programs that write the same model at the same time may leave one that is refused as damaged.

    Args:
        folder: Path of the folder.
        model: The model.
        beside: Files that go with it, by name, see `is_beside_card`.

    Raises:
        StoreError: The folder cannot be written.
    """
    files = dict(beside or {})
    for index, network in enumerate(model.networks):
        files[PROGRAM.format(index)] = pack_program(network.program)
        files[REFERENCE.format(index)] = pack_reference(network.reference)
    if model.windows is not None:
        files[WINDOWS] = pack_windows(model.windows)
    _write(to_path(folder), model.card, files)


def save_calibrated(
    folder: AnyPath,
    source: AnyPath,
    card: ModelCard,
    references: Sequence[bytes],
    beside: Mapping[str, bytes],
) -> None:
    """Write a model that has the programs and the windows of another one, which are not loaded for that.

    Args:
        folder: Its folder; see `save_model`.
        source: Folder of the other model.
        card: Its card.
        references: References of its networks, packed.
        beside: As in `save_model`.

    Raises:
        ModelFormatError: The other model is incomplete.
        StoreError: The folder cannot be written.
    """
    _, checksums = _read_card(source)
    files = dict(beside) | {REFERENCE.format(index): each for index, each in enumerate(references)}
    kept = [PROGRAM.format(index) for index in range(len(references))]
    kept += [WINDOWS] if WINDOWS in checksums else []
    _write(folder, card, files | {name: read_file(source / name) for name in kept})


def _write(path: AnyPath, card: ModelCard, files: dict[str, bytes]) -> None:
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    written = files | {CARD: card.to_json(checksums).encode()}
    try:
        require_replaceable(path)
        write_folder(path, written, is_beside_card)
    except StoreError:
        raise
    except OSError as error:
        raise not_writable(path, error) from error


def load_card(folder: AnyPath | str) -> ModelCard:
    """Read the card of a model folder alone; nothing is known then of its other files.

    Raises:
        ModelNotFoundError: There is no model.
        ModelFormatError: The card is damaged or from a newer version of vaead.
    """
    card, _ = _read_card(to_path(folder))
    return card


def load_model(folder: AnyPath | str) -> Model:
    """Read a model folder, on this machine or at a URL, and check that it is whole.

    Raises:
        ModelNotFoundError: There is no model.
        ModelFormatError: It is incomplete, damaged or from a newer version of vaead.
    """
    path = to_path(folder)
    card, checksums = _read_card(path)
    networks = [_load_network(path, card, index, checksums) for index in range(len(card.recipe.networks))]
    for network in networks:
        network.scorer.require_program()
    return Model(card, networks, _load_windows(path, card, checksums))


def _load_network(folder: AnyPath, card: ModelCard, index: int, checksums: dict[str, str]) -> TrainedNetwork:
    config, names = card.recipe.networks[index], (PROGRAM.format(index), REFERENCE.format(index))
    files = [_read_whole(folder / name, checksums) for name in names]
    kind = reference_kind(card.recipe.for_photos, card.recipe.source.aligned)
    reference = unpack_reference(files[1], names[1], kind, config)
    _require_windows(reference, card, config, folder)
    program, ignored = unpack_program(files[0], names[0]), card.recipe.source.ignored
    return TrainedNetwork(config, program, reference, card.light, ignored)


def _load_windows(folder: AnyPath, card: ModelCard, checksums: dict[str, str]) -> KeptWindows | None:
    if WINDOWS not in checksums:  # of an older version, or of a class of a dataset
        return None
    network, places = card.recipe.networks[0], None
    if card.image_shape is not None:
        places = PatchGrid(*card.image_shape, network.patch_size, network.stride).shape
    return unpack_windows(_read_whole(folder / WINDOWS, checksums), network, places)


def _read_whole(file: AnyPath, checksums: dict[str, str]) -> bytes:
    """Read a file of a model that has its checksum in the card."""
    content = read_file(file)
    if hashlib.sha256(content).hexdigest() != checksums.get(file.name):
        raise ModelFormatError(
            f"{file.name} must match its checksum in {CARD}, got a damaged file in {str(file.parent)!r}; "
            "train the model again"
        )
    return content


def _require_windows(
    reference: NormalReference, card: ModelCard, network: NetworkConfig, folder: AnyPath
) -> None:
    """Compare the number of windows in a reference with that of the images of a model."""
    if isinstance(reference, AlignedPhotoReference | ClassReference) and card.image_shape is not None:
        rows, columns = PatchGrid(*card.image_shape, network.patch_size, network.stride).shape
        if len(reference.place.median) != rows * columns:
            raise ModelFormatError(
                f"reference must be that of the images in {CARD}, got another one in {str(folder)!r}; "
                "train the model again"
            )


def _read_card(folder: AnyPath) -> tuple[ModelCard, dict[str, str]]:
    _require_card(folder)
    return ModelCard.from_json(read_file(folder / CARD).decode(errors="replace"))


def has_card(folder: AnyPath) -> bool:
    """True if there is a model; of a URL that cannot be reached nothing is known, which is an OSError."""
    try:
        return (folder / CARD).is_file()
    except OSError:  # a name too long, or a folder that may not be searched
        if isinstance(folder, UrlPath):
            raise
        return False


def _require_card(folder: AnyPath) -> None:
    try:
        if has_card(folder):
            return
    except OSError as error:
        raise ModelNotFoundError(
            f"model must be a folder that can be read, got {str(folder)!r} ({error.strerror or error}); "
            "check the URL and the connection"
        ) from error
    advice = "train the model first"
    if isinstance(folder, Path) and folder.is_file():
        advice = f"if it is a ZIP, unpack it, and name the folder in it that holds {CARD}"
    raise ModelNotFoundError(f"model must be a folder with a {CARD}, got {str(folder)!r}; {advice}")


def not_writable(path: AnyPath, error: OSError) -> StoreError:
    """The error for a folder of models that cannot be written."""
    reason = error.strerror or str(error)
    return StoreError(
        f"store must be a folder that can be written, got {str(path)!r} ({reason}); "
        f"free some space, change its permissions, or name another folder with --store or {STORE_VARIABLE}"
    )
