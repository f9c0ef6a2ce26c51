"""The model store: one folder a model, written in one step and checked when it is read.

A model folder holds for each network of the model `scorer.tflite.gz` (what serving runs; compressed, because
most of it are zeros), `calibration.npz` (what the calibrated score compares with) and `model.keras` (to go on
training; models that come with vaead have none), and `card.json` (see `vaead.card`). The files of a second
network are named `scorer2...` and so on. The card carries the checksums of the others.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import hashlib
import io
import itertools
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaead.card import ModelCard
from vaead.content import ContentDeviation
from vaead.deviation import Deviation
from vaead.ensemble import Ensemble, Member
from vaead.errors import ModelFormatError, ModelNotFoundError, StoreError
from vaead.litert import PatchScorer
from vaead.recipe import Recipe
from vaead.scoring import ImageScorer

PROGRAM = "scorer{}.tflite.gz"
CALIBRATION = "calibration{}.npz"
NETWORK = "model{}.keras"
"""Names of the files of a network, with its number from 2 on."""
CARD = "card.json"
STORE_VARIABLE = "VAEAD_STORE"
_UNFINISHED = ".unfinished-"


class ModelPart(NamedTuple):
    """What serving needs of one network.

    Attributes:
        program: See `vaead.export.to_litert`.
        deviation: How it tells normal images.
    """

    program: bytes
    deviation: Deviation | ContentDeviation


class Model(Ensemble):
    """A trained model, ready to score images.

    Attributes:
        card: How it was made.
        parts: What it is made of, one for each network.
    """

    def __init__(self, card: ModelCard, parts: Sequence[ModelPart]) -> None:
        members = [
            Member(ImageScorer(PatchScorer(part.program), network), part.deviation)
            for part, network in zip(parts, card.recipe.networks, strict=True)
        ]
        super().__init__(members, card.image_shape)
        self.card = card
        self.parts = tuple(parts)


def default_root() -> Path:
    """The folder named by the environment variable VAEAD_STORE, or `models` beside the package."""
    return Path(os.environ.get(STORE_VARIABLE) or Path(__file__).resolve().parent.parent / "models")


class ModelStore:
    """Models below one folder, found by their recipe."""

    def __init__(self, root: Path | str | None = None) -> None:
        self.root = Path(root) if root is not None else default_root()

    def folder(self, recipe: Recipe) -> Path:
        """Where the model of a recipe lies, whether or not it is there."""
        return self.root / recipe.path

    def __contains__(self, recipe: Recipe) -> bool:
        return _has_card(self.folder(recipe))

    def folders(self) -> list[Path]:
        """The folders of all stored models, sorted."""
        cards = self.root.glob(f"*/*/*/{CARD}")
        return sorted(card.parent for card in cards if not card.parent.name.startswith(_UNFINISHED))

    def load(self, recipe: Recipe) -> Model:
        """Read the model of a recipe.

        Raises:
            ModelNotFoundError: It is not in the store.
            ModelFormatError: It is incomplete, damaged or from a newer version of vaead.
        """
        return load_model(self.folder(recipe))

    def check_writable(self) -> None:
        """Find out before a training starts whether its model can be saved.

        Raises:
            StoreError: The store cannot be written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                pass
        except OSError as error:
            raise _not_writable(self.root, error) from error

    def save(self, card: ModelCard, parts: Sequence[ModelPart], archives: Sequence[bytes] = ()) -> Path:
        """Write a model folder; it appears whole or not at all, and replaces an older one.

        Args:
            card: Says where it belongs, by its recipe.
            parts: One for each network of the recipe.
            archives: The networks as `.keras` archives, or none.

        Returns:
            The model's folder.

        Raises:
            StoreError: The store cannot be written.
        """
        folder = self.folder(card.recipe)
        save_model(folder, card, parts, archives)
        return folder


def save_model(
    folder: Path | str, card: ModelCard, parts: Sequence[ModelPart], archives: Sequence[bytes] = ()
) -> None:
    """Write a model folder; see `ModelStore.save`."""
    files = {}
    for index, part in enumerate(parts):
        files[_numbered(PROGRAM, index)] = gzip.compress(part.program, mtime=0)
        files[_numbered(CALIBRATION, index)] = _to_npz(vars(part.deviation))
    files |= {_numbered(NETWORK, index): archive for index, archive in enumerate(archives)}
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    files[CARD] = card.to_json(checksums).encode()
    folder = Path(folder)
    unfinished = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder.parent))
        for name, content in files.items():
            (unfinished / name).write_bytes(content)
        unfinished.chmod(0o755)  # mkdtemp makes folders private
        _replace_folder(unfinished, folder)
    except OSError as error:
        raise _not_writable(folder, error) from error
    finally:
        if unfinished is not None:
            shutil.rmtree(unfinished, ignore_errors=True)


def load_model(folder: Path | str) -> Model:
    """Read a model folder and check that it is whole.

    Raises:
        ModelNotFoundError: There is no model.
        ModelFormatError: It is incomplete, damaged or from a newer version of vaead.
    """
    folder = Path(folder)
    if not _has_card(folder):
        raise ModelNotFoundError(
            f"model must be a folder with a {CARD}, got {str(folder)!r}; train the model first"
        )
    card, checksums = ModelCard.from_json(_read(folder / CARD).decode(errors="replace"))
    networks = range(len(card.recipe.networks))
    needed = {_numbered(name, index) for name in (PROGRAM, CALIBRATION) for index in networks}
    files = {name: _read(folder / name) for name in sorted(needed | set(checksums))}
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != checksums.get(name):
            raise ModelFormatError(
                f"{name} must match its checksum in {CARD}, got a damaged file in {str(folder)!r}; "
                "train the model again"
            )
    return Model(
        card,
        [
            ModelPart(
                gzip.decompress(files[_numbered(PROGRAM, index)]),
                _deviation(_from_npz(files[_numbered(CALIBRATION, index)])),
            )
            for index in networks
        ],
    )


def _deviation(arrays: dict[str, NDArray[np.generic]]) -> Deviation | ContentDeviation:
    """Put together what `vars` has taken apart; the names tell which of the two it was."""
    kind = ContentDeviation if "centers" in arrays else Deviation
    try:
        return kind(**arrays)  # type: ignore[arg-type]
    except TypeError as error:
        names = (name for name in kind.__annotations__ if name != "pooled")
        raise ModelFormatError(
            f"calibration must hold {', '.join(names)}, got {', '.join(arrays) or 'nothing'}; "
            "train the model again"
        ) from error


def _numbered(name: str, index: int) -> str:
    return name.format("" if index == 0 else index + 1)


def _to_npz(arrays: dict[str, NDArray[np.generic]]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _from_npz(content: bytes) -> dict[str, NDArray[np.generic]]:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return dict(archive)


def _has_card(folder: Path) -> bool:
    try:
        return (folder / CARD).is_file()
    except OSError:  # a name too long, or a folder that may not be searched
        return False


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ModelFormatError(
            f"model folder must hold a readable {file.name}, got {str(file.parent)!r} without it; "
            "train the model again"
        ) from error


def _replace_folder(new: Path, folder: Path) -> None:
    # A folder that is not empty cannot be replaced in one step, so the old one is moved away first. If
    # another process has put its own there in between, that one is moved away too.
    with tempfile.TemporaryDirectory(
        prefix=_UNFINISHED, dir=folder.parent, ignore_cleanup_errors=True
    ) as away:
        for attempt in itertools.count():
            old = Path(away, str(attempt))
            with contextlib.suppress(FileNotFoundError):
                folder.replace(old)
            try:
                new.replace(folder)
                return
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    if old.exists():
                        old.replace(folder)
                    raise


def _not_writable(place: Path, error: OSError) -> StoreError:
    reason = error.strerror or str(error)
    return StoreError(
        f"store must be a folder that can be written, got {str(place)!r} ({reason}); "
        f"free some space, change its permissions, or name another folder with --store or {STORE_VARIABLE}"
    )
