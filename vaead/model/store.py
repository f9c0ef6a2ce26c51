"""The model store: one folder a model, written in one step and checked when it is read.

A store is a folder on this machine, or at a URL that fsspec knows.

A model folder holds for each network of the model `scorer.tflite.gz` (what serving runs; compressed, because
most of it are zeros), `calibration.npz` (what the calibrated score compares with) and `model.keras` (to go on
training; models that come with vaead have none), and `card.json` (see `ModelCard`). The files of a second
network are named `scorer2...` and so on. The card carries the checksums of the others.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import platformdirs

from vaead import shipped
from vaead.calibration.clusters import ClusterReference
from vaead.calibration.gaussian import GaussianReference
from vaead.config import NetworkConfig
from vaead.errors import ModelFormatError, ModelNotFoundError, StoreError
from vaead.model.card import ModelCard
from vaead.model.ensemble import Ensemble, Member
from vaead.model.files import (
    CALIBRATION,
    CARD,
    NETWORK,
    PROGRAM,
    is_of_network,
    numbered,
    pack_deviation,
    pack_program,
    read_file,
    require_replaceable,
    unpack_deviation,
    unpack_program,
)
from vaead.paths import UNFINISHED, AnyPath, UrlPath, require_writable, to_path, write_folder
from vaead.recipe import Recipe
from vaead.scoring.image_scorer import ImageScorer
from vaead.scoring.patch_scorer import PatchScorer
from vaead.scoring.patches import PatchGrid

STORE_VARIABLE = "VAEAD_STORE"


class ModelPart(NamedTuple):
    """What serving needs of one network.

    Attributes:
        program: See `vaead.training.export.to_litert`.
        deviation: How it tells normal images.
    """

    program: bytes
    deviation: GaussianReference | ClusterReference


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


def default_root() -> AnyPath:
    """The folder named by VAEAD_STORE, else `models` of a checkout, or of the user's data folder."""
    root = os.environ.get(STORE_VARIABLE)
    if root or not shipped.IS_INSTALLED:
        return to_path(root or shipped.MODELS)
    return platformdirs.user_data_path("vaead", appauthor=False) / "models"


class ModelStore:
    """Models below one folder, found by their recipe.

    The default store of an installed package also finds the models that come with it, and never writes there.
    """

    def __init__(self, root: AnyPath | str | None = None) -> None:
        self.root = to_path(root) if root is not None else default_root()
        self._reads_shipped = root is None and not os.environ.get(STORE_VARIABLE)

    def folder(self, recipe: Recipe) -> AnyPath:
        """Path of the model of a recipe, whether or not it is there."""
        return self.find(recipe.path)

    def find(self, name: PurePosixPath) -> AnyPath:
        """Path of a file or folder below the root, or of the shipped one where the root has none."""
        own, other = self.root / name, shipped.MODELS / name
        if not self._reads_shipped or isinstance(own, UrlPath) or _exists(own) or not _exists(other):
            return own
        return other

    def __contains__(self, recipe: Recipe) -> bool:
        return _has_card(self.folder(recipe))

    def folders(self) -> list[AnyPath]:
        """The folders of all stored models, sorted."""
        if isinstance(self.root, UrlPath):
            files = sorted(PurePosixPath(name) for name in self.root.files())
            return [self.root / file.parent for file in files if len(file.parts) == 4 and file.name == CARD]
        cards = sorted(self.root.glob(f"*/*/*/{CARD}"))
        return [card.parent for card in cards if not card.parent.name.startswith(UNFINISHED)]

    def load(self, recipe: Recipe) -> Model:
        """Read the model of a recipe.

        Raises:
            ModelNotFoundError: It is not in the store.
            ModelFormatError: It is incomplete, damaged, from another version of vaead, or of another recipe.
        """
        folder = self.folder(recipe)
        model = load_model(folder)
        _require_recipe(model.card, recipe, folder)
        return model

    def load_card(self, recipe: Recipe) -> ModelCard:
        """Read the card of the model of a recipe; see `load` and `load_card`."""
        folder = self.folder(recipe)
        card = load_card(folder)
        _require_recipe(card, recipe, folder)
        return card

    def check_writable(self) -> None:
        """Find out before a training starts whether its model can be saved.

        Raises:
            StoreError: The store cannot be written.
        """
        try:
            require_writable(self.root)
        except OSError as error:
            raise _not_writable(self.root, error) from error

    def save(self, card: ModelCard, parts: Sequence[ModelPart], archives: Sequence[bytes] = ()) -> AnyPath:
        """Write a model folder; it appears whole or not at all, and replaces an older one.

        At a URL, where nothing can be renamed in one step, there is no model while one is replaced, and two
        programs that write the same model at the same time may leave one that is refused as damaged.

        Args:
            card: Says where it belongs, by its recipe.
            parts: One for each network of the recipe.
            archives: The networks as `.keras` archives, or none.

        Returns:
            The model's folder.

        Raises:
            StoreError: The store cannot be written.
        """
        folder = self.root / card.recipe.path
        save_model(folder, card, parts, archives)
        return folder


def save_model(
    folder: AnyPath | str, card: ModelCard, parts: Sequence[ModelPart], archives: Sequence[bytes] = ()
) -> None:
    """Write a model folder; see `ModelStore.save`."""
    files = {}
    for index, part in enumerate(parts):
        files[numbered(PROGRAM, index)] = pack_program(part.program)
        files[numbered(CALIBRATION, index)] = pack_deviation(part.deviation)
    files |= {numbered(NETWORK, index): archive for index, archive in enumerate(archives)}
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    files[CARD] = card.to_json(checksums).encode()
    place = to_path(folder)
    try:
        require_replaceable(place)
        write_folder(place, files, is_of_network)
    except StoreError:
        raise
    except OSError as error:
        raise _not_writable(place, error) from error


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
    place = to_path(folder)
    card, checksums = _read_card(place)
    parts = [
        _load_part(place, index, network, checksums) for index, network in enumerate(card.recipe.networks)
    ]
    _require_places(card, parts, place)
    model = Model(card, parts)
    for member in model.members:
        member.scorer.require_program()
    return model


def _load_part(folder: AnyPath, index: int, network: NetworkConfig, checksums: dict[str, str]) -> ModelPart:
    program, calibration, archive = (numbered(name, index) for name in (PROGRAM, CALIBRATION, NETWORK))
    names = [calibration, program, *([archive] if archive in checksums else [])]
    files = {name: read_file(folder / name) for name in names}
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != checksums.get(name):
            raise ModelFormatError(
                f"{name} must match its checksum in {CARD}, got a damaged file in {str(folder)!r}; "
                "train the model again"
            )
    deviation = unpack_deviation(files[calibration], calibration, network)
    return ModelPart(unpack_program(files[program], program), deviation)


def _require_places(card: ModelCard, parts: Sequence[ModelPart], folder: AnyPath) -> None:
    """Compare the windows that a model has learned from with those of its images."""
    for network, part in zip(card.recipe.networks, parts, strict=True):
        known = None if isinstance(part.deviation, ClusterReference) else len(part.deviation.center)
        wanted = None
        if card.image_shape is not None:
            rows, columns = PatchGrid(*card.image_shape, network.patch_size, network.stride).shape
            wanted = rows * columns
        if known != wanted:
            raise ModelFormatError(
                f"calibration must be that of the images in {CARD}, got another one in {str(folder)!r}; "
                "train the model again"
            )


def _read_card(folder: AnyPath) -> tuple[ModelCard, dict[str, str]]:
    _require_card(folder)
    return ModelCard.from_json(read_file(folder / CARD).decode(errors="replace"))


def _require_recipe(card: ModelCard, recipe: Recipe, folder: AnyPath) -> None:
    # The folder's name tells what differs from a preset, and a preset may have changed since.
    if card.recipe != recipe:
        raise ModelFormatError(
            f"model must be made from the recipe asked for, got one with other settings in {str(folder)!r}; "
            "train the model again"
        )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name too long, or a folder that may not be searched
        return False


def _has_card(folder: AnyPath) -> bool:
    try:
        return (folder / CARD).is_file()
    except OSError:  # a name too long, or a folder that may not be searched
        if isinstance(folder, UrlPath):
            raise
        return False


def _require_card(folder: AnyPath) -> None:
    try:
        if _has_card(folder):
            return
    except OSError as error:
        raise ModelNotFoundError(
            f"model must be a folder that can be read, got {str(folder)!r} ({error.strerror or error}); "
            "check the URL and the connection"
        ) from error
    raise ModelNotFoundError(
        f"model must be a folder with a {CARD}, got {str(folder)!r}; train the model first"
    )


def _not_writable(place: AnyPath, error: OSError) -> StoreError:
    reason = error.strerror or str(error)
    return StoreError(
        f"store must be a folder that can be written, got {str(place)!r} ({reason}); "
        f"free some space, change its permissions, or name another folder with --store or {STORE_VARIABLE}"
    )
