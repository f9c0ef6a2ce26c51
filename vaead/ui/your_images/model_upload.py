"""Step 2 of the page "Your images", instead of a training: upload a model that was downloaded before."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal

import streamlit as st

from vaead.data.photos import Limits, open_zip
from vaead.data.photos.reasons import PhotoError
from vaead.errors import InvalidInputError, ModelFormatError, ModelNotFoundError, VaeadError
from vaead.i18n.texts import Texts
from vaead.inference.photo_service import PhotoLostError
from vaead.model.card import ModelCard
from vaead.model.files import CARD, is_part
from vaead.model.store import load_card
from vaead.ui.shared.cache import photo_service
from vaead.ui.shared.markdown import code, plain
from vaead.ui.your_images.messages import error_message
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.session import OwnSession

_LIMITS = Limits(image_bytes=60_000_000, zip_entries=200, zip_unpacked_bytes=120_000_000)
"""Of the ZIP; a model of the largest patches has a tenth of that."""
_MOST_UPLOAD_MB = 100
_MOST_CARD_BYTES = 5_000_000


class UnusableModelError(InvalidInputError):
    """A ZIP without a model that can score photos.

    Attributes:
        kind: Key of the sentence `own.model_<kind>`.
        values: Fill the fields of the sentence.
    """

    def __init__(self, kind: Literal["none", "broken", "damaged", "classes"], **values: str) -> None:
        super().__init__(" ".join((kind, *values.values())))
        self.kind = kind
        self.values = values


def show(own: OwnSession, texts: Texts) -> None:
    """Show the control for a model."""
    label, number = texts("own.bring_model"), own.model_upload_count
    # With a key of its own for each model, so that it does not stay open over what was found.
    with st.popover(label, icon=":material/upload:", type="tertiary", key=f"own_bring_model_{number}"):
        file = st.file_uploader(
            texts("own.upload_model"),
            type="zip",
            max_upload_size=_MOST_UPLOAD_MB,
            key=f"own_model_{number}",
            help=texts("own.upload_model_help"),
        )
    if file is None:
        return
    # A click meanwhile begins another run with the same file, which waits here and finds the model loaded.
    with own.model_upload_lock:
        own.uploads.poll([file], lambda _: _bring(own, file.name, file, texts))
    st.rerun()


def _bring(own: OwnSession, name: str, file: BinaryIO, texts: Texts) -> None:
    """Use the model in a ZIP from now on, or say what is wrong with it."""
    own.model_upload_count += 1
    own.trouble = None
    try:
        folder = own.new_run() / "model"
        card = unpack_model(file, name, folder)
    except UnusableModelError as error:
        values = {key: plain(value) for key, value in error.values.items()}
        own.trouble = texts(f"own.model_{error.kind}", name=code(name), **values)
    except PhotoError as error:
        problem = plain(error_message(error, texts))
        own.trouble = texts("own.model_damaged", name=code(name), problem=problem)
    except OSError as error:
        own.trouble = error_message(error, texts)
    else:
        own.task = None  # a training that has ended before would take its place again
        own.take_model(Results(card, folder, "brought"))


def unpack_model(file: BinaryIO, name: str, folder: Path) -> ModelCard:
    """Unpack the model in a ZIP and try it out in another process; nothing but its card is read here.

    Args:
        file: The ZIP.
        name: Name of the ZIP.
        folder: New folder for it; its parent is removed if there is something wrong with it.

    Raises:
        UnusableModelError: It holds no model, a broken one, or one that cannot score photos.
        PhotoError: It is no ZIP, too large, or not safe to read.
        OSError: There is no room for it.
    """
    try:
        files = _read(file, name)
        folder.mkdir()
        for each, content in files.items():
            (folder / each).write_bytes(content)
        return _load(folder)
    except (VaeadError, OSError):
        shutil.rmtree(folder.parent, ignore_errors=True)
        raise


def _read(file: BinaryIO, name: str) -> dict[str, bytes]:
    """The files of the one model in a ZIP, by name."""
    with open_zip(file, name, _LIMITS) as archive:
        cards = [PurePosixPath(each) for each in archive.names if PurePosixPath(each).name == CARD]
        if len(cards) != 1:
            raise UnusableModelError("none")
        names = [
            PurePosixPath(each) for each in archive.names if PurePosixPath(each).parent == cards[0].parent
        ]
        names = [each for each in names if each.name == CARD or is_part(each.name)]
        files = {each.name: archive.read(str(each)) for each in names}
    if len(files[CARD]) > _MOST_CARD_BYTES:
        raise UnusableModelError("broken")
    return files


def _load(folder: Path) -> ModelCard:
    try:
        photo_service().check(folder)
        card = load_card(folder)
    except PhotoLostError as error:
        raise UnusableModelError("broken") from error
    except (ModelFormatError, ModelNotFoundError) as error:
        raise UnusableModelError("damaged", problem=str(error)) from error
    if not card.recipe.for_photos:
        raise UnusableModelError("classes", dataset=card.recipe.class_source.dataset)
    return card
