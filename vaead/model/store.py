"""The model store: one folder a model, written in one step and checked when it is read.

A store is a folder on this machine, or at a URL that fsspec knows.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import platformdirs

from vaead import shipped
from vaead.errors import ModelFormatError
from vaead.model.card import ModelCard
from vaead.model.folder import STORE_VARIABLE, has_card, load_card, load_model, not_writable, save_model
from vaead.model.model import Model
from vaead.paths import AnyPath, UrlPath, require_writable, to_path
from vaead.recipe import Recipe


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
        """Folder of the model of a recipe; it need not exist."""
        return self.find(recipe.path)

    def find(self, name: PurePosixPath) -> AnyPath:
        """Path of a file or folder below the root, or of the shipped one where the root has none."""
        own, other = self.root / name, shipped.MODELS / name
        if not self._reads_shipped or isinstance(own, UrlPath) or _exists(own) or not _exists(other):
            return own
        return other

    def __contains__(self, recipe: Recipe) -> bool:
        return has_card(self.folder(recipe))

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
            raise not_writable(self.root, error) from error

    def save(self, model: Model) -> AnyPath:
        """Write a model; see `save_model`.

        Returns:
            The folder, which follows from the model's recipe.

        Raises:
            StoreError: The store cannot be written.
        """
        folder = self.root / model.card.recipe.path
        save_model(folder, model)
        return folder


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
